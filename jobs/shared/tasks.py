"""The jobs that workers take from the queue, each a piece of `Work`, and how each is put there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from procrastinate import App, BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job

from claimwatch.errors import StoreError
from jobs.work import StoppedError, Work

_log = logging.getLogger(__name__)
#: Queues: what mostly waits for others, many at once, and what needs the processor, one at a time in each worker.
LIGHT, HEAVY = "light", "heavy"
#: Classify jobs share out the 256 slots, so many to a job: eight workers can take part.
_SLOTS = 32
SLICES = tuple(range(start, start + _SLOTS) for start in range(0, 256, _SLOTS))
#: Seconds until a job is tried again that another holder's lease keeps out, or jobs that go before it.
_LEASED, _BEFORE = 15.0, 2.0
#: Seconds until a job is tried again that lost a store; more with each try, up to the second.
_LOST, _LONGEST = 5.0, 300.0


class NotYetError(Exception):
    """A job whose time has not come; it waits in the queue again."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not yet: again in {seconds:.0f} s")
        self.seconds = seconds


class _Again(BaseRetryStrategy):
    """What was left off or could not reach a store is done again; what failed by itself waits for its next time."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to do it again; None: not before the scheduler asks for it."""
        if isinstance(exception, StoppedError | asyncio.CancelledError):
            return _in_seconds(0)
        if isinstance(exception, NotYetError):
            return _in_seconds(exception.seconds)
        if isinstance(exception, StoreError | ConnectorException):
            return _in_seconds(min(_LONGEST, _LOST * (1 + job.attempts)))
        return None


def _in_seconds(seconds: float) -> RetryDecision:
    return RetryDecision(retry_at=datetime.now(UTC) + timedelta(seconds=seconds))


async def put(app: App, task: str, *, lock: str = "", **arguments: Any) -> bool:
    """Put a job into the queue; False where the same one waits there already, so that the queue never grows.

    Of jobs with one `lock` (default: the task) and arguments one runs at a time, on whatever machine.
    """
    key = ":".join([task, *map(str, arguments.values())])
    try:
        await app.configure_task(task, lock=lock or key, queueing_lock=key).defer_async(**arguments)
    except AlreadyEnqueued:
        return False
    return True


async def put_crawl(app: App, source: str) -> None:
    """A crawl of one source; two crawls of it never run at once."""
    await put(app, "crawl", lock=f"source:{source}", source=source)


async def put_classify(app: App) -> None:
    """A pass over all new posts; each slice, once assessed, has them grouped."""
    await put(app, "match")
    for slots in SLICES:
        await put(app, "classify", start=slots.start, stop=slots.stop)


@dataclass(frozen=True, slots=True)
class Doing:
    """Runs pieces of work for the queue: in the loop, in a thread, or in the pool for what is heavy."""

    work: Work
    pool: ThreadPoolExecutor

    async def heavy(self, name: str, piece: Callable[[], None]) -> None:
        """One at a time in this process."""
        loop = asyncio.get_running_loop()
        await self.guarded(name, lambda: loop.run_in_executor(self.pool, piece))

    async def light(self, name: str, piece: Callable[[], None]) -> None:
        """Beside whatever else runs."""
        await self.guarded(name, lambda: asyncio.to_thread(piece))

    async def guarded(self, name: str, piece: Callable[[], Awaitable[Any]]) -> Any:
        """Record a failure and hand it on to the queue, which knows whether to try again."""
        if self.work.stopping.is_set():
            raise StoppedError
        try:
            return await piece()
        except (StoppedError, NotYetError):
            raise
        except (StoreError, ConnectorException) as error:
            _log.warning("%s is done again later: %s", name, error)
            raise
        except Exception as error:
            with suppress(StoreError):
                self.work.note_failure(name, error)
            raise


def add_tasks(app: App, doing: Doing) -> None:
    """Teach an app the tasks. All are idempotent: a job may run again after a kill."""
    work, again = doing.work, _Again()
    simple: dict[str, tuple[str, Callable[[], None]]] = {
        "match": (HEAVY, work.match),
        "rescore": (HEAVY, work.rescore),
        "purge": (HEAVY, work.purge),
        "report": (HEAVY, work.report),
        "project": (LIGHT, work.project),
    }
    for name, (queue, piece) in simple.items():
        app.task(name=name, queue=queue, retry=again)(_simple(doing, name, queue, piece))

    @app.task(name="crawl", queue=LIGHT, retry=again)
    async def crawl(source: str) -> None:
        from crawlers.crawl import BUSY

        done = await doing.guarded("crawl", lambda: work.crawl(source))
        if done.failure == BUSY:  # by hand, or a killed worker's lease that has not run out
            raise NotYetError(_LEASED)

    @app.task(name="recheck", queue=LIGHT, retry=again)
    async def recheck() -> None:
        await doing.guarded("recheck", work.recheck)

    @app.task(name="classify", queue=HEAVY, retry=again)
    async def classify(start: int, stop: int) -> None:
        await doing.heavy("classify", lambda: work.assess(range(start, stop)))
        await put(app, "group", lock="cards")

    @app.task(name="group", queue=HEAVY, retry=again, pass_context=True)
    async def group(context: JobContext) -> None:
        if await _goes_before(app, context.job):
            raise NotYetError(_BEFORE)
        await doing.heavy("group", work.group)


def _simple(doing: Doing, name: str, queue: str, piece: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    async def task() -> None:
        await (doing.heavy if queue == HEAVY else doing.light)(name, piece)

    return task


async def _goes_before(app: App, job: Job) -> bool:
    """Whether classify jobs that were asked for earlier are not done: grouping goes by the order of posts."""
    assert job.id is not None
    for status in ("todo", "doing"):
        others = await app.job_manager.list_jobs_async(task="classify", status=status)
        if any(other.id is not None and other.id < job.id for other in others):
            return True
    return False
