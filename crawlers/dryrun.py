"""Asks a source once, as a crawl would, and shows what came. Nothing is kept but what servers say of their limits."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from claimwatch.desk import Desk
from claimwatch.errors import SourceError
from claimwatch.records import Source
from claimwatch.sourceforms import Trial, TrialPost
from crawlers.crawl import event_loop, scrapy_settings
from crawlers.intake import Intake, open_intake
from crawlers.page import Found, Page
from crawlers.plan import Ask, Plan, Step
from crawlers.signin import SignIn

if TYPE_CHECKING:
    from crawlers.spider import Crawl

#: Posts that a trial shows.
SHOWN = 10
#: Questions of one trial: a server may be asked for its rules before its posts.
_ASKED = 3
#: Seconds that a trial may take, its waits for the host's turn included.
LONGEST = 60.0


def try_source(desk: Desk, source: Source, *, longest: float = LONGEST) -> Trial:
    """Ask for the first page of posts: the real plan, parser, robots.txt, limits and guard. Waits for the end."""
    asked = asyncio.run_coroutine_threadsafe(_try(desk, source, longest), event_loop())
    return asked.result()


@dataclass(slots=True)
class _Rehearsal:
    """What came so far."""

    pages: list[Page] = field(default_factory=list)

    @property
    def has_posts(self) -> bool:
        """Whether a page with posts came, kept or not."""
        return any(_holds_posts(page) for page in self.pages)


class _FirstPage:
    """A plan that ends at the first page with posts, and hands every page over."""

    def __init__(self, plan: Plan, rehearsal: _Rehearsal) -> None:
        self._plan = plan
        self._rehearsal = rehearsal
        self.hears_refusals: frozenset[str] = getattr(plan, "hears_refusals", frozenset())
        self.sign_in: SignIn | None = getattr(plan, "sign_in", None)
        self.settings: object = getattr(plan, "settings", None)

    def first(self, state: Mapping[str, Any]) -> Ask:
        return self._plan.first(state)

    def after(self, ask: Ask, state: Mapping[str, Any], page: Page) -> Step:
        self._rehearsal.pages.append(page)
        step = self._plan.after(ask, state, page)
        return Step(state=step.state) if self._rehearsal.has_posts else step


async def _try(desk: Desk, source: Source, longest: float) -> Trial:
    from scrapy.crawler import AsyncCrawlerRunner

    from crawlers.spider import SourceSpider

    rehearsal = _Rehearsal()
    try:
        crawl = _opened(desk, source, rehearsal)
    except SourceError as error:
        return Trial(failure=error.reason)
    if crawl.kind.streams:
        return Trial(problems=("A stream cannot be tried page by page: only its settings were checked.",))
    runner = AsyncCrawlerRunner(scrapy_settings(crawl.intake.desk, has_secret=crawl.has_secret))
    running = asyncio.ensure_future(runner.crawl(SourceSpider, crawl=crawl))
    done, _ = await asyncio.wait({running}, timeout=longest)
    if not done:
        await runner.stop()
        running.cancel()
        await asyncio.wait({running}, timeout=5)
        return Trial(failure=f"A trial took longer than {longest:g} seconds and was ended.")
    running.result()
    return _shown(rehearsal, crawl)


def _opened(desk: Desk, source: Source, rehearsal: _Rehearsal) -> Crawl:
    """The crawl of a source from its beginning, whatever was crawled of it before, that keeps nothing."""
    from crawlers.quiet import QuietCrawl
    from crawlers.spider import open_crawl

    chosen = desk.settings.crawl.model_copy(update={"max_pages": _ASKED})
    brief = replace(desk, settings=desk.settings.model_copy(update={"crawl": chosen}))
    real = open_crawl(open_intake(brief, source.name), source, run=0, holder="")
    plan = _FirstPage(real.plan, rehearsal)
    return QuietCrawl(intake=real.intake, source=source, run=0, holder="", kind=real.kind, plan=plan, state={})


def _shown(rehearsal: _Rehearsal, crawl: Crawl) -> Trial:
    pages = [page for page in rehearsal.pages if _holds_posts(page)]
    posts = [found for page in pages for found in page.posts]
    left_out = Counter(one.reason for page in pages for one in (*page.dropped, *page.rejected))
    without_text = left_out.total()
    old = sum(crawl.intake.is_old(found) for found in posts)
    left_out.update({"old": old} if old else {})
    said = [problem for page in pages or rehearsal.pages for problem in page.problems]
    return Trial(
        posts=tuple(_post(found, crawl.intake) for found in posts[:SHOWN]),
        found=len(posts) + without_text,
        left_out=dict(left_out.most_common()),
        problems=tuple(dict.fromkeys(said)),
        failure=crawl.failure.reason if crawl.failure else "",
    )


def _holds_posts(page: Page) -> bool:
    return bool(page.posts or page.dropped or page.rejected)


def _post(found: Found, intake: Intake) -> TrialPost:
    text = found.text if found.text.startswith(found.title) else f"{found.title}\n{found.text}"
    return TrialPost(
        text=text,
        language=found.language,
        created_at=found.created_at,
        left_out="old" if intake.is_old(found) else "",
    )
