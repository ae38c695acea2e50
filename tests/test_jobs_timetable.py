"""When what is done: sources as the ledger has them, and the crawls that somebody wished for on the pages."""

import asyncio
import time
from dataclasses import dataclass, field

from claimwatch.desk import Desk
from claimwatch.ledger import sources
from claimwatch.records import Source
from jobs.timetable import Tasks, Timetable


@dataclass
class Called:
    """What the timetable asked for."""

    names: list[str] = field(default_factory=list)
    begun: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def hear(self, number: int) -> None:
        """Until so many more crawls were begun."""
        async with asyncio.timeout(60):
            for _ in range(number):
                await self.begun.get()

    def tasks(self) -> Tasks:
        async def nothing() -> None:
            pass

        async def crawl(name: str) -> None:
            self.names.append(name)
            self.begun.put_nowait(name)

        return Tasks(
            crawl=crawl,
            project=nothing,
            classify=nothing,
            rescore=nothing,
            purge=nothing,
            recheck=nothing,
            report=nothing,
        )


def test_a_crawl_that_was_wished_for_begins_at_the_next_look(desk: Desk) -> None:
    called = Called()

    async def look() -> None:
        timetable = Timetable(desk, called.tasks())
        scheduler = await timetable.start()
        await called.hear(1)
        assert called.names == ["bao"]  # the first crawl of a source that is enabled
        with desk.ledger.write() as db:
            sources.ask(db, "bao", desk.now())
            sources.ask(db, "still", desk.now())
        await timetable._sync(scheduler)
        await called.hear(2)
        await timetable._sync(scheduler)
        await asyncio.sleep(0.05)
        scheduler.shutdown(wait=False)

    with desk.ledger.write() as db:
        sources.seed(db, [Source(name="bao", kind="feed", settings={})])
        sources.seed(db, [Source(name="still", kind="feed", settings={}, enabled=False)])
    asyncio.run(look())
    assert sorted(called.names) == ["bao", "bao", "still"]
    with desk.ledger.read() as db:
        assert sources.asked(db) == {}


def test_a_busy_machine_puts_tasks_off_and_drops_none(desk: Desk) -> None:
    called = Called()

    async def look() -> None:
        scheduler = await Timetable(desk, called.tasks()).start()
        time.sleep(1.5)  # noqa: ASYNC251  longer than the second of grace that APScheduler has by itself
        await called.hear(1)
        scheduler.shutdown(wait=False)

    with desk.ledger.write() as db:
        sources.seed(db, [Source(name="bao", kind="feed", settings={})])
    asyncio.run(look())
    assert called.names == ["bao"]
