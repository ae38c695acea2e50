"""The worker of a desk on one machine: timetable and Scrapy in one event loop, heavy jobs in a thread beside it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from claimwatch.desk import Desk
from claimwatch.settings import Places
from jobs.timetable import Tasks, Timetable
from jobs.work import StoppedError, Work

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

_log = logging.getLogger(__name__)
#: Seconds that ended jobs get to be taken off the scheduler's hands.
_SETTLE = 0.2


@dataclass(slots=True)
class Worker:
    """Everything that happens by itself at one desk."""

    desk: Desk
    where: Places
    work: Work = field(init=False)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="heavy"))

    def __post_init__(self) -> None:
        self.work = Work(self.desk, self.where)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what runs then is ended at a page, nothing acknowledged is lost."""
        from crawlers.crawl import event_loop, stop_crawls

        loop = event_loop()
        scheduler = asyncio.run_coroutine_threadsafe(self._start(), loop).result()
        stop.wait()
        self.work.stopping.set()
        # The scheduler last: shutting it down cancels what runs, in the middle of a page (CRAWLING.md 0.2).
        loop.call_soon_threadsafe(scheduler.pause)
        asyncio.run_coroutine_threadsafe(stop_crawls(), loop).result(timeout=30)
        self.pool.shutdown(wait=True)
        asyncio.run_coroutine_threadsafe(self._end(scheduler), loop).result(timeout=10)

    async def _start(self) -> AsyncIOScheduler:
        work = self.work
        tasks = Tasks(
            crawl=self._crawl,
            project=self._heavy("project", work.project),
            classify=self._heavy("classify", work.classify),
            rescore=self._heavy("rescore", work.rescore),
            purge=self._heavy("purge", work.purge),
            recheck=self._recheck,
            report=self._heavy("report", work.report),
        )
        return await Timetable(self.desk, tasks).start()

    async def _end(self, scheduler: AsyncIOScheduler) -> None:
        """Shut the scheduler down once the jobs that just ended have told it so."""
        await asyncio.sleep(_SETTLE)
        scheduler.shutdown(wait=False)

    async def _crawl(self, name: str) -> None:
        await self._guarded(f"crawl of {name}", lambda: self.work.crawl(name))

    async def _recheck(self) -> None:
        await self._guarded("recheck", self.work.recheck)

    def _heavy(self, name: str, work: Callable[[], None]) -> Callable[[], Awaitable[None]]:
        """A job that runs in the pool, one at a time."""

        async def in_pool() -> None:
            await asyncio.get_running_loop().run_in_executor(self.pool, work)

        async def job() -> None:
            if not self.work.stopping.is_set():
                await self._guarded(name, in_pool)

        return job

    async def _guarded(self, name: str, work: Callable[[], Awaitable[Any]]) -> None:
        """The one place that catches everything: a failed job is logged, recorded, and the worker goes on."""
        try:
            await work()
        except StoppedError:
            _log.info("%s left off; it goes on at the next start", name)
        except Exception as error:  # noqa: BLE001  whatever it is, the other jobs must go on
            _log.exception("%s failed", name)
            self.work.note_failure(name.split(" ", 1)[0], error)
