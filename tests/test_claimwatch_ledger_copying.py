"""A ledger moved between databases, both ways, also when the copy is stopped in the middle."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from store_contents import ledger_rows

from claimwatch.errors import ConfigError
from claimwatch.ledger import (
    claims,
    copying,
    counts,
    decisions,
    facts,
    reports,
    responses,
    runs,
    secrets,
    sources,
    turns,
    users,
)
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.copying import copy_ledger
from claimwatch.ledger.decisions import Judgement
from claimwatch.posts.base import CountRow
from claimwatch.records import Action, Claim, Role, Source, Verdict

NOW = datetime(2026, 11, 15, 12, 30, 45, 123456, tzinfo=UTC)
ROW = CountRow(day=date(2026, 11, 1), claim="a", language="vi", source="s", stance="", status="decided", posts=3)


class Stopped(Exception):  # noqa: N818  what happens to the copy
    """Stands for a kill."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.servers)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """The database that is tried, empty."""
    if request.param == "sqlite":
        opened = Ledger.open(tmp_path / "tried/ledger.db")
    else:
        opened = Ledger.connect(request.getfixturevalue("postgres_database"))
    yield opened
    opened.close()


@pytest.fixture
def make_file(tmp_path: Path) -> Iterator[Callable[[str], Ledger]]:
    """Makes ledgers in SQLite files."""
    made: list[Ledger] = []

    def make(name: str) -> Ledger:
        made.append(Ledger.open(tmp_path / name / "ledger.db"))
        return made[-1]

    yield make
    for one in made:
        one.close()


def judgement(card: str, user: int) -> Judgement:
    return Judgement(
        card=card,
        seen=0,
        action=Action.REPEATS,
        user=user,
        post=card,
        text_hash="ab",
        text="Tỏi chữa COVID",
        language="vi",
        model="m1",
        p_false=0.1 + 0.2,
        flag=True,
        claim="garlic-cure",
    )


def fill(ledger: Ledger) -> None:
    """Rows in every table."""
    claim = Claim(
        id="garlic-cure", statement={"vi": "Tỏi chữa COVID"}, phrasings={"en": ("eat",)}, verdict=Verdict.FALSE
    )
    with ledger.write() as db:
        secrets.check_keys(db, {"id": "aa", "seal": "bb"})
        secrets.quarter_key(db, NOW)
        claims.seed(db, [claim], NOW)
        user = users.add(db, "mai", "correct horse battery", Role.LEAD, NOW).id
        for card in ("mastodon:1", "mastodon:2"):
            decisions.add(db, judgement(card, user), NOW)
        decisions.undo(db, "mastodon:1", seen=1, user=user, now=NOW)
        responses.add(db, responses.Plan(claim="garlic-cure", kind="watching", owner=user, due=date(2026, 12, 1)), NOW)
        sources.put(db, Source(name="village", kind="feed", settings={"url": "https://a.example"}, last_success=NOW))
        sources.move_cursor(db, "village", "main", state={"newest": "1"}, now=NOW)
        sources.acquire(db, "crawl:village", "one")
        sources.limit(db, "a.example", until=1.5e9 + 0.25, reason="429")
        sources.set_aside(db, "village", [("no text", "{}")], NOW)
        run = runs.start(db, "crawl", NOW, source="village")
        runs.count(db, run, {"stored": 2})
        counts.commit_batch(db, counts.open_batch(db, NOW), [ROW])
        reports.publish(db, "2026-W46", digest="aa", body={"posts": 1}, now=NOW)
        turns.reserve(db, "a.example", delay=1, patience=9)
        secrets.note_link_open(db, "mastodon:1", user, NOW)


def stop_after(rows: int) -> Callable[[int], None]:
    """An `advance` that is killed once so many rows are through."""
    left = [rows]

    def advance(more: int) -> None:
        left[0] -= more
        if left[0] < 0:
            raise Stopped

    return advance


def ignore(_: int) -> None:
    """Nobody watches."""


def test_a_copy_there_and_back_is_the_same(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first, last = make_file("first"), make_file("last")
    fill(first)
    for source, target in ((first, ledger), (ledger, last)):
        copied = copy_ledger(source, target, ignore)
        assert all(one.source == one.target for one in copied)
        assert sum(one.source for one in copied) == copying.size(first)
        assert ledger_rows(target) == ledger_rows(first)
    assert [name for name, rows in ledger_rows(first).items() if not rows] == []


def test_author_keys_stay_behind(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first = make_file("first")
    fill(first)
    copy_ledger(first, ledger, ignore)
    with first.read() as old, ledger.write() as new:
        assert secrets.quarter_key(new, NOW) != secrets.quarter_key(old, NOW)


def test_new_rows_are_numbered_after_those_copied(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first = make_file("first")
    fill(first)
    copy_ledger(first, ledger, ignore)
    with ledger.write() as db:
        before = max(one.id for one in decisions.every(db))
        assert decisions.add(db, judgement("mastodon:3", 1), NOW).id == before + 1
        assert users.add(db, "lan", "correct horse battery", Role.VIEWER, NOW).id == 2
        assert runs.start(db, "classify", NOW) == 2
        assert counts.open_batch(db, NOW) == 2


@pytest.mark.parametrize("rows", [0, 1, 5, 12])
def test_a_stopped_copy_is_finished_by_the_next(ledger: Ledger, make_file: Callable[[str], Ledger], rows: int) -> None:
    first = make_file("first")
    fill(first)
    with pytest.raises(Stopped):
        copy_ledger(first, ledger, stop_after(rows))
    with pytest.raises(ConfigError, match="run `claimwatch ledger copy` again"), ledger.write() as db:
        secrets.check_keys(db, {"id": "aa", "seal": "bb"})
    with first.write() as db:
        sources.release(db, "crawl:village", "one")
        facts.put(db, "seed", "newer")
        decisions.delivered(db, 1)
    copy_ledger(first, ledger, ignore)
    assert ledger_rows(ledger) == ledger_rows(first)
    with ledger.write() as db:
        secrets.check_keys(db, {"id": "aa", "seal": "bb"})


def test_a_ledger_in_use_is_never_written_over(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first = make_file("first")
    fill(first)
    with ledger.write() as db:
        facts.put(db, "seed", "mine")
    before = ledger_rows(ledger)
    with pytest.raises(ConfigError, match="holds a ledger already"):
        copy_ledger(first, ledger, ignore)
    assert ledger_rows(ledger) == before


def test_a_finished_copy_is_a_ledger_in_use(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first = make_file("first")
    fill(first)
    copy_ledger(first, ledger, ignore)
    with pytest.raises(ConfigError, match="holds a ledger already"):
        copy_ledger(first, ledger, ignore)


def test_a_copy_begun_of_another_desk_is_refused(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    first, second = make_file("first"), make_file("second")
    fill(first)
    with second.write() as db:
        secrets.check_keys(db, {"id": "cc", "seal": "dd"})
    with pytest.raises(Stopped):
        copy_ledger(first, ledger, stop_after(3))
    with pytest.raises(ConfigError, match="holds a ledger already"):
        copy_ledger(second, ledger, ignore)
    with pytest.raises(ConfigError, match="unfinished copy"):
        copy_ledger(ledger, second, ignore)


def test_many_rows_go_in_several_pages(
    ledger: Ledger, make_file: Callable[[str], Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_BATCH", 7)
    first, last = make_file("first"), make_file("last")
    with first.write() as db:
        sources.set_aside(db, "village", [("no text", str(number)) for number in range(50)], NOW)
    pages: list[int] = []
    copy_ledger(first, ledger, pages.append)
    copy_ledger(ledger, last, ignore)
    assert pages == [7] * 7 + [1]
    assert ledger_rows(last) == ledger_rows(ledger) == ledger_rows(first)


def test_a_ledger_that_was_only_seeded_is_not_in_use(ledger: Ledger, make_file: Callable[[str], Ledger]) -> None:
    with ledger.write() as db:
        facts.put(db, "seed", "ab")
    assert not copying.is_used(ledger)
    first = make_file("first")
    fill(first)
    copying.empty(ledger)
    copy_ledger(first, ledger, ignore)
    assert copying.is_used(ledger)
