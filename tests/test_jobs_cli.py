"""The command line as an operator meets it: what it prints, its exit codes, and one clear line for every mistake."""

import json
import resource
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from jobs import cli

ROOT = Path(__file__).parent.parent
ROW = {"id": "1", "text": "Ăn tỏi sống mỗi ngày thì không bao giờ mắc covid", "created_at": "2026-11-15T01:00:00Z"}


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> None:
    for name in ("HOME", "CLAIMWATCH_DATA", "CLAIMWATCH_CACHE"):
        monkeypatch.setenv(name, home[name])
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAIMWATCH_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration of its own with one claim and one source."""
    folder = tmp_path / "config"
    (folder / "claims").mkdir(parents=True)
    (folder / "claimwatch.yml").write_text("desk: {name: test}\n", encoding="utf-8")
    (folder / "claims/one.yml").write_text('- {id: garlic-cure, statement: {en: Garlic cures}, verdict: "false"}\n')
    (folder / "sources.yml").write_text(
        "- {name: who, kind: feed, settings: {url: 'https://who.example/rss'}, enabled: false}\n", encoding="utf-8"
    )
    return folder


def rows(folder: Path, *lines: object) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return file


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.run([str(one) for one in arguments])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return code, printed.out, printed.err


def one_line(error: str) -> str:
    assert error.startswith("claimwatch: ")
    assert error.count("\n") == 1, error
    return error


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in cli.COMMANDS:
        code, out, _ = told(capsys, name, "--help")
        assert (code, "Usage: claimwatch " + name in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["crawl", "--nonsense"], "--nonsense"),
        (["import"], "Missing argument 'FILE'"),
        (["import", "/no/such/file.jsonl", "--source", "x"], "/no/such/file.jsonl: cannot be read"),
        (["parse", "telepathy", "/etc/hostname"], "there is no kind 'telepathy': use one of feed, mastodon"),
        (["parse", "feed", "/no/such/file"], "/no/such/file: cannot be read"),
        (["report", "--week", "2026-W99", "--out", "x"], "2026-W99"),
        (["users", "disable", "nobody"], "there is no account 'nobody'"),
        (["crawl", "nobody"], "there is no source 'nobody'; known: who"),
        (["crawl"], "no source is enabled"),
        (["sources", "add", "x", "feed", "url=ftp://x"], "setting `url`"),
        (["sources", "add", "x", "feed", "url"], "write KEY=VALUE"),
        (["evaluate", "--data", "/no/such/rows"], "/no/such/rows: cannot be read"),
        (["evaluate", "--map", "nonsense", "--data", "/etc/hostname"], "--map 'nonsense' is unknown"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_two(
    arguments: list[str], named: str, config: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("CLAIMWATCH_CONFIG", str(config))
    code, out, err = told(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert named in one_line(err)


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("claimwatch.yml", "web: {prot: 1}", "unknown key `web.prot`"),
        ("claims/one.yml", "- {id: garlic-cure}", "garlic-cure: `statement`"),
        ("claims/one.yml", "- {id: garlic-cure, statement: {en: a}, verdict: maybe}", "garlic-cure: `verdict`"),
        ("claims/one.yml", "- {id: a b, statement: {en: a}}", "a b: `id`"),
        ("sources.yml", "- {name: who, kind: feed, setings: {}}", "who: `setings`"),
        ("sources.yml", "nonsense", "sources.yml"),
    ],
)
def test_a_bad_seed_or_setting_is_refused_whole_by_file_and_key(
    file: str, text: str, named: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (config / file).write_text(text, encoding="utf-8")
    code, _, err = told(capsys, "purge", "--config", config)
    assert code == 2
    assert str(config / file) in one_line(err)
    assert named in err


def test_an_import_counts_every_row_in_one_outcome_and_repeats_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = rows(tmp_path, ROW, "not json", ["a", "list"], {"id": 2, "text": ""}, {"id": 3, "body": "Một bài khác hẳn"})
    code, out, _ = told(capsys, "import", file, "--source", "mine", "--config", config)
    assert code == 0
    assert json.loads(out) == {
        "rows": 5,
        "outcomes": {"dropped(empty)": 1, "rejected(unreadable)": 2, "stored": 2},
    }
    code, out, _ = told(capsys, "import", file, "--source", "mine", "--config", config)
    assert json.loads(out)["outcomes"] == {"dropped(empty)": 1, "rejected(unreadable)": 2, "unchanged": 2}


def test_columns_of_other_names_are_mapped(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = rows(tmp_path, {"noi_dung": "Một bài viết về sức khỏe", "ngay": 1591405213.0})
    mapped = ["--map", "text=noi_dung,created_at=ngay"]
    code, out, _ = told(capsys, "import", file, "--source", "mine", *mapped, "--config", config)
    assert (code, json.loads(out)["outcomes"]) == (0, {"stored": 1})
    code, _, err = told(capsys, "import", file, "--source", "mine", "--map", "body=x", "--config", config)
    assert (code, "write field=column" in one_line(err)) == (2, True)


def test_a_saved_answer_is_parsed_without_a_desk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, "parse", "feed", ROOT / "crawlers/feed/sample.xml")
    page = json.loads(out)
    assert code == 0
    assert page["posts"]
    assert {"posts", "dropped", "next", "problems"} <= set(page)
    code, out, _ = told(capsys, "parse", "mastodon", ROOT / "crawlers/feed/sample.xml")
    assert (code, json.loads(out)["posts"]) == (1, [])
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    code, out, _ = told(capsys, "parse", "mastodon", empty)
    assert (code, json.loads(out)["problems"][0][:5]) == (0, "empty")


def test_sources_are_listed_added_checked_paused_and_exported(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "sources", "add", "tin", "feed", "url=https://tin.example/rss", "--config", config)[0] == 0
    assert told(capsys, "sources", "pause", "tin", "--config", config)[0] == 0
    listed = json.loads(told(capsys, "sources", "list", "--config", config)[1])
    assert [(one["name"], one["state"]) for one in listed] == [("tin", "paused"), ("who", "paused")]
    assert told(capsys, "sources", "resume", "tin", "--config", config)[0] == 0
    assert "tin: new" in told(capsys, "sources", "check", "--config", config)[1]
    assert "url: https://tin.example/rss" in told(capsys, "sources", "export", "--config", config)[1]


def test_accounts_are_made_and_shut_out(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMWATCH_ADMIN_PASSWORD", "a long password")
    assert told(capsys, "users", "add", "mai", "--role", "lead", "--config", config)[0] == 0
    assert told(capsys, "users", "disable", "mai", "--config", config)[0] == 0
    listed = json.loads(told(capsys, "users", "list", "--config", config)[1])
    assert listed == [{"name": "mai", "role": "lead", "disabled": True}]
    code, _, err = told(capsys, "users", "add", "mai", "--config", config)
    assert (code, "taken" in one_line(err)) == (2, True)


def test_other_keys_than_the_desks_are_refused_at_start(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(capsys, "purge", "--config", config)[0] == 0
    monkeypatch.setenv("CLAIMWATCH_ID_KEY", "another key of at least 32 characters")
    code, _, err = told(capsys, "purge", "--config", config)
    assert (code, "CLAIMWATCH_ID_KEY" in one_line(err)) == (2, True)


def test_a_backup_holds_both_stores_and_no_author_key(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(capsys, "import", rows(tmp_path, ROW), "--source", "mine", "--config", config)
    assert told(capsys, "backup", tmp_path / "kept", "--config", config)[0] == 0
    monkeypatch.setenv("CLAIMWATCH_DATA", str(tmp_path / "kept"))
    code, out, _ = told(capsys, "import", rows(tmp_path, ROW), "--source", "mine", "--config", config)
    assert (code, json.loads(out)["outcomes"]) == (0, {"unchanged": 1})


def test_a_missing_model_says_how_to_get_one(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.serving.SHIPPED", tmp_path / "nothing")
    monkeypatch.setattr("jobs.assess.build_encoder", lambda where, _: where.cache)
    code, _, err = told(capsys, "classify", "--config", config)
    assert (code, "claimwatch train" in one_line(err)) == (2, True)
    code, _, err = told(capsys, "score", rows(tmp_path, ROW), "--model", tmp_path / "none", "--config", config)
    assert (code, "no usable model" in one_line(err)) == (2, True)


@pytest.mark.parametrize(
    "beside",
    [
        ["--data", "rows.jsonl"],
        ["--map", "reintel"],
        ["--valid", "rows.jsonl"],
        ["--epochs", "2"],
        ["--layers", "all"],
        ["--without-frozen"],
    ],
)
def test_learning_from_decisions_takes_no_other_rows(
    config: Path, capsys: pytest.CaptureFixture[str], beside: list[str]
) -> None:
    code, _, err = told(capsys, "train", "--from-decisions", *beside, "--config", config)
    assert (
        code,
        "leave --data, --map, --valid, --before, --epochs, --layers, --without-frozen out" in one_line(err),
    ) == (2, True)


def test_fine_tuning_without_torch_says_how_to_get_it(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classifier.training.can_tune", lambda: False)
    for wanted in (["--out", str(tmp_path / "made")], ["--from-decisions"]):
        code, _, err = told(capsys, "train", "--method", "tune", *wanted, "--config", config)
        assert (code, "pip install 'claimwatch[train]'" in one_line(err)) == (2, True)


def test_a_port_that_is_taken_is_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAIMWATCH_ADMIN_PASSWORD", "a long password")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = told(capsys, "web", "--port", taken.getsockname()[1], "--config", config)
    assert code == 2
    assert "choose another with --port" in err.splitlines()[-1]


def test_a_full_disk_is_one_line_and_what_was_kept_stays(config: Path, tmp_path: Path, home: dict[str, str]) -> None:
    many = ({"id": n, "text": f"bài viết số {n} về sức khỏe cộng đồng " * 20} for n in range(4000))
    file = rows(tmp_path, *many)
    command = [sys.executable, "-m", "jobs", "import", str(file), "--source", "mine", "--config", str(config)]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    full = subprocess.run(command, env=home, capture_output=True, text=True, check=False, preexec_fn=limited, cwd=ROOT)
    assert full.returncode == 1, full.stderr
    assert "disk" in one_line(full.stderr)
    freed = subprocess.run(command, env=home, capture_output=True, text=True, check=False, cwd=ROOT)
    assert freed.returncode == 0, freed.stderr
    assert json.loads(freed.stdout) == {"rows": 4000, "outcomes": {"stored": 4000}}
