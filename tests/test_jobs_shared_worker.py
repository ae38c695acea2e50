"""Work shared by real worker processes on a real PostgreSQL: nothing is lost, nothing is done by two at once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg  # noqa: TID253  what it tests
import pytest
from procrastinate import App, PsycopgConnector  # noqa: TID253  what it tests
from shared_work import TABLES

from claimwatch.ledger.base import Ledger
from jobs.shared.schema import SCHEDULING, SCHEMA, connection_to, prepare
from jobs.shared.tasks import SLICES, put, put_crawl

pytestmark = pytest.mark.servers
SCRIPT = Path(__file__).with_name("shared_work.py")


@dataclass
class Site:
    """One database with its workers."""

    address: str
    folder: Path
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.address, autocommit=True) as db:
            asked = db.execute(query.encode(), values)
            return asked.fetchall() if asked.description else []

    def work(self, count: int = 1) -> None:
        for _ in range(count):
            log = (self.folder / f"log{len(self.workers)}").open("wb")
            with log:
                command = [sys.executable, str(SCRIPT), self.address, str(self.folder)]
                environment = {**os.environ, "PYTHONPATH": str(SCRIPT.parent.parent)}
                self.workers.append(subprocess.Popen(command, stdout=log, stderr=log, env=environment))

    def said(self) -> str:
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("log*")))

    def close(self, piece: str) -> None:
        self.ask("INSERT INTO closed VALUES (%s)", piece)

    def open(self, piece: str) -> None:
        self.ask("DELETE FROM closed WHERE piece = %s", piece)

    def noted(self, piece: str) -> list[tuple[int, float, float | None]]:
        return self.ask("SELECT pid, began, ended FROM noted WHERE piece LIKE %s ORDER BY id", piece)

    def jobs(self, task: str, status: str) -> int:
        query = f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs WHERE task_name = %s AND status::text = %s"
        return int(self.ask(query, task, status)[0][0])

    def put(self, action: Callable[[App], Awaitable[Any]]) -> None:
        async def act() -> None:
            app = App(connector=PsycopgConnector(conninfo=connection_to(self.address, "")))
            for task, queue in (("crawl", "light"), ("purge", "heavy"), ("rescore", "heavy")):
                app.task(name=task, queue=queue)(_nothing)
            async with app.open_async():
                await action(app)

        asyncio.run(act())

    def scheduler(self) -> tuple[int, str] | None:
        """The backend that holds the lock and its worker."""
        rows = self.ask(
            "SELECT l.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "JOIN pg_database d ON d.oid = l.database WHERE l.locktype = 'advisory' AND l.granted "
            "AND (l.classid::bigint << 32) + l.objid::bigint = %s AND d.datname = current_database()",
            SCHEDULING,
        )
        return (rows[0][0], rows[0][1]) if rows else None

    def until(self, true: Callable[[], object], seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)


async def _nothing(**_: object) -> None:
    """Stands for a task that only workers know."""


@pytest.fixture
def site(postgres_database: str, tmp_path: Path) -> Iterator[Site]:
    Ledger.connect(postgres_database).close()
    prepare(connection_to(postgres_database, ""))
    one = Site(postgres_database, tmp_path)
    one.ask(TABLES)
    yield one
    for worker in one.workers:
        worker.kill()
        worker.wait()


@contextmanager
def outage(site: Site, server: str) -> Iterator[None]:
    """The database lets nobody in, and throws out who is in."""
    name = site.address.rpartition("/")[2]
    with psycopg.connect(server, autocommit=True) as db:
        db.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false'.encode())
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        db.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true'.encode())


def test_two_workers_share_the_slices_and_group_after_the_last(site: Site) -> None:
    for slots in SLICES:
        site.close(f"assess {slots.start}")
    site.work(2)
    site.until(lambda: len({pid for pid, _, _ in site.noted("assess %")}) == 2)
    for slots in SLICES:
        site.open(f"assess {slots.start}")
    site.until(lambda: any(ended for _, _, ended in site.noted("group")))
    assessed = site.noted("assess %")
    assert len(assessed) == len(SLICES)
    assert all(ended is not None for _, _, ended in assessed)
    assert site.noted("group")[0][1] >= max(ended or 0 for _, _, ended in assessed)


def test_a_source_is_crawled_by_one_worker_at_a_time(site: Site) -> None:
    site.close("crawl village")
    site.work(2)
    site.put(lambda app: put_crawl(app, "village"))
    site.until(lambda: site.noted("crawl village"))
    site.put(lambda app: put_crawl(app, "village"))
    site.put(lambda app: put_crawl(app, "village"))
    site.put(lambda app: put_crawl(app, "town"))
    site.until(lambda: site.jobs("crawl", "succeeded") == 1)  # the town: they looked past the second of the village
    assert (site.jobs("crawl", "doing"), site.jobs("crawl", "todo")) == (1, 1)
    site.open("crawl village")
    site.until(lambda: site.jobs("crawl", "succeeded") == 3)
    (_, _, ended), (_, began, _) = site.noted("crawl village")
    assert ended is not None
    assert ended <= began


def test_a_killed_workers_job_is_done_once_by_another(site: Site) -> None:
    site.close("purge")
    site.work(2)
    site.put(lambda app: put(app, "purge"))
    site.until(lambda: site.noted("purge"))
    killed = site.noted("purge")[0][0]
    os.kill(killed, signal.SIGKILL)
    site.until(lambda: len(site.noted("purge")) == 2)
    site.open("purge")
    site.until(lambda: site.jobs("purge", "succeeded") == 1)
    (first, _, unended), (second, _, ended) = site.noted("purge")
    assert first == killed
    assert second != killed
    assert unended is None
    assert ended is not None


def test_another_worker_schedules_when_the_scheduler_dies(site: Site) -> None:
    site.work(2)
    site.until(lambda: site.scheduler() is not None)
    held = site.scheduler()
    assert held is not None
    holder = int(held[1].removeprefix("worker "))
    site.until(
        lambda: (
            site.ask(
                "SELECT count(DISTINCT application_name) FROM pg_stat_activity "
                "WHERE application_name LIKE 'worker %%' AND datname = current_database()"
            )[0][0]
            == 2
        )
    )
    os.kill(holder, signal.SIGKILL)
    site.until(lambda: (now := site.scheduler()) is not None and now[1] != held[1])


def test_a_scheduler_without_its_connection_stops_and_one_takes_over(site: Site) -> None:
    site.work()
    site.until(lambda: site.scheduler() is not None)
    held = site.scheduler()
    assert held is not None
    site.ask("SELECT pg_terminate_backend(%s)", held[0])
    site.until(lambda: (now := site.scheduler()) is not None and now[0] != held[0])
    assert site.said().index("schedules no longer") < site.said().rindex("schedules now")


def test_a_worker_told_to_end_gives_its_job_back(site: Site) -> None:
    site.close("purge")
    site.close("crawl village")
    site.work()
    site.put(lambda app: put(app, "purge"))
    site.put(lambda app: put_crawl(app, "village"))
    site.until(lambda: site.noted("purge") and site.noted("crawl village"))
    site.workers[0].send_signal(signal.SIGTERM)
    assert site.workers[0].wait(20) == 0, site.said()
    assert site.jobs("purge", "todo") == 1
    assert site.jobs("crawl", "succeeded") == 1
    assert site.ask(f"SELECT * FROM {SCHEMA}.procrastinate_workers") == []
    assert "Traceback" not in site.said()


def test_a_lost_database_is_waited_for(site: Site, postgres_url: str) -> None:
    site.close("purge")
    site.close("crawl village")
    site.work()
    site.put(lambda app: put(app, "purge"))
    site.put(lambda app: put_crawl(app, "village"))
    site.until(lambda: site.noted("purge") and site.noted("crawl village"))
    with outage(site, postgres_url):
        site.until(lambda: "until the database answers" in site.said())
    site.open("purge")
    site.open("crawl village")
    site.until(lambda: site.jobs("purge", "succeeded") == 1 and site.jobs("crawl", "succeeded") == 1)
    site.put(lambda app: put(app, "rescore"))
    site.until(lambda: any(ended for _, _, ended in site.noted("rescore")))
    assert site.workers[0].poll() is None


def test_a_worker_taken_for_dead_signs_on_again(site: Site) -> None:
    site.work()
    site.until(lambda: any(ended for _, _, ended in site.noted("group")))
    site.ask(f"DELETE FROM {SCHEMA}.procrastinate_workers")
    site.put(lambda app: put(app, "purge"))
    site.until(lambda: site.jobs("purge", "succeeded") == 1)
    assert site.workers[0].poll() is None
    assert len(site.noted("purge")) == 1
