"""The queue's rules: it never grows, a job comes back after what was not its fault, and one stands for two."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import psycopg  # noqa: TID253  what it tests
import pytest
from procrastinate import App  # noqa: TID253  what it tests
from procrastinate.exceptions import ConnectorException  # noqa: TID253  what it tests
from procrastinate.jobs import Job, Status  # noqa: TID253  what it tests

from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import runs
from claimwatch.settings import Places
from jobs.shared.manager import is_lost
from jobs.shared.schema import connection_to, prepare
from jobs.shared.tasks import Doing, NotYetError, add_tasks, put, put_classify, put_crawl
from jobs.shared.worker import queue_app
from jobs.work import StoppedError, Work

pytestmark = pytest.mark.servers


def worker_of(desk: Desk, folder: Path) -> Work:
    return Work(desk, Places(config=folder, data=folder, cache=folder, keys=folder))


def in_queue(address: str, work: Work, act: Callable[[App], Awaitable[None]]) -> None:
    """Do it with an app that knows the tasks."""

    async def opened() -> None:
        app = queue_app(connection_to(address, ""), work)
        with ThreadPoolExecutor(1) as pool:
            add_tasks(app, Doing(work, pool))
            async with app.open_async():
                await act(app)

    prepare(connection_to(address, ""))
    asyncio.run(opened())


async def fetched(app: App) -> Job:
    worker = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(None, worker)
    assert job is not None
    return job


async def states(app: App, task: str) -> list[str | None]:
    return [job.status for job in await app.job_manager.list_jobs_async(task=task)]


def test_the_same_job_waits_once(postgres_database: str, desk: Desk, tmp_path: Path) -> None:
    async def act(app: App) -> None:
        for _ in range(3):
            await put_classify(app)
            await put_crawl(app, "village")
        await put_crawl(app, "town")
        assert await states(app, "classify") == ["todo"] * 8
        assert await states(app, "match") == ["todo"]
        assert await states(app, "crawl") == ["todo"] * 2

    in_queue(postgres_database, worker_of(desk, tmp_path), act)


def test_the_slices_cover_every_slot_once(postgres_database: str, desk: Desk, tmp_path: Path) -> None:
    async def act(app: App) -> None:
        await put_classify(app)
        jobs = await app.job_manager.list_jobs_async(task="classify")
        covered = [range(*sorted(int(str(slot)) for slot in job.task_kwargs.values())) for job in jobs]
        assert sorted(slot for slots in covered for slot in slots) == list(range(256))

    in_queue(postgres_database, worker_of(desk, tmp_path), act)


def test_a_job_given_back_while_the_same_waits_leaves_one(postgres_database: str, desk: Desk, tmp_path: Path) -> None:
    async def act(app: App) -> None:
        await put(app, "purge")
        lost = await fetched(app)
        await put(app, "purge")
        await app.job_manager.retry_job(lost)
        assert sorted(map(str, await states(app, "purge"))) == ["aborted", "todo"]

    in_queue(postgres_database, worker_of(desk, tmp_path), act)


def test_a_job_that_another_worker_ended_is_not_told_twice(postgres_database: str, desk: Desk, tmp_path: Path) -> None:
    async def act(app: App) -> None:
        await put(app, "purge")
        job = await fetched(app)
        for _ in range(2):
            await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=False)
        assert await states(app, "purge") == ["succeeded"]

    in_queue(postgres_database, worker_of(desk, tmp_path), act)


def test_grouping_waits_for_the_slices_before_it_and_no_others(
    postgres_database: str, desk: Desk, tmp_path: Path
) -> None:
    done = []

    class Grouping(Work):
        def group(self) -> None:
            done.append(True)

    async def act(app: App) -> None:
        await put(app, "classify", start=0, stop=32)
        await put(app, "group", lock="cards")
        await put(app, "classify", start=32, stop=64)
        slice_, group = await fetched(app), await fetched(app)
        assert (slice_.task_name, group.task_name) == ("classify", "group")
        task = app.tasks["group"]
        context = _Context(group)
        with pytest.raises(NotYetError):
            await task.func(context)
        assert done == []
        await app.job_manager.finish_job(slice_, Status.SUCCEEDED, delete_job=False)
        await task.func(context)
        assert done == [True]

    places = worker_of(desk, tmp_path).where
    in_queue(postgres_database, Grouping(desk, places), act)


class _Context:
    """What the task reads of procrastinate's context."""

    def __init__(self, job: Job) -> None:
        self.job = job


def test_what_was_not_its_fault_is_done_again(postgres_database: str, desk: Desk, tmp_path: Path) -> None:
    async def act(app: App) -> None:
        job = Job(id=1, queue="heavy", lock=None, queueing_lock=None, task_name="purge", attempts=2)
        again = app.tasks["purge"].retry_strategy
        assert again is not None
        waits = []
        for error in (StoppedError(), asyncio.CancelledError(), NotYetError(40), StoreError("gone")):
            decision = again.get_retry_decision(exception=error, job=job)
            assert decision is not None
            assert decision.retry_at is not None
            waits.append(round((decision.retry_at - datetime.now(UTC)).total_seconds()))
        assert waits == [0, 0, 40, 15]
        assert again.get_retry_decision(exception=ValueError(), job=job) is None

    in_queue(postgres_database, worker_of(desk, tmp_path), act)


def test_a_failure_is_recorded_and_handed_on(desk: Desk, tmp_path: Path) -> None:
    work = worker_of(desk, tmp_path)

    def fail() -> None:
        raise ValueError("odd")

    with ThreadPoolExecutor(1) as pool:
        doing = Doing(work, pool)
        with pytest.raises(ValueError, match="odd"):
            asyncio.run(doing.heavy("purge", fail))
        work.stopping.set()
        with pytest.raises(StoppedError):
            asyncio.run(doing.light("project", fail))
    with desk.ledger.read() as db:
        (run,) = runs.recent(db)
    assert (run.stage, run.status, run.message) == ("purge", "failed", "ValueError: odd")


def test_a_lost_database_is_told_from_a_refusal() -> None:
    lost, refused = ConnectorException(), ConnectorException()
    lost.__cause__, refused.__cause__ = psycopg.OperationalError(), psycopg.errors.RaiseException()
    assert is_lost(lost)
    assert is_lost(psycopg.InterfaceError())
    assert not is_lost(refused)
    assert not is_lost(ConfigError("x"))
