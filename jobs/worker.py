"""The worker: APScheduler and Scrapy in one event loop, classify, report and purge in a thread beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimwatch.clock import week_before, week_of
from claimwatch.desk import Desk
from claimwatch.ledger import runs, sources
from claimwatch.projector import project_decisions
from claimwatch.records import Source
from claimwatch.settings import Places
from jobs.assess import assess_new_posts, ready_model
from jobs.purge import purge

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    from classifier.model import Model

_log = logging.getLogger(__name__)
#: Seconds between looks at the outbox; the pages project at once, this is for what a kill left.
_PROJECT = 5
#: Seconds between looks for sources that were added, changed or paused.
_SYNC = 30
#: Seconds that ended jobs get to be taken off the scheduler's hands.
_SETTLE = 0.2


class _StoppedError(Exception):
    """The worker was told to end: a job left off after a page."""


@dataclass(slots=True)
class Worker:
    """Everything that happens by itself at one desk."""

    desk: Desk
    where: Places
    model: Model | None = None
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="heavy"))
    scheduled: dict[str, Source] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what runs then is ended at a page, nothing acknowledged is lost."""
        from crawlers.crawl import event_loop, stop_crawls

        loop = event_loop()
        scheduler = asyncio.run_coroutine_threadsafe(self._start(), loop).result()
        stop.wait()
        self.stopping.set()
        # The scheduler last: shutting it down cancels what runs, in the middle of a page (CRAWLING.md 0.2).
        loop.call_soon_threadsafe(scheduler.pause)
        asyncio.run_coroutine_threadsafe(stop_crawls(), loop).result(timeout=30)
        self.pool.shutdown(wait=True)
        asyncio.run_coroutine_threadsafe(self._end(scheduler), loop).result(timeout=10)

    async def _start(self) -> AsyncIOScheduler:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        when = self.desk.settings.schedule
        scheduler = AsyncIOScheduler(timezone=self.desk.settings.desk.timezone, job_defaults={"coalesce": True})
        scheduler.add_job(self._heavy("project", self._project), "interval", seconds=_PROJECT)
        scheduler.add_job(self._heavy("classify", self._classify), "interval", minutes=when.classify, jitter=10)
        scheduler.add_job(self._heavy("rescore", self._rescore), "interval", minutes=when.rescore)
        scheduler.add_job(self._heavy("purge", self._purge), "interval", minutes=when.purge, jitter=60)
        report = self._heavy("report", self._report)
        scheduler.add_job(report, "cron", day_of_week=when.report_day, hour=when.report_hour)
        scheduler.add_job(self._sync, "interval", seconds=_SYNC, args=[scheduler])
        scheduler.start()
        await self._sync(scheduler)
        scheduler.add_job(self._heavy("classify", self._classify))
        return scheduler

    async def _end(self, scheduler: AsyncIOScheduler) -> None:
        """Shut the scheduler down once the jobs that just ended have told it so."""
        await asyncio.sleep(_SETTLE)
        scheduler.shutdown(wait=False)

    async def _sync(self, scheduler: AsyncIOScheduler) -> None:
        """Schedule what sources the ledger has now, each with jitter, so that hosts are not asked on the minute."""
        with self.desk.ledger.read() as db:
            wanted = {source.name: source for source in sources.every(db) if source.enabled}
        for name in self.scheduled.keys() - wanted.keys():
            scheduler.remove_job(f"crawl:{name}")
            del self.scheduled[name]
        for name, source in wanted.items():
            known = self.scheduled.get(name)
            if known is None or known.every != source.every:
                job, jitter = f"crawl:{name}", min(60, source.every * 6)
                scheduler.add_job(
                    self._crawl,
                    "interval",
                    args=[name],
                    id=job,
                    minutes=source.every,
                    jitter=jitter,
                    replace_existing=True,
                )
                if known is None:
                    scheduler.add_job(self._crawl, args=[name])
            self.scheduled[name] = source

    async def _crawl(self, name: str) -> None:
        from crawlers.crawl import crawl_source

        async def crawl() -> None:
            with self.desk.ledger.read() as db:
                source = sources.get(db, name)
            await crawl_source(self.desk, source)

        await self._guarded(f"crawl of {name}", crawl)

    def _heavy(self, name: str, work: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
        """A job that runs in the pool, one at a time."""

        async def in_pool() -> None:
            await asyncio.get_running_loop().run_in_executor(self.pool, work)

        async def job() -> None:
            if not self.stopping.is_set():
                await self._guarded(name, in_pool)

        return job

    async def _guarded(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """The one place that catches everything: a failed job is logged, recorded, and the worker goes on."""
        try:
            await work()
        except _StoppedError:
            _log.info("%s left off; it goes on at the next start", name)
        except Exception as error:  # noqa: BLE001  whatever it is, the other jobs must go on
            _log.exception("%s failed", name)
            with self.desk.ledger.write() as db:
                run = runs.start(db, name.split(" ", 1)[0], self.desk.now())
                runs.finish(db, run, self.desk.now(), status="failed", message=f"{type(error).__name__}: {error}"[:300])

    def _project(self) -> None:
        project_decisions(self.desk)

    def _go_on(self, _: int = 0) -> None:
        """Between two pages of a long job: whether to go on."""
        if self.stopping.is_set():
            raise _StoppedError

    def _classify(self) -> None:
        self._go_on()
        if self.model is None:
            self.model = ready_model(self.where, self.desk.settings)
        done = assess_new_posts(self.desk, self.model, self._go_on)
        _log.info("classified: %s", ", ".join(f"{name} {count}" for name, count in done.items()))

    def _rescore(self) -> None:
        from classifier.cards import rescore

        rescore(self.desk, self._go_on)

    def _purge(self) -> None:
        purge(self.desk, self._go_on)

    def _report(self) -> None:
        from reports.publish import publish_week

        today = self.desk.now().astimezone(self.desk.settings.zone).date()
        publish_week(self.desk, week_before(week_of(today)))
