"""A real worker process whose pieces of work only note that they were done. Run: shared_work.py ADDRESS FOLDER."""

import asyncio
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg  # noqa: TID253  this module exists for it

from claimwatch.clock import SystemClock
from claimwatch.desk import Desk
from claimwatch.keys import Keys
from claimwatch.ledger.base import Ledger
from claimwatch.posts.sqlite import SqlitePosts
from claimwatch.settings import Places, Settings
from crawlers.crawl import Crawled
from jobs.shared.pace import Pace
from jobs.shared.schema import connection_to
from jobs.shared.worker import SharedWorker
from jobs.work import Work

PACE = Pace(poll=0.1, beat=0.2, dead=1.5, look=0.2, grace=10)
TABLES = """
CREATE TABLE IF NOT EXISTS noted (id serial PRIMARY KEY, piece text, pid int, began float, ended float);
CREATE TABLE IF NOT EXISTS closed (piece text PRIMARY KEY);
"""


def places(folder: Path) -> Places:
    return Places(config=folder / "config", data=folder, cache=folder, keys=folder)


class NotedWork(Work):
    """Each piece writes when it began and ended, and waits between the two while the test keeps it `closed`."""

    address = ""

    @contextmanager
    def noted(self, piece: str) -> Iterator[None]:
        with psycopg.connect(self.address, autocommit=True) as db:
            began = "INSERT INTO noted (piece, pid, began) VALUES (%s, %s, %s) RETURNING id"
            row = db.execute(began, [piece, os.getpid(), time.time()]).fetchone()
        assert row is not None
        yield
        with psycopg.connect(self.address, autocommit=True) as db:
            db.execute("UPDATE noted SET ended = %s WHERE id = %s", [time.time(), row[0]])

    def is_open(self, piece: str) -> bool:
        try:
            with psycopg.connect(self.address) as db:
                return db.execute("SELECT 1 FROM closed WHERE piece = %s", [piece]).fetchone() is None
        except psycopg.OperationalError:
            return False

    def do(self, piece: str) -> None:
        with self.noted(piece):
            while not self.is_open(piece):
                self._go_on()
                time.sleep(0.05)

    async def crawl(self, name: str) -> Crawled:
        with self.noted(f"crawl {name}"):
            while not (self.is_open(f"crawl {name}") or self.stopping.is_set()):  # noqa: ASYNC110  another process opens
                await asyncio.sleep(0.05)
        return Crawled(source=name, outcomes=Counter())

    def assess(self, slots: range) -> None:
        self.do(f"assess {slots.start}")

    def match(self) -> None:
        self.do("match")

    def group(self) -> None:
        self.do("group")

    def rescore(self) -> None:
        self.do("rescore")

    def purge(self) -> None:
        self.do("purge")


def main(address: str, folder: Path) -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for name in ("procrastinate", "apscheduler", "psycopg.pool"):
        logging.getLogger(name).setLevel(logging.ERROR)
    desk = Desk(
        settings=Settings(),
        posts=SqlitePosts(folder / "posts.db"),
        ledger=Ledger.connect(address),
        keys=Keys(id=b"id key" * 8, seal=b"seal key" * 8, session=b"session key" * 8),
        clock=SystemClock(),
    )
    NotedWork.address = address
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    queue = connection_to(address, "", f"worker {os.getpid()}")
    SharedWorker(NotedWork(desk, places(folder)), queue, PACE).run(stop)
    desk.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
