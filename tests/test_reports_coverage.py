"""What the weekly report says of sources that were silent, failing or left alone when the week ended."""

from datetime import timedelta

from conftest import at

from claimwatch.desk import Desk
from claimwatch.ledger import runs, sources
from claimwatch.records import Source
from reports.numbers import body_of
from reports.render import render_inner
from reports.weekly import week_bounds, week_numbers

WEEK = "2026-W46"


def crawl(desk: Desk, source: str, hours_before: float, *, status: str = "done", stored: int = 0) -> None:
    _, end = week_bounds(WEEK, desk.settings.zone)
    began = end - timedelta(hours=hours_before)
    with desk.ledger.write() as db:
        run = runs.start(db, "crawl", began, source=source)
        runs.count(db, run, {"stored": stored} if stored else {})
        runs.finish(db, run, began, status=status)
        sources.tried(db, source, began, succeeded=status == "done")


def listed(desk: Desk, *found: Source) -> None:
    with desk.ledger.write() as db:
        sources.seed(db, found)


def feed(name: str, **changes: int) -> Source:
    return Source(name=name, kind="feed", settings={}, **changes)  # type: ignore[arg-type]  # numbers alone


def test_the_report_says_which_sources_had_gone_wrong_when_the_week_ended(desk: Desk) -> None:
    listed(desk, feed("fails"), feed("fine"), feed("idle"), feed("new"), feed("still", expected_per_week=700))
    for hours in range(24 * 9, 0, -1):
        crawl(desk, "still", hours)
        crawl(desk, "fine", hours, stored=2)
        crawl(desk, "fails", hours, status="done" if hours > 8 else "failed")
        if hours > 12:
            crawl(desk, "idle", hours, stored=2)
    _, end = week_bounds(WEEK, desk.settings.zone)
    later = at(desk, end + timedelta(hours=7))
    with desk.ledger.write() as db:  # since then all is well again
        for name in ("fails", "idle", "still"):
            run = runs.start(db, "crawl", later.now(), source=name)
            runs.finish(db, run, later.now())
            sources.tried(db, name, later.now(), succeeded=True)
    numbers = week_numbers(later, WEEK)
    told = numbers.context.sources
    assert {name: one.notice for name, one in told.items()} == {
        "fails": "failing",
        "fine": "",
        "idle": "not_crawled",
        "new": "",
        "still": "silent",
    }
    assert told["still"].silent == (0, 168, 700)
    english = render_inner(body_of(numbers, version=1), "en")
    assert "3 sources were silent, failing or not crawled when the week ended: fails, idle, still." in english
    assert "0 new posts in 168 hours, about 700 were to be expected" in english
    vietnamese = render_inner(body_of(numbers, version=1), "vi")
    assert "im lặng vào cuối tuần" in vietnamese
    assert "đang lỗi vào cuối tuần" in vietnamese
    assert "không được thu thập vào cuối tuần" in vietnamese


def test_a_report_of_an_older_version_is_still_shown(desk: Desk) -> None:
    listed(desk, feed("fine"))
    body = body_of(week_numbers(desk, WEEK), version=1)
    for known in body["context"]["sources"].values():
        del known["notice"], known["silent"]
    assert "fine" in render_inner(body, "en")
