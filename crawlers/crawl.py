"""Crawls sources: in the running event loop, or in one that a background thread keeps for this process."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from claimwatch import __version__
from claimwatch.desk import Desk
from claimwatch.errors import SourceError
from claimwatch.ledger import runs, sources
from claimwatch.records import Source
from crawlers.intake import open_intake

if TYPE_CHECKING:
    from scrapy.crawler import AsyncCrawlerRunner

    from crawlers.jetstream.stream import Stream
    from crawlers.spider import Crawl

_log = logging.getLogger(__name__)
#: Why a crawl was not begun: its source's lease is another's.
BUSY = "busy: another process crawls it now"
#: How often a question that got no answer, or a fault of the server, is asked again.
RETRIES = 2
#: The crawls of this process, so that a worker that ends can end them at a page.
_RUNNING: list[AsyncCrawlerRunner | Stream] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawled:
    """How a crawl of one source ended."""

    source: str
    outcomes: Counter[str]
    pages: int = 0
    failure: str = ""  #: "" when all went well
    permanent: bool = False  #: an operator must mend it
    problems: tuple[str, ...] = field(default=())


def crawl_now(desk: Desk, names: Sequence[str]) -> list[Crawled]:
    """Crawl these sources, all at once, and wait; of a source that another process crawls, only that it is busy."""
    with desk.ledger.read() as db:
        chosen = [sources.get(db, name) for name in names]

    async def together() -> list[Crawled]:
        return list(await asyncio.gather(*(crawl_source(desk, source) for source in chosen)))

    return asyncio.run_coroutine_threadsafe(together(), event_loop()).result()


async def crawl_source(desk: Desk, source: Source) -> Crawled:
    """Crawl one source under its lease. A failure is this source's own: noted, returned, never raised."""
    holder = holder_name()
    with desk.ledger.write() as db:
        if not sources.acquire(db, f"crawl:{source.name}", holder):
            return Crawled(source=source.name, outcomes=Counter(), failure=BUSY)
        run = runs.start(db, "crawl", desk.now(), source=source.name)
    try:
        return await _crawl(desk, source, run, holder)
    finally:
        with desk.ledger.write() as db:
            sources.release(db, f"crawl:{source.name}", holder)


async def _crawl(desk: Desk, source: Source, run: int, holder: str) -> Crawled:
    from crawlers.spider import open_crawl

    pages, problems = 0, []
    try:
        crawl = open_crawl(open_intake(desk, source.name), source, run=run, holder=holder)
        await (_listen(desk, crawl) if crawl.kind.streams else run_spider(desk, crawl))
        failure, pages, problems = crawl.failure, crawl.pages, crawl.problems
    except SourceError as error:
        failure = error
    return _finish(desk, source, run, failure=failure, pages=pages, problems=problems)


async def run_spider(desk: Desk, crawl: Crawl) -> None:
    """Run a crawl to its end, or to the page at which `stop_crawls` ends it."""
    from scrapy.crawler import AsyncCrawlerRunner

    from crawlers.spider import SourceSpider

    runner = AsyncCrawlerRunner(scrapy_settings(desk, has_secret=crawl.has_secret))
    _RUNNING.append(runner)
    try:
        await runner.crawl(SourceSpider, crawl=crawl)
    finally:
        _RUNNING.remove(runner)


async def _listen(desk: Desk, crawl: Crawl) -> None:
    from crawlers.jetstream.stream import Stream

    stream = Stream(crawl, agent=user_agent(desk))
    _RUNNING.append(stream)
    try:
        await stream.run()
    finally:
        _RUNNING.remove(stream)


def _finish(
    desk: Desk, source: Source, run: int, *, failure: SourceError | None, pages: int, problems: Sequence[str]
) -> Crawled:
    reason = failure.reason if failure else ""
    permanent = failure is not None and failure.permanent
    with desk.ledger.write() as db:
        status = "failed" if failure else "done"
        runs.finish(db, run, desk.now(), status=status, message=reason or "; ".join(problems[:3]))
        attention = reason if permanent else ""
        sources.tried(db, source.name, desk.now(), attention=attention, succeeded=failure is None)
        outcomes = runs.outcomes(db, run)
    if failure:
        _log.warning("crawl of %s ended: %s", source.name, reason)
    return Crawled(
        source=source.name,
        outcomes=outcomes,
        pages=pages,
        failure=reason,
        permanent=permanent,
        problems=tuple(problems),
    )


def holder_name() -> str:
    """Names this process and moment as the holder of a lease."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


def user_agent(desk: Desk) -> str:
    """Who asks, and whom to write to."""
    who = desk.settings.desk
    return f"claimwatch/{__version__} (public health desk: {who.name}; {who.contact or 'no contact given'})"


def scrapy_settings(desk: Desk, *, has_secret: bool) -> dict[str, Any]:
    """Scrapy as a polite guest: robots.txt, one request at a time, a name, bounds on everything."""
    chosen = desk.settings.crawl
    return {
        "USER_AGENT": user_agent(desk),
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_USER_AGENT": "claimwatch",
        "DOWNLOAD_DELAY": chosen.delay,
        # The turns of politeness.py keep the distance between crawls: holding one request longer would spoil it.
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "AUTOTHROTTLE_ENABLED": chosen.delay > 0,
        "DOWNLOAD_TIMEOUT": chosen.timeout,
        "DOWNLOAD_MAXSIZE": chosen.max_body_mb * 1024 * 1024,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_HANDLERS": {
            "http": "crawlers.download.GuardedHandler",
            "https": "crawlers.download.GuardedHandler",
            **dict.fromkeys(("data", "file", "ftp", "s3")),
        },
        # Public pages are read whoever signed for them; a credential goes to nobody but the server it is for.
        "DOWNLOAD_VERIFY_CERTIFICATES": has_secret,
        # A proxy would ask for us, and we could not see whom.
        "HTTPPROXY_ENABLED": False,
        "REDIRECT_MAX_TIMES": 5,
        "METAREFRESH_ENABLED": False,
        # 429 is the rate-limit book's: Scrapy would ask again at once (CRAWLING.md 0.1).
        "RETRY_HTTP_CODES": [500, 502, 504, 522, 524, 408],
        "RETRY_TIMES": RETRIES,
        "DOWNLOADER_MIDDLEWARES": {
            "crawlers.download.GuardMiddleware": 50,
            "crawlers.tokens.TokenMiddleware": 300,
            "crawlers.politeness.RateLimitMiddleware": 545,
        },
        # An HTTP server that runs Python sent to it, and a console: neither has a place here.
        "REMOTE_CONTROL_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "COOKIES_ENABLED": False,
        "LOG_ENABLED": False,
        "LOGSTATS_INTERVAL": 0,
    }


async def stop_crawls() -> None:
    """End every crawl of this process after the page it is at."""
    running = list(_RUNNING)
    for runner in running:
        await runner.stop()
    for runner in running:
        await runner.join()


@cache
def event_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a reactor that a thread of its own runs to the end of this process."""
    from scrapy.utils.reactor import install_reactor

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import reactor as installed

    reactor: Any = installed  # Twisted types it as a module
    running = threading.Event()
    reactor.callWhenRunning(running.set)
    arguments = {"installSignalHandlers": False}
    threading.Thread(target=reactor.run, kwargs=arguments, name="crawls", daemon=True).start()
    running.wait()
    return loop
