"""The pieces of work, and what they ask of the machine and the calendar."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import at

from claimwatch.desk import Desk
from claimwatch.ledger import reports, runs
from claimwatch.settings import Classify, Places, Settings
from jobs.lock import seat
from jobs.work import StoppedError, Work

#: Monday 7:00 in Ho Chi Minh City, the hour of the report.
HOUR = datetime(2026, 11, 16, 0, 0, tzinfo=UTC)


def work_of(desk: Desk, folder: Path, neighbours: Callable[[], int] = lambda: 1) -> Work:
    return Work(desk, Places(config=folder, data=folder, cache=folder, keys=folder), neighbours=neighbours)


def test_seats_are_counted_and_given_back(tmp_path: Path) -> None:
    with seat(tmp_path) as first:
        with seat(tmp_path) as second:
            assert (first(), second()) == (2, 2)
        assert first() == 1
        with seat(tmp_path) as third:
            assert third() == 2
    assert len(list(tmp_path.glob("worker-*.lock"))) == 2


@pytest.mark.parametrize(("workers", "given", "expected"), [(1, None, None), (2, None, 2), (9, None, 1), (2, 3, 3)])
def test_workers_share_the_cores(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, given: int | None, expected: int | None
) -> None:
    chosen: list[Settings] = []

    def ready(_: Places, settings: Settings) -> str:
        chosen.append(settings)
        return "model"

    monkeypatch.setattr("jobs.work.ready_model", ready)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)))
    desk = replace(desk, settings=Settings(classify=Classify(threads=given)))
    work = work_of(desk, tmp_path, lambda: workers)
    work._ready()
    work._ready()
    assert [settings.classify.threads for settings in chosen] == [expected]


@pytest.mark.parametrize(
    ("now", "worked", "due"),
    [
        (HOUR.replace(hour=1), True, True),
        (HOUR.replace(day=18), True, True),
        (HOUR.replace(day=15, hour=23), True, False),
        (HOUR.replace(hour=1), False, False),
    ],
    ids=["an hour late", "two days late", "an hour early", "the desk is new"],
)
def test_a_report_is_due_once_its_hour_is_past(
    desk: Desk, tmp_path: Path, now: datetime, worked: bool, due: bool
) -> None:
    if worked:
        with desk.ledger.write() as db:
            for day in (8, 15):
                runs.start(db, "crawl", HOUR.replace(day=day, hour=20))
            reports.publish(db, "2026-W45", digest="x", body={}, now=HOUR.replace(day=9))
    assert work_of(at(desk, now), tmp_path).report_is_due() is due
    with desk.ledger.write() as db:
        reports.publish(db, "2026-W46", digest="x", body={}, now=now)
    assert not work_of(at(desk, now), tmp_path).report_is_due()


def test_work_told_to_stop_does_not_begin(desk: Desk, tmp_path: Path) -> None:
    work = work_of(desk, tmp_path)
    work.stopping.set()
    for piece in (work.classify, work.match, work.group, work.rescore, work.purge, lambda: work.assess(range(8))):
        with pytest.raises(StoppedError):
            piece()
