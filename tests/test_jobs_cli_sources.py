"""`claimwatch sources` and `crawl --recheck`: trials on the command line, and the sources that ship."""

import json
from pathlib import Path

import pytest
from test_crawlers_crawl import FEED, ITEM, Answer, served

from claimwatch.records import Source
from crawlers.kinds import checked_settings
from jobs import cli
from jobs.opening import read_sources

ROOT = Path(__file__).parent.parent


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> Path:
    for name in ("HOME", "CLAIMWATCH_DATA", "CLAIMWATCH_CACHE"):
        monkeypatch.setenv(name, home[name])
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "CLAIMWATCH_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "claimwatch.yml").write_text("crawl: {delay: 0, max_age_days: 3650}\n", encoding="utf-8")
    return folder


def told(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str) -> tuple[int, str, str]:
    code = cli.run([*arguments, "--config", str(config)])
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return code, printed.out, printed.err


def test_a_source_is_tried_before_and_after_it_is_added(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with served(lambda *_: Answer(body=FEED.format(items=ITEM.format(n=1) + ITEM.format(n=1)))) as site:
        words = ("sources", "add", "tin", "feed", f"url={site.url}/rss", "allow_hosts=127.0.0.1", "--language", "vi")
        code, out, _ = told(capsys, config, *words, "--dry-run")
        assert code == 0
        assert "Bai so 1 Noi dung bai viet so 1" in out
        assert "tin: 2 posts on the first page; left out: repeated 1" in out
        assert json.loads(told(capsys, config, "sources", "list")[1]) == []
        assert told(capsys, config, *words)[0] == 0
        code, out, _ = told(capsys, config, "sources", "check", "tin")
        assert (code, out.splitlines()[0]) == (0, "tin: new")
        assert "Bai so 1" in out
        asked = len(site.paths)
        assert told(capsys, config, "sources", "check", "tin", "--settings-only")[0] == 0
        assert len(site.paths) == asked
        assert told(capsys, config, "crawl", "--recheck")[1] == '{"outcomes": {}, "failures": {}}\n'
    code, _, error = told(capsys, config, "sources", "check", "tin")
    assert (code, "no answer" in error) == (1, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sources", "add", "Tin Tức", "feed", "url=https://x.example"), "small letters"),
        (("sources", "add", "x", "feed", "url=http://10.0.0.1/"), "not on the public Internet"),
        (("crawl", "--recheck", "tin"), "leave out the names"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(
    config: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    code, _, error = told(capsys, config, *words)
    assert (code, says in error, error.count("\n")) == (2, True, 1)


def test_the_sources_that_ship_are_sound_public_and_disabled() -> None:
    listed = read_sources(ROOT / "config/sources.yml")
    assert len({source.kind for source in listed}) >= 8
    assert {source.language for source in listed} >= {"vi", "en"}
    assert not any(source.enabled for source in listed)
    for source in listed:
        checked_settings(source)


def test_an_export_is_read_back_as_it_was(config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (config / "sources.yml").write_text((ROOT / "config/sources.yml").read_text(encoding="utf-8"), encoding="utf-8")
    file = tmp_path / "exported.yml"
    file.write_text(told(capsys, config, "sources", "export")[1], encoding="utf-8")

    def by_name(path: Path) -> list[Source]:
        return sorted(read_sources(path), key=lambda one: one.name)

    assert by_name(file) == by_name(config / "sources.yml")
