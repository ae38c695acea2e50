"""One scheduler at a time: who holds an advisory lock puts jobs into the queue; another takes over when it dies."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from claimwatch.errors import StoreError
from claimwatch.ledger import decisions
from jobs.shared.manager import is_lost
from jobs.shared.pace import Pace
from jobs.shared.schema import SCHEDULING
from jobs.shared.tasks import put, put_classify, put_crawl
from jobs.timetable import Tasks, Timetable
from jobs.work import Work

if TYPE_CHECKING:
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

_log = logging.getLogger(__name__)
#: Seconds until a held connection that does not answer counts as lost.
_ANSWER = 10.0
#: Hours that jobs are kept once they have ended.
_KEPT = 24


@dataclass(slots=True)
class Scheduler:
    """Waits for the lock, schedules while it holds it, and stops the moment it cannot be sure of that."""

    app: App
    conninfo: str
    work: Work
    pace: Pace
    stop: asyncio.Event
    acting: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Until `stop`; a lost database is waited for."""
        while not self.stop.is_set():
            try:
                await self._wait_and_hold()
            except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
                _log.warning("no scheduler here until the database answers: %s", str(error).split("\n", 1)[0])
            await paused(self.stop, self.pace.look)

    async def _wait_and_hold(self) -> None:
        async with await psycopg.AsyncConnection.connect(self.conninfo, autocommit=True) as held:
            while not self.stop.is_set():
                answer = await asyncio.wait_for(held.execute("SELECT pg_try_advisory_lock(%s)", [SCHEDULING]), _ANSWER)
                row = await answer.fetchone()
                if row and row[0]:
                    await self._hold(held)
                await paused(self.stop, self.pace.look)

    async def _hold(self, held: psycopg.AsyncConnection) -> None:
        _log.info("this worker schedules now")
        timetable = await self._start()
        try:
            while not await paused(self.stop, self.pace.look):
                await asyncio.wait_for(held.execute("SELECT 1"), _ANSWER)
        finally:
            timetable.pause()
            if self.acting:  # shutting down would cancel them
                await asyncio.wait(self.acting, timeout=_ANSWER + self.pace.look)
            timetable.shutdown(wait=False)
            _log.info("this worker schedules no longer")

    async def _start(self) -> AsyncIOScheduler:
        app = self.app

        tasks = Tasks(
            crawl=self._crawl,
            project=self._acts(self._put_project),
            classify=self._acts(lambda: put_classify(app)),
            rescore=self._acts(lambda: put(app, "rescore", lock="cards")),
            purge=self._acts(lambda: put(app, "purge")),
            recheck=self._acts(lambda: put(app, "recheck")),
            report=self._acts(lambda: put(app, "report")),
        )
        timetable = await Timetable(self.work.desk, tasks, resumes=True).start()
        timetable.add_job(self._acts(self._give_back_lost), "interval", seconds=self.pace.look)
        timetable.add_job(self._acts(self._clear), "interval", hours=1, jitter=60)
        timetable.add_job(self._acts(self._put_late_report))
        return timetable

    async def _crawl(self, source: str) -> None:
        await self._act(lambda: put_crawl(self.app, source))

    def _acts(self, action: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        async def task() -> None:
            await self._act(action)

        return task

    async def _act(self, action: Callable[[], Awaitable[object]]) -> None:
        """A lost database costs one line; the next turn of the schedule makes up for it."""
        task = asyncio.ensure_future(_quietly(action))
        self.acting.add(task)
        task.add_done_callback(self.acting.discard)
        await task

    async def _put_project(self) -> None:
        if await asyncio.to_thread(self._has_waiting):
            await put(self.app, "project")

    def _has_waiting(self) -> bool:
        with self.work.desk.ledger.read() as db:
            return bool(decisions.waiting(db))

    async def _put_late_report(self) -> None:
        if await asyncio.to_thread(self.work.report_is_due):
            await put(self.app, "report")

    async def _give_back_lost(self) -> None:
        """Put the jobs of workers that gave no sign of life back into the queue."""
        manager = self.app.job_manager
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=self.pace.dead):
            _log.warning("job %s %s lost its worker: it is done again", job.id, job.task_name)
            await manager.retry_job(job)

    async def _clear(self) -> None:
        await self.app.job_manager.delete_old_jobs(
            _KEPT, include_failed=True, include_cancelled=True, include_aborted=True
        )


async def _quietly(action: Callable[[], Awaitable[object]]) -> None:
    try:
        await action()
    except StoreError as error:
        _log.warning("not scheduled: %s", error)
    except ConnectorException as error:
        if not is_lost(error):
            raise
        _log.warning("not scheduled: the database does not answer")


async def paused(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long or until `stop`; whether it was `stop`."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
