"""The middleware that signs requests, and renews the token once where a server no longer takes it."""

from __future__ import annotations

import time

from scrapy.crawler import Crawler
from scrapy.http import Request, Response
from scrapy.http.request import NO_CALLBACK

from claimwatch.errors import SourceError
from crawlers.guard import origin
from crawlers.signin import SignIn, Token
from crawlers.spider import SourceSpider

#: The tokens of this process, with the time (monotonic) from which they are renewed: servers count sign-ins.
_HELD: dict[str, tuple[Token, float]] = {}
#: Seconds before its end that a token is renewed.
_MARGIN = 120.0
_EXPIRED = (b"ExpiredToken", b"InvalidToken")


class TokenMiddleware:
    """Signs the requests of plans that sign in; others pass."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> TokenMiddleware:
        """As Scrapy makes its middlewares."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Put a token on a request to the source's own server. SourceError where there is none to be had."""
        sign_in = self._sign_in(request)
        if sign_in is not None:
            token = await self._token(sign_in)
            request.headers["Authorization"] = f"Bearer {token.access}"

    async def process_response(self, request: Request, response: Response) -> Response | Request:
        """Ask once more with a new token where the server no longer takes this one."""
        sign_in = self._sign_in(request)
        if sign_in is None or request.meta.get("signed_anew") or not _is_expired(response):
            return response
        held = _HELD.get(sign_in.whose)
        if held and request.headers.get("Authorization") == f"Bearer {held[0].access}".encode():
            _HELD[sign_in.whose] = (held[0], 0.0)
        return request.replace(meta={**request.meta, "signed_anew": True}, dont_filter=True)

    def _sign_in(self, request: Request) -> SignIn | None:
        spider = self.crawler.spider
        assert isinstance(spider, SourceSpider)
        asked = request.meta.get("ask")
        if asked is None or origin(request.url) != spider.crawl.origin:
            return None
        sign_in: SignIn | None = getattr(spider.crawl.plan, "sign_in", None)
        return sign_in

    async def _token(self, sign_in: SignIn) -> Token:
        held, until = _HELD.get(sign_in.whose, (None, 0.0))
        if held is not None and time.monotonic() < until:
            return held
        if held is not None and held.renewal:
            token, _ = await self._asked(sign_in, held)
            if token is not None:
                return token
        _HELD.pop(sign_in.whose, None)
        token, status = await self._asked(sign_in, None)
        if token is None:
            raise self._refused(sign_in, status)
        return token

    async def _asked(self, sign_in: SignIn, held: Token | None) -> tuple[Token | None, int]:
        asked = sign_in.ask(held)
        request = Request(
            asked.url,
            method="POST",
            headers=dict(asked.headers),
            body=asked.body,
            callback=NO_CALLBACK,
            # Signing in is for whom the server gave a key; and a password follows no redirect.
            meta={"dont_obey_robotstxt": True, "dont_redirect": True, "handle_httpstatus_all": True},
        )
        assert self.crawler.engine is not None
        response = await self.crawler.engine.download_async(request)
        token = sign_in.read(response.body) if response.status == 200 else None
        if token is not None:
            _HELD[sign_in.whose] = (token, time.monotonic() + max(token.seconds - _MARGIN, 1.0))
        return token, response.status

    def _refused(self, sign_in: SignIn, status: int) -> SourceError:
        assert isinstance(self.crawler.spider, SourceSpider)
        permanent = status < 500 and status != 429
        reason = f"{status}: signing in was refused" + (f": {sign_in.advice}" if permanent else "")
        return SourceError(self.crawler.spider.crawl.source.name, reason, permanent=permanent)


def _is_expired(response: Response) -> bool:
    said = response.body[:1_000]
    return response.status == 401 or (response.status == 400 and any(name in said for name in _EXPIRED))
