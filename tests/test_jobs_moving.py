"""A desk moved to other stores and back, kept in a folder, lost, and brought back, as an operator does it."""

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from store_contents import everything, ledger_rows, remove_indices, whole

from claimwatch.clock import FixedClock
from claimwatch.desk import Desk
from claimwatch.ledger import copying, decisions, facts, secrets, users
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.decisions import Judgement
from claimwatch.posts.base import Posts
from claimwatch.posts.copying import measure
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.projector import project_decisions
from claimwatch.records import Action, CardState, Role
from factories import DAY, NOW, make_assessed, make_card, make_match, make_observation, make_post
from jobs import cli, moving
from jobs.moving import Opener
from jobs.opening import opened


@dataclass(frozen=True)
class Addresses:
    """Where the other stores of a test are."""

    ledger: str
    posts: str


@pytest.fixture(autouse=True)
def _own_folders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> None:
    if "elsewhere" in request.fixturenames:
        request.getfixturevalue("elsewhere")  # which reads the servers' addresses from the environment
    for name in [name for name in os.environ if name.startswith("CLAIMWATCH_TEST_")]:
        monkeypatch.delenv(name)
    for name in ("HOME", "CLAIMWATCH_DATA", "CLAIMWATCH_CACHE"):
        monkeypatch.setenv(name, home[name])
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAIMWATCH_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    (folder / "claims").mkdir(parents=True)
    (folder / "claimwatch.yml").write_text("desk: {name: test}\n", encoding="utf-8")
    (folder / "claims/one.yml").write_text('- {id: garlic-cure, statement: {en: Garlic cures}, verdict: "false"}\n')
    return folder


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgres", marks=pytest.mark.servers),
        pytest.param("elasticsearch", marks=pytest.mark.servers),
    ]
)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Addresses]:
    """Empty stores: two files, a file and PostgreSQL, or both servers."""
    folder = f"sqlite:{tmp_path / 'elsewhere'}"
    if request.param == "sqlite":
        yield Addresses(folder, folder)
        return
    ledger: str = request.getfixturevalue("postgres_database")
    if request.param == "postgres":
        yield Addresses(ledger, folder)
        return
    url, prefix = request.getfixturevalue("elasticsearch_url"), f"moved{uuid.uuid4().hex}"
    yield Addresses(ledger, f"elasticsearch+{url}/{prefix}")
    remove_indices(url, prefix)


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.run([str(one) for one in arguments])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return code, printed.out, printed.err


def settle_in(config: Path, where: Addresses) -> None:
    """Let the settings name these stores."""
    ledger, posts = ("sqlite" if one.startswith("sqlite:") else one for one in (where.ledger, where.posts))
    lines = f"desk: {{name: test}}\nstores: {{ledger: '{ledger}', posts: '{posts}'}}\n"
    (config / "claimwatch.yml").write_text(lines, encoding="utf-8")


def fill(desk: Desk) -> None:
    """Posts, a queue of two cards, and a decision on one of them."""
    made = [make_post(f"Garlic water number {number} cures it") for number in range(7)]
    gone = make_post("Sugar cures it")
    desk.posts.add([*made, gone], token="t1")
    desk.posts.assess([replace(make_assessed(post, make_match(post)), vector=bytes(32), encoder="e1") for post in made])
    desk.posts.observe([make_observation(post) for post in made])
    desk.posts.place({post.id: post.id for post in made})
    desk.posts.put_cards([make_card(replace(post, group=post.id)) for post in made[:2]])
    desk.posts.forget([gone.id], NOW)
    said = {name: getattr(made[0], name) for name in ("text", "text_hash", "language")}
    with desk.ledger.write() as db:
        user = users.add(db, "mai", "correct horse battery", Role.LEAD, NOW)
        secrets.quarter_key(db, NOW)
        judged = Judgement(
            card=made[0].id, seen=0, action=Action.REPEATS, user=user.id, post=made[0].id, model="m1", p_false=0.9,
            flag=True, claim="garlic-cure", **said,
        )  # fmt: skip
        decisions.add(db, judged, NOW)
    project_decisions(desk)
    desk.posts.refresh()


def filled(config: Path) -> dict[str, object]:
    """Fill the desk that the settings name; what it then holds."""
    with opened(config, os.environ, clock=FixedClock(NOW)) as (desk, _):
        fill(desk)
        return held(desk.ledger, desk.posts)


def held(ledger: Ledger, posts: Posts) -> dict[str, object]:
    posts.refresh()
    return {
        "ledger": ledger_rows(ledger),
        "posts": whole(everything(posts)),
        "tombstones": posts.tombstones(),
        "cards": [replace(card, updated_at=NOW) for card in posts.cards(None)],
        "counts": sorted(posts.counts([DAY]), key=repr),
    }


def held_now(config: Path) -> dict[str, object]:
    with opened(config, os.environ, clock=FixedClock(NOW)) as (desk, _):
        return held(desk.ledger, desk.posts)


def test_a_desk_moves_to_other_stores_and_back(
    config: Path, elsewhere: Addresses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = filled(config)
    data = Path(os.environ["CLAIMWATCH_DATA"])
    code, out, err = told(capsys, "ledger", "copy", "sqlite", elsewhere.ledger, "--config", config)
    assert (code, json.loads(out)["differing"]) == (0, []), err
    assert json.loads(out)["rows"]["decisions"] == 1
    code, out, err = told(capsys, "posts", "copy", "sqlite", elsewhere.posts, "--config", config)
    assert (code, json.loads(out)["differing"]) == (0, []), err
    assert json.loads(out)["copied"]["posts"] == 7
    back = f"sqlite:{tmp_path / 'back'}"
    assert told(capsys, "ledger", "copy", elsewhere.ledger, back, "--config", config)[0] == 0
    assert told(capsys, "posts", "copy", elsewhere.posts, back, "--config", config)[0] == 0
    shutil.rmtree(data)
    shutil.copytree(tmp_path / "back", data)
    assert held_now(config) == before


def test_stores_in_use_are_never_copied_over(
    config: Path, elsewhere: Addresses, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(config)
    for kind, address in (("ledger", elsewhere.ledger), ("posts", elsewhere.posts)):
        assert told(capsys, kind, "copy", "sqlite", address, "--config", config)[0] == 0
        code, _, err = told(capsys, kind, "copy", "sqlite", address, "--config", config)
        assert (code, err.count("\n"), "already" in err) == (2, 1, True)


def test_a_stopped_copy_of_posts_is_finished_by_the_next(
    config: Path, elsewhere: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("claimwatch.posts.copying.BATCH", 2)
    before = filled(config)
    opener = Opener(data=Path(os.environ["CLAIMWATCH_DATA"]), credentials={})
    with (
        opened(config, os.environ, clock=FixedClock(NOW)) as (desk, _),
        closing(opener.posts(elsewhere.posts)) as target,
    ):
        kept = desk.posts.dump()
        target.load(kept[:3])
        target.bury([("mastodon:zz", NOW)])
        with desk.ledger.write() as db:
            facts.put(db, "posts.copy", opener.name(elsewhere.posts))
        stranger = make_post("Forgotten at the source since")
        target.add([stranger], token="t5")
        desk.posts.observe([make_observation(kept[0].post, likes=99, source="far")])
        moved = moving.move_posts(desk, desk.posts, target, opener.name(elsewhere.posts), lambda _: None)
        assert moved.differing == []
        assert whole(everything(target)) == whole(everything(desk.posts)) != before["posts"]
        assert stranger.id not in target.get([stranger.id])
        with desk.ledger.read() as db:
            assert facts.get(db, "posts.copy") is None


def test_counts_that_differ_are_exit_1_and_the_next_copy_goes_on(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(config)
    command = ("posts", "copy", "sqlite", f"sqlite:{tmp_path / 'elsewhere'}", "--config", config)
    with monkeypatch.context() as one_lost:
        one_lost.setattr("jobs.moving.measure", lambda store, advance: measure(store, advance) - Counter(posts=1))
        code, out, err = told(capsys, *command)
        assert (code, json.loads(out)["differing"], "run it again" in err) == (1, ["posts"], True)
    code, out, _ = told(capsys, *command)
    assert (code, json.loads(out)["differing"]) == (0, [])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("ledger", "copy", "sqlite", "sqlite"), "the same store"),
        (("posts", "copy", "sqlite:/nowhere/at/all", "sqlite"), "there is no such file"),
        (("ledger", "copy", "sqlite:/nowhere/at/all", "sqlite"), "there is no such file"),
        (("ledger", "copy", "mysql://a/b", "sqlite"), "use sqlite or postgresql://"),
        (("posts", "copy", "sqlite", "postgresql://a@b/c"), "use sqlite or elasticsearch"),
        (("restore", "/nowhere/at/all"), "there is no backup here"),
    ],
)
def test_what_cannot_be_copied_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str
) -> None:
    filled(config)
    code, _, err = told(capsys, *arguments, "--config", config)
    assert (code, err.count("\n"), named in err) == (2, 1, True), err


def lose_all(elsewhere: Addresses) -> None:
    """What a fire leaves: empty databases and no files. An Elasticsearch is lost by name: a new prefix is used."""
    shutil.rmtree(os.environ["CLAIMWATCH_DATA"], ignore_errors=True)  # none where both stores are servers
    if elsewhere.ledger.startswith("postgresql"):
        with closing(Ledger.connect(elsewhere.ledger)) as ledger:
            copying.empty(ledger)


@pytest.mark.parametrize("dumped", [True, False])
def test_all_is_lost_and_restored(
    config: Path,
    elsewhere: Addresses,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    dumped: bool,
) -> None:
    if not dumped:
        monkeypatch.setattr("jobs.backup.shutil.which", lambda _: None)
    settle_in(config, elsewhere)
    before = filled(config)
    folder = tmp_path / "kept"
    code, _, err = told(capsys, "backup", folder, "--config", config)
    assert code == 0, err
    lose_all(elsewhere)
    restored = replace(elsewhere, posts=f"{elsewhere.posts}back")
    settle_in(config, restored)
    code, out, err = told(capsys, "restore", folder, "--config", config)
    assert (code, json.loads(out or "{}").get("differing")) == (0, []), err
    assert held_now(config) == before
    with opened(config, os.environ) as (desk, _), desk.ledger.write() as db:
        assert Counter(card.state for card in desk.posts.cards(None)) == {CardState.OPEN: 1, CardState.DECIDED: 1}
        users.add(db, "lan", "correct horse battery", Role.VIEWER, NOW)


def test_a_backup_holds_no_author_key(
    config: Path, elsewhere: Addresses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle_in(config, elsewhere)
    filled(config)
    with opened(config, os.environ) as (desk, _), desk.ledger.write() as db:
        key = secrets.quarter_key(db, NOW)
    assert told(capsys, "backup", tmp_path / "kept", "--config", config)[0] == 0
    files = list((tmp_path / "kept").iterdir())
    assert len(files) >= 3
    for file in files:
        content = file.read_bytes()
        assert key not in content
        assert key.hex().encode() not in content


class TestRefused:
    @pytest.fixture
    def kept(self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
        filled(config)
        assert told(capsys, "backup", tmp_path / "kept", "--config", config)[0] == 0
        return tmp_path / "kept"

    def test_a_desk_in_use_is_given_up_only_when_asked(
        self, kept: Path, config: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = held_now(config)
        with opened(config, os.environ) as (desk, _), desk.ledger.write() as db:
            desk.posts.add([make_post("met after the backup")], token="t2")
            users.add(db, "lan", "correct horse battery", Role.VIEWER, NOW)
        code, _, err = told(capsys, "restore", kept, "--config", config)
        assert (code, "--replace" in err) == (2, True)
        assert held_now(config) != before
        assert told(capsys, "restore", kept, "--replace", "--config", config)[0] == 0
        assert held_now(config) == before

    def test_the_keys_must_be_those_of_the_backup(
        self, kept: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.rmtree(os.environ["CLAIMWATCH_DATA"], ignore_errors=True)  # none where both stores are servers
        monkeypatch.setenv("CLAIMWATCH_SEAL_KEY", "another key of at least 32 characters")
        code, _, err = told(capsys, "restore", kept, "--config", config)
        assert (code, "CLAIMWATCH_SEAL_KEY" in err) == (2, True)
        assert not Path(os.environ["CLAIMWATCH_DATA"]).exists()

    def test_a_backup_that_was_stopped(self, kept: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
        listed = kept / "backup.json"
        listed.write_text(listed.read_text().replace("true", "false"))
        code, _, err = told(capsys, "restore", kept, "--replace", "--config", config)
        assert (code, "never finished" in err) == (2, True)

    def test_a_folder_that_holds_something_else(
        self, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        SqlitePosts(tmp_path / "live/posts.db").close()
        code, _, err = told(capsys, "backup", tmp_path / "live", "--config", config)
        assert (code, "no backup" in err) == (2, True)

    def test_the_backup_of_another_desk(
        self, kept: Path, config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shutil.rmtree(os.environ["CLAIMWATCH_DATA"], ignore_errors=True)  # none where both stores are servers
        monkeypatch.setenv("CLAIMWATCH_ID_KEY", "another key of at least 32 characters")
        code, _, err = told(capsys, "backup", kept, "--config", config)
        assert (code, "another desk" in err) == (2, True)

    def test_a_dump_without_a_server_to_put_it_into(
        self, kept: Path, config: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        listed = kept / "backup.json"
        listed.write_text(listed.read_text().replace("ledger.db", "ledger.dump"))
        code, _, err = told(capsys, "restore", kept, "--replace", "--config", config)
        assert (code, "name a PostgreSQL in stores.ledger" in err) == (2, True)
