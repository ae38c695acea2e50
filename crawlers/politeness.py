"""The rate-limit book at work: nobody is asked before the time they named, not even after a restart."""

from __future__ import annotations

import asyncio
import time

from scrapy import Spider
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import Request, Response

from claimwatch import metrics
from claimwatch.errors import SourceError
from claimwatch.ledger import sources, turns
from crawlers.ratelimit import book_key, closed_until
from crawlers.spider import SourceSpider, plain_headers

#: Seconds a crawl waits for a door to open; for longer it ends, and a later crawl goes on.
PATIENCE = 90.0


class RateLimitMiddleware:
    """Waits out, books and shares what servers say of their limits. Keyed by scheme, host and port."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RateLimitMiddleware:
        """As Scrapy makes its middlewares."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Hold the request until its host may be asked and its turn has come; end the crawl where that takes long."""
        spider, key = self._spider(), book_key(request.url)
        await self._until_open(spider, key)
        delay = spider.crawl.intake.desk.settings.crawl.delay
        if delay > 0:
            await self._take_turn(spider, key, delay)
            await self._until_open(spider, key)  # another crawl may have been refused meanwhile

    async def _until_open(self, spider: SourceSpider, key: str) -> None:
        while True:
            with spider.crawl.intake.desk.ledger.read() as db:
                until, reason = sources.limited(db).get(key, (0.0, ""))
            wait = until - time.time()
            if wait <= 0:
                return
            if wait > PATIENCE:
                minutes = round(wait / 60)
                raise SourceError(
                    spider.crawl.source.name, f"{reason}: closed for {minutes} more minutes", permanent=False
                )
            await asyncio.sleep(min(wait, PATIENCE))

    async def _take_turn(self, spider: SourceSpider, key: str, delay: float) -> None:
        """Wait for the turn that this request has among those of all workers."""
        patience = max(PATIENCE, 2 * delay)
        with spider.crawl.intake.desk.ledger.write() as db:
            turn = turns.reserve(db, key, delay=delay, patience=patience)
        if turn is None:
            raise SourceError(spider.crawl.source.name, "too many crawls ask this host at once", permanent=False)
        await asyncio.sleep(turn.wait)

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """Book what the answer says of the limit; ask a refused question again once the time has come."""
        until = closed_until(response.status, plain_headers(response), time.time())
        if until is None:
            return response
        spider = self._spider()
        reason = f"{response.status}: the server asks to wait" if response.status >= 400 else "its allowance is spent"
        with spider.crawl.intake.desk.ledger.write() as db:
            sources.limit(db, book_key(request.url), until=until, reason=reason)
        if response.status not in (429, 503):
            return response
        metrics.REFUSALS.labels(kind=spider.crawl.kind.name, status=response.status).inc()
        again = get_retry_request(request, spider=spider, reason="rate limited", max_retry_times=3)
        return again or response

    def _spider(self) -> SourceSpider:
        spider: Spider | None = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        return spider
