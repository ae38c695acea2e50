"""Downloads for crawls: every connection goes to an address that `guard` lets through, however a URL came up."""

from __future__ import annotations

from typing import Any

from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Request
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.python.failure import Failure
from twisted.web.client import HTTPConnectionPool
from zope.interface import implementer

from crawlers.guard import fault_of, is_named, is_public, origin, refusal
from crawlers.spider import Crawl, SourceSpider

#: Headers of a question that are no secret: they go along to another host.
_OPEN = ("accept", "if-none-match", "if-modified-since")


class RefusedAddressError(IgnoreRequest):
    """The request leads where a source may not. The message tells the operator what to do."""


class GuardMiddleware:
    """Refuses URLs that no source may lead to, before robots.txt is asked; takes credentials off redirects."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        """As Scrapy makes its middlewares."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Every request passes here: first ones, next pages, redirects, robots.txt."""
        if fault := fault_of(request.url, allowed_hosts(self.crawler)):
            raise RefusedAddressError(fault)
        asked = request.meta.get("ask")
        if asked is not None and asked.headers and origin(request.url) != _crawl(self.crawler).origin:
            for name in (one for one in asked.headers if one.lower() not in _OPEN):
                request.headers.pop(name, None)


class GuardedHandler(HTTP11DownloadHandler):
    """Scrapy's own handler with a pool that connects to allowed addresses only."""

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._pool = _GuardedPool(self._pool, self._contextFactory, crawler)


class _GuardedPool(HTTPConnectionPool):
    """Makes new connections itself, to the very addresses that it has judged: a name cannot change its mind between."""

    def __init__(self, model: Any, tls: Any, crawler: Crawler) -> None:
        from twisted.internet import reactor

        super().__init__(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self.maxPersistentPerHost = model.maxPersistentPerHost
        self._factory = model._factory  # noqa: SLF001  Scrapy's, which reads sloppy headers
        self._tls = tls
        self._crawler = crawler

    def getConnection(self, key: Any, endpoint: Any) -> Deferred[Any]:  # noqa: N802  Twisted's name
        """A pooled connection, or a new one in place of that which `endpoint` would make."""
        del endpoint
        scheme, host, port = key[0].decode(), key[1].decode(), key[2]
        named = is_named(f"{scheme}://{_bracketed(host)}:{port}", allowed_hosts(self._crawler))
        judge = _Judge(self._reactor, is_free=named)
        timeout = self._crawler.settings.getfloat("DOWNLOAD_TIMEOUT")
        guarded: Any = HostnameEndpoint(judge, host, port, timeout)
        if scheme == "https":
            guarded = wrapClientTLS(self._tls.creatorForNetloc(host.encode(), port), guarded)
        connected: Deferred[Any] = super().getConnection(key, guarded)
        return connected.addErrback(judge.explain, host)


@implementer(IReactorPluggableNameResolver, IHostnameResolver)
class _Judge:
    """The reactor, but for its resolver: that gives only the addresses that may be reached."""

    def __init__(self, reactor: Any, *, is_free: bool) -> None:
        self._reactor = reactor
        self._is_free = is_free
        self._refused = 0
        self.nameResolver = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:  # noqa: N802  the interface's
        """Never: this one judges."""
        raise NotImplementedError

    def resolveHostName(self, receiver: Any, hostName: str, portNumber: int = 0, *rest: Any) -> Any:  # noqa: N802, N803
        """Resolve as the reactor does, and keep back what may not be reached."""
        return self._reactor.nameResolver.resolveHostName(_Sieve(receiver, self), hostName, portNumber, *rest)

    def lets_through(self, address: IAddress) -> bool:
        """Whether this address may be connected to."""
        passes = self._is_free or (isinstance(address, IPv4Address | IPv6Address) and is_public(address.host))
        self._refused += not passes
        return passes

    def explain(self, failure: Failure, host: str) -> Failure:
        """The failure to connect, told as a refusal where addresses were kept back."""
        if not self._refused:
            return failure
        return Failure(RefusedAddressError(refusal(host)))  # type: ignore[no-untyped-call]


@implementer(IResolutionReceiver)
class _Sieve:
    def __init__(self, receiver: Any, judge: _Judge) -> None:
        self._receiver = receiver
        self._judge = judge

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:  # noqa: N802, N803  the interface's
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:  # noqa: N802
        if self._judge.lets_through(address):
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:  # noqa: N802
        self._receiver.resolutionComplete()


def allowed_hosts(crawler: Crawler) -> tuple[str, ...]:
    """The hosts that the operator of this crawl's source named."""
    return _crawl(crawler).allow_hosts


def _crawl(crawler: Crawler) -> Crawl:
    assert isinstance(crawler.spider, SourceSpider)
    return crawler.spider.crawl


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
