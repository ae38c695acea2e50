"""Where the demo plays: in one process on SQLite files, or on real servers with two workers sharing the work."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from claimwatch.desk import Desk
from claimwatch.errors import ClaimwatchError
from claimwatch.ledger import runs
from claimwatch.settings import Places
from jobs.assess import assess_new_posts, ready_model

if TYPE_CHECKING:
    from procrastinate import App

    from classifier.model import Model

#: Seconds that the workers get for all jobs of one step.
_PATIENCE = 600.0


Put = Callable[["App"], Awaitable[None]]


class Hands(Protocol):
    """Whoever does the work of one day."""

    def crawl(self, source: str) -> Counter[str]:
        """Crawl one source to its end; its outcomes."""
        ...

    def assess(self) -> None:
        """Assess, group and queue what is new."""
        ...


@dataclass(slots=True)
class Alone:
    """Everything in this process."""

    desk: Desk
    where: Places
    model: "Model | None" = None

    def crawl(self, source: str) -> Counter[str]:
        """See `Hands`."""
        from crawlers.crawl import crawl_now

        (done,) = crawl_now(self.desk, [source])
        return done.outcomes

    def assess(self) -> None:
        """See `Hands`."""
        if self.model is None:
            self.model = ready_model(self.where, self.desk.settings)
        assess_new_posts(self.desk, self.model)


@dataclass(slots=True)
class Crew:
    """Two worker processes that take jobs from the queue; the demo itself is their scheduler."""

    desk: Desk
    where: Places
    conninfo: str
    workers: Sequence[subprocess.Popen[bytes]]

    def crawl(self, source: str) -> Counter[str]:
        """See `Hands`."""
        from jobs.shared.tasks import put_crawl

        before = _outcomes(self.desk, source)
        self._do(lambda app: put_crawl(app, source))
        return _outcomes(self.desk, source) - before

    def assess(self) -> None:
        """See `Hands`."""
        from jobs.shared.tasks import put_classify

        self.desk.posts.refresh()
        self._do(put_classify)
        self.desk.posts.refresh()

    def _do(self, put: Put) -> None:
        """Put jobs into the queue and wait until the workers have done them and all that follows from them."""
        from jobs.shared.counts import count_jobs

        asyncio.run(self._put(put))
        deadline = time.monotonic() + _PATIENCE
        while left := sum(one.waiting + one.doing for one in count_jobs(self.conninfo)):
            if time.monotonic() > deadline or any(worker.poll() is not None for worker in self.workers):
                raise ClaimwatchError(f"the workers left {left} jobs undone: see what they wrote above")
            time.sleep(0.1)
        if failed := [one.task for one in count_jobs(self.conninfo) if one.failed]:
            raise ClaimwatchError(f"jobs failed: {', '.join(failed)}: see what the workers wrote above")

    async def _put(self, put: Put) -> None:
        from jobs.shared.tasks import Doing, add_tasks
        from jobs.shared.worker import queue_app
        from jobs.work import Work

        work = Work(self.desk, self.where)
        app = queue_app(self.conninfo, work)
        with ThreadPoolExecutor(1) as pool:
            add_tasks(app, Doing(work, pool))
            async with app.open_async():
                await put(app)


@contextmanager
def crew(desk: Desk, where: Places, workers: int = 2) -> Iterator[Crew]:
    """Worker processes at the desk's instant. While they live no other scheduler does: the lock is held here."""
    import psycopg

    from jobs.shared.schema import SCHEDULING, connection_to, prepare

    conninfo = connection_to(desk.settings.stores.ledger, desk.credentials.get("CLAIMWATCH_POSTGRES_PASSWORD", ""))
    prepare(conninfo)
    with psycopg.connect(conninfo, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s)", [SCHEDULING])
        told = json.dumps(
            {
                "now": desk.now().isoformat(),
                "where": where.model_dump(mode="json"),
                "settings": desk.settings.model_dump(mode="json"),
            }
        )
        command = [sys.executable, "-m", "jobs.demo.worker", told]
        processes = [subprocess.Popen(command) for _ in range(workers)]  # noqa: S603  our own module
        try:
            yield Crew(desk=desk, where=where, conninfo=conninfo, workers=processes)
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait()


def _outcomes(desk: Desk, source: str) -> Counter[str]:
    """The outcomes of all crawls of a source so far."""
    with desk.ledger.read() as db:
        return sum(
            (runs.outcomes(db, run.id) for run in runs.recent(db, limit=10_000) if run.source == source), Counter()
        )
