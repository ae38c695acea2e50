"""The parsers' benchmark: that it measures what it says, not how fast anything is."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawlers.kinds import PARSERS
from jobs import cli
from jobs.bench.parse import Figure, measure, page_of, recorded, table


@pytest.mark.parametrize("kind", PARSERS)
def test_a_made_page_holds_many_posts_and_few_repeats(kind: str) -> None:
    figure = measure(kind, [page_of(kind)], rounds=1)
    assert figure.posts >= 10
    assert figure.ours > 0
    assert figure.bare > 0


def test_a_page_is_measured_against_the_library_that_reads_it() -> None:
    libraries = {kind: measure(kind, [page_of(kind)], rounds=1).library for kind in ("feed", "telegram", "reddit")}
    assert libraries == {"feed": "feedparser", "telegram": "lxml.html", "reddit": "json.loads"}


def test_what_misses_its_goal_is_called_so() -> None:
    met = Figure(kind="reddit", pages=1, size=1, posts=2, letters=50, library="json.loads", ours=0.006, bare=0.001)
    rows = table([met, replace(met, ours=0.007)]).splitlines()
    assert rows[2].endswith("| 6.0 | 6 |")
    assert rows[3].endswith("| 7.0 | 6, missed |")


def test_recorded_answers_are_taken_where_they_hold_posts(tmp_path: Path) -> None:
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds/one.xml").write_bytes(page_of("feed"))
    (tmp_path / "feeds/two.xml").write_text("<html>" + "nothing here " * 500)
    (tmp_path / "feeds/one.xml.meta.json").write_text("{}")
    assert recorded(tmp_path, "feed") == [page_of("feed")]
    assert recorded(tmp_path, "reddit") == []


def test_the_command_prints_figures_and_refuses_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "parse", "reddit", "--rounds", "1", "--json"]) == 0
    (figure,) = json.loads(capsys.readouterr().out)
    assert (figure["kind"], figure["goal"]) == ("reddit", 6.0)
    assert cli.run(["bench", "parse", "telepathy"]) == 2
    assert "there is no kind 'telepathy'" in capsys.readouterr().err
