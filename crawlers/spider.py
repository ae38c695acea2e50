"""The one spider: asks what the plan of a source says, hands answers to its parser, keeps page after page."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.exceptions import CloseSpider
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from claimwatch.errors import SourceError
from claimwatch.ledger import sources
from claimwatch.records import Source
from crawlers import keep
from crawlers.failures import why_no_answer
from crawlers.guard import hosts_in, is_named, origin
from crawlers.intake import Intake
from crawlers.kinds import checked_settings, kind_of
from crawlers.page import Page
from crawlers.plan import Ask, Kind, Plan, SecretSettings

#: Statuses that only an operator can mend.
_CLOSED_DOORS = frozenset({401, 403, 404, 405, 410, 422, 451})
_NOT_MODIFIED = 304
#: What a page says of itself that is neither an answer nor a refusal to judge, whoever asked; and of a passing one.
_BROKEN = ("not_json:", "cut_off: the JSON")
_PASSING = ("rate_limited:", "unavailable:")
#: Everything but the statuses that Scrapy follows by itself.
_ANSWERS = frozenset(range(200, 600)) - {301, 302, 303, 307, 308}
#: Seconds after which a running crawl renews its lease.
_RENEW = sources.LEASE / 3


@dataclass(slots=True, kw_only=True)
class Crawl:
    """One crawl of one source while it runs, and how it ended."""

    intake: Intake
    source: Source
    run: int
    holder: str
    kind: Kind
    plan: Plan
    state: dict[str, Any]
    pages: int = 0
    failure: SourceError | None = None
    problems: list[str] = field(default_factory=list)
    renewed: float = 0.0

    @property
    def host(self) -> str:
        """The host, with port, that the source's own settings name."""
        return urlsplit(self.plan.first({}).url).netloc

    @property
    def origin(self) -> str:
        """The server that the source's own settings name: the one that credentials are for."""
        return origin(self.plan.first({}).url)

    @property
    def has_secret(self) -> bool:
        """Whether its requests bear a credential, so that nobody else may read them."""
        signs_in = getattr(self.plan, "sign_in", None) is not None
        return signs_in or bool(getattr(getattr(self.plan, "settings", None), "credential", ""))

    @property
    def allow_hosts(self) -> tuple[str, ...]:
        """The further hosts that the operator named."""
        return hosts_in(self.source.settings.get("allow_hosts", ()))

    def keep(self, page: Page, state: Mapping[str, Any]) -> None:
        """Posts, then cursor, counts and run; each page's cursor has a number of its own, so no two share a token."""
        before = {key: value for key, value in self.state.items() if key == "page"}
        after = {**state, "page": int(self.state.get("page", 0)) + 1}
        step = keep.Step(query=self.kind.query, run=self.run, before=before, after=after, platform=self.kind.platform)
        keep.keep_page(self.intake, page, step)
        self.state = after

    def renew_lease(self) -> None:
        """Hold the source a while longer. SourceError where another process has it by now."""
        if time.monotonic() - self.renewed > _RENEW:
            with self.intake.desk.ledger.write() as db:
                kept = sources.acquire(db, f"crawl:{self.source.name}", self.holder)
            if not kept:
                raise SourceError(self.source.name, "another process took this crawl over", permanent=False)
            self.renewed = time.monotonic()


def open_crawl(intake: Intake, source: Source, *, run: int, holder: str) -> Crawl:
    """A crawl from the source's stored cursor. SourceError where its settings are wrong."""
    kind = kind_of(source)
    plan = kind.plan(source.name, _with_credential(checked_settings(source), intake.desk.credentials))
    with intake.desk.ledger.read() as db:
        state = sources.cursor(db, source.name, kind.query)
    return Crawl(intake=intake, source=source, run=run, holder=holder, kind=kind, plan=plan, state=state)


def _with_credential(settings: Any, credentials: Mapping[str, str]) -> Any:
    """The settings with the secret that the environment holds under the variable they name."""
    if isinstance(settings, SecretSettings):
        return settings.with_secrets(credentials)
    secret = credentials.get(getattr(settings, "token_env", ""))
    return settings.model_copy(update={"credential": secret}) if secret else settings


class SourceSpider(scrapy.Spider):
    """Carries requests and answers; every decision is the plan's, the parser's or the intake's."""

    name = "source"

    def __init__(self, crawl: Crawl, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crawl = crawl

    async def start(self) -> AsyncIterator[Request]:
        """The first request of the plan."""
        try:
            first = self.crawl.plan.first(self.crawl.state)
        except SourceError as error:
            self.crawl.failure = error
        else:
            yield self._request(first)

    def parse(self, response: Response, **_: Any) -> Iterator[Request]:
        """Keep the page and ask on."""
        crawl, ask = self.crawl, response.meta["ask"]
        crawl.pages += 1
        crawl.renew_lease()
        if response.status == _NOT_MODIFIED:
            self._keep(Page(), crawl.state)
            return
        page = self._read(response)
        if page is None:
            return
        step = crawl.plan.after(ask, crawl.state, self._within_age(page))
        self._keep(page, step.state)
        if step.ask is None:
            return
        if crawl.pages >= crawl.intake.desk.settings.crawl.max_pages:
            crawl.problems.append(f"stopped: {crawl.pages} pages in one crawl; the next crawl goes on from here")
        elif not self._may_ask(step.ask.url):
            crawl.problems.append("refused: the answer leads to another host; allow it with allow_hosts")
        else:
            yield self._request(step.ask)

    def failed(self, failure: Failure) -> None:
        """No answer came: the crawl ends here, and the cursor stays."""
        error = failure.value
        assert error is not None
        if isinstance(error, SourceError):
            self.crawl.failure = error
        else:
            reason, permanent = why_no_answer(error, self.crawl.intake.desk.settings.crawl)
            self._fail(reason, permanent=permanent)

    def _request(self, ask: Ask) -> Request:
        return Request(
            ask.url,
            headers=dict(ask.headers),
            callback=self._guarded,
            errback=self.failed,
            dont_filter=True,
            meta={"ask": ask, "handle_httpstatus_list": _ANSWERS},
        )

    def _guarded(self, response: Response) -> Iterator[Request]:
        """`parse`, with a closed door noted as how the crawl ended."""
        try:
            yield from self.parse(response)
        except SourceError as error:
            self.crawl.failure = error
            raise CloseSpider("source_error") from error

    def _read(self, response: Response) -> Page | None:
        """The page an answer holds; None, with the failure noted, where it holds none."""
        crawl = self.crawl
        if response.status >= 400 and not self._is_optional(response):
            self._refused(response)
            return None
        page = crawl.kind.parse(
            response.body,
            url=response.url,
            headers=plain_headers(response),
            now=crawl.intake.now,
            policy=crawl.intake.desk.settings.crawl.policy,
        )
        crawl.problems += page.problems
        said = page.problems[0] if page.problems else "the answer is not of this kind"
        no_answer = not page.understood and not self._is_optional(response)
        # A walk must not take a page for people or a refusal under status 200 for the listing's end.
        if no_answer or said.startswith(_BROKEN) or (response.status < 400 and said.startswith(_PASSING)):
            self._fail(said, permanent=False)
            return None
        return page

    def _is_optional(self, response: Response) -> bool:
        """Whether the plan goes on after a refusal: a server may not describe itself and still show its posts."""
        return response.meta["ask"].turn in getattr(self.crawl.plan, "hears_refusals", ())

    def _refused(self, response: Response) -> None:
        page = self.crawl.kind.parse(
            response.body, url=response.url, headers=plain_headers(response), now=self.crawl.intake.now
        )
        said = page.problems[0] if page.problems else "the server refuses"
        closed = response.status in _CLOSED_DOORS and not said.startswith(("rate_limited", "unavailable"))
        self._fail(f"{response.status}: {said}", permanent=closed)

    def _fail(self, reason: str, *, permanent: bool) -> None:
        self.crawl.failure = SourceError(self.crawl.source.name, reason, permanent=permanent)

    def _within_age(self, page: Page) -> Page:
        """A page of nothing but too old posts leads no further back."""
        intake = self.crawl.intake
        if page.posts and all(intake.is_old(found) for found in page.posts):
            return replace(page, next=None)
        return page

    def _keep(self, page: Page, state: Mapping[str, Any]) -> None:
        self.crawl.keep(page, state)

    def _may_ask(self, url: str) -> bool:
        return urlsplit(url).netloc == self.crawl.host or is_named(url, self.crawl.allow_hosts)


def plain_headers(response: Response) -> dict[str, str]:
    """The headers of an answer as text, with its status as `:status`."""
    pairs = {name.decode("latin-1"): b", ".join(values).decode("latin-1") for name, values in response.headers.items()}
    return pairs | {":status": str(response.status)}
