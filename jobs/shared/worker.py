"""A worker among many: takes jobs from the queue on PostgreSQL, and schedules while no other does."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker as Taker

from claimwatch.errors import StoreError
from jobs.shared.manager import PatientManager
from jobs.shared.pace import Backoff, Pace
from jobs.shared.scheduler import Scheduler, paused
from jobs.shared.schema import prepare
from jobs.shared.tasks import HEAVY, LIGHT, Doing, add_tasks
from jobs.work import Work

_log = logging.getLogger(__name__)
#: Crawls of one worker at once; they wait for others most of the time.
CRAWLS = 8
#: Seconds between looks whether the worker itself still runs.
_LOOK = 0.5
#: procrastinate's own beats stop while a worker ends; ours do not. Nobody asks it to abort jobs.
_NEVER = 1e9


@dataclass(slots=True)
class SharedWorker:
    """One process's share of the work of a desk whose ledger is on PostgreSQL."""

    work: Work
    conninfo: str
    pace: Pace = field(default_factory=Pace)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="heavy"))

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; crawls end at a page, other jobs finish or are given back."""
        from crawlers.crawl import event_loop, stop_crawls

        loop, ends = event_loop(), asyncio.Event()
        running = asyncio.run_coroutine_threadsafe(self._run(ends), loop)
        while not stop.wait(_LOOK) and not running.done():
            pass
        self.work.stopping.set()
        loop.call_soon_threadsafe(ends.set)
        asyncio.run_coroutine_threadsafe(stop_crawls(), loop)
        try:
            running.result(timeout=self.pace.grace)
        except TimeoutError:
            _log.warning("ends in the middle of a job; another worker does it again in %.0f s", self.pace.dead)
        self.pool.shutdown(wait=True)

    async def _run(self, ends: asyncio.Event) -> None:
        app = await self._open(ends)
        if app is None:
            return
        try:
            scheduler = Scheduler(app, self.conninfo, self.work, self.pace, ends)
            async with asyncio.TaskGroup() as together:
                together.create_task(self._take(app, LIGHT, CRAWLS, ends))
                together.create_task(self._take(app, HEAVY, 1, ends))
                together.create_task(scheduler.run())
        finally:
            await app.close_async()

    async def _open(self, ends: asyncio.Event) -> App | None:
        """The app on a queue that is ready; waits for the database, None where it was told to end meanwhile."""
        app = queue_app(self.conninfo, self.work)
        add_tasks(app, Doing(self.work, self.pool))
        failures = 0
        while not ends.is_set():
            try:
                await asyncio.to_thread(prepare, self.conninfo)
                await app.open_async()
                return app
            except StoreError as error:
                _log.warning("%s", error)
            await paused(ends, Backoff().after(failures))
            failures += 1
        return None

    async def _take(self, app: App, queue: str, at_once: int, ends: asyncio.Event) -> None:
        """Take jobs of one queue, again after every loss of the database."""
        failures = 0
        while not ends.is_set():
            taker = self._taker(app, queue, at_once)
            minding = asyncio.create_task(self._mind(app, taker, ends))
            try:
                await taker.run()  # type: ignore[no-untyped-call]
                failures = 0
            except ConnectorException as error:
                _log.warning("no %s jobs until the database answers: %s", queue, error.__cause__ or error)
                failures += 1
            finally:
                minding.cancel()
            await paused(ends, Backoff().after(failures))

    def _taker(self, app: App, queue: str, at_once: int) -> Taker:
        return Taker(
            app,
            queues=[queue],
            name=queue,
            concurrency=at_once,
            fetch_job_polling_interval=self.pace.poll,
            abort_job_polling_interval=_NEVER,
            listen_notify=False,
            install_signal_handlers=False,
            update_heartbeat_interval=_NEVER,
            stalled_worker_timeout=self.pace.dead,
        )

    async def _mind(self, app: App, taker: Taker, ends: asyncio.Event) -> None:
        """Signs of life as long as the taker has jobs, which may be long after it was told to take no more."""
        while True:
            if ends.is_set():
                taker.stop()  # type: ignore[no-untyped-call]
                await asyncio.sleep(self.pace.beat)
            else:
                await paused(ends, self.pace.beat)
            if taker.worker_id is not None:
                with suppress(ConnectorException):
                    await app.job_manager.update_heartbeat(taker.worker_id)


def queue_app(conninfo: str, work: Work) -> App:
    """An app on the queue; it has no tasks yet."""
    # The pool's own tries come ever more rarely: it gives up soon, and whoever asks next makes it try anew.
    connector = PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4, timeout=10.0, reconnect_timeout=5.0)
    app = App(connector=connector)
    app.job_manager = PatientManager(connector, work.stopping.is_set)
    return app
