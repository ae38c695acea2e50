"""When what is done: the one table that a worker alone and the scheduler of many both follow."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from claimwatch import metrics
from claimwatch.desk import Desk
from claimwatch.errors import StoreError
from claimwatch.ledger import sources
from claimwatch.records import Source

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

_log = logging.getLogger(__name__)
#: Seconds between looks at the outbox; the pages project at once, this is for what a kill left.
_PROJECT = 5
#: Seconds between looks for sources that were added, changed or paused.
_SYNC = 30

#: The hour of the night from which posts that matter are looked up at their sources.
_RECHECK = 2

Task = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """What to call when its time has come: to do it here, or to put it in the queue of many."""

    crawl: Callable[[str], Awaitable[None]]
    project: Task
    classify: Task
    rescore: Task
    purge: Task
    recheck: Task
    report: Task


@dataclass(slots=True)
class Timetable:
    """The schedule of one desk. Everything is called in the event loop that starts it."""

    desk: Desk
    tasks: Tasks
    resumes: bool = False  #: a source tried within its interval waits for the rest of it; else all are asked at once
    scheduled: dict[str, Source] = field(default_factory=dict)

    async def start(self) -> AsyncIOScheduler:
        """The running scheduler, with a first pass of crawls and classify begun."""
        from apscheduler.events import EVENT_SCHEDULER_PAUSED, EVENT_SCHEDULER_SHUTDOWN, EVENT_SCHEDULER_STARTED
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        when, tasks = self.desk.settings.schedule, self.tasks
        # However late a busy or sleeping machine comes to it, a task is done, and done once.
        patient = {"coalesce": True, "misfire_grace_time": None}
        scheduler = AsyncIOScheduler(timezone=self.desk.settings.desk.timezone, job_defaults=patient)
        scheduler.add_job(tasks.project, "interval", seconds=_PROJECT)
        scheduler.add_job(tasks.classify, "interval", minutes=when.classify, jitter=10)
        scheduler.add_job(tasks.rescore, "interval", minutes=when.rescore)
        scheduler.add_job(tasks.purge, "interval", minutes=when.purge, jitter=60)
        scheduler.add_job(tasks.recheck, "cron", hour=_RECHECK, jitter=3600)
        scheduler.add_job(tasks.report, "cron", day_of_week=when.report_day, hour=when.report_hour)
        scheduler.add_job(self._sync, "interval", seconds=_SYNC, args=[scheduler])
        told = EVENT_SCHEDULER_STARTED | EVENT_SCHEDULER_PAUSED | EVENT_SCHEDULER_SHUTDOWN
        scheduler.add_listener(lambda event: metrics.LEADER.set(event.code == EVENT_SCHEDULER_STARTED), told)
        scheduler.start()
        await self._sync(scheduler)
        scheduler.add_job(tasks.classify)
        return scheduler

    async def _sync(self, scheduler: AsyncIOScheduler) -> None:
        """Schedule what sources the ledger has now, each with jitter, so that hosts are not asked on the minute."""
        try:
            with self.desk.ledger.read() as db:
                wanted = {source.name: source for source in sources.every(db) if source.enabled}
        except StoreError as error:
            _log.warning("sources stay scheduled as they were: %s", error)
            return
        for name in self.scheduled.keys() - wanted.keys():
            scheduler.remove_job(f"crawl:{name}")
            del self.scheduled[name]
        for name, source in wanted.items():
            known = self.scheduled.get(name)
            if known is None or known.every != source.every:
                rest = self._rest(source)
                scheduler.add_job(
                    self.tasks.crawl,
                    "interval",
                    args=[name],
                    id=f"crawl:{name}",
                    minutes=source.every,
                    start_date=rest,
                    jitter=min(60, source.every * 6),
                    replace_existing=True,
                )
                if known is None and rest is None:
                    scheduler.add_job(self.tasks.crawl, args=[name])
            self.scheduled[name] = source
        self._crawl_asked(scheduler)

    def _crawl_asked(self, scheduler: AsyncIOScheduler) -> None:
        """Begin the crawls that somebody wished for on the pages."""
        try:
            with self.desk.ledger.read() as db:
                asked = list(sources.asked(db))
            if asked:
                with self.desk.ledger.write() as db:
                    sources.take_asked(db, asked)
        except StoreError as error:
            _log.warning("crawls that were asked for wait: %s", error)
            return
        for name in asked:
            scheduler.add_job(self.tasks.crawl, args=[name])

    def _rest(self, source: Source) -> datetime | None:
        """When the interval of a source that was tried lately ends; None where it may be asked now."""
        if not self.resumes or source.last_try is None:
            return None
        ends = source.last_try + timedelta(minutes=source.every)
        return ends if ends > self.desk.now() else None
