"""Looks up at their sources the posts that matter here, and deletes those that are gone there."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from claimwatch import metrics
from claimwatch.desk import Desk
from claimwatch.errors import ConfigError, SourceError
from claimwatch.ledger import decisions, runs, sources
from claimwatch.posts.base import BATCH, Search
from claimwatch.records import Post, Source, State
from crawlers.crawl import event_loop, holder_name, run_spider
from crawlers.intake import open_intake
from crawlers.lookup import LOOKUPS, base_of
from crawlers.lookupplan import LookupPlan, Question, Way

if TYPE_CHECKING:
    from crawlers.spider import Crawl

_log = logging.getLogger(__name__)
#: Posts looked at in one pass, and questions to one server: what is left over comes first by lot on another day.
_MOST, _QUESTIONS = 10_000, 400
#: Days that posts on decided cards are looked after.
_DECIDED = 30
_LEASE = "recheck"


@dataclass(slots=True, kw_only=True)
class Rechecked:
    """What a pass over all sources came to, in posts."""

    outcomes: Counter[str] = field(default_factory=Counter)  #: deleted, unchanged, unchecked
    failures: dict[str, str] = field(default_factory=dict)  #: by server: why it could not be asked


def recheck_now(desk: Desk) -> Rechecked:
    """Look posts up now, and wait."""
    return asyncio.run_coroutine_threadsafe(recheck(desk), event_loop()).result()


async def recheck(desk: Desk, *, goes_on: Callable[[], bool] = lambda: True) -> Rechecked:
    """Flagged posts and those of open or lately decided cards: deleted here where their source deleted them.

    One server after the other, under the same rules as crawls (robots.txt, limits, turns, guard). A post that became
    private or whose author opted out since is deleted too. What a server does not answer for stays.
    """
    holder, done = holder_name(), Rechecked()
    with desk.ledger.write() as db:
        if not sources.acquire(db, _LEASE, holder):
            return done
    try:
        for source, question in _questions(desk, _due(desk)):
            if not goes_on():
                break
            await _ask(desk, source, question, done)
            with desk.ledger.write() as db:
                sources.acquire(db, _LEASE, holder)
    finally:
        with desk.ledger.write() as db:
            sources.release(db, _LEASE, holder)
    _log.info("rechecked: %s", dict(done.outcomes))
    return done


async def _ask(desk: Desk, source: Source, question: Question, done: Rechecked) -> None:
    """Ask one server after posts; those that are gone are forgotten at once."""
    with desk.ledger.write() as db:
        run = runs.start(db, "recheck", desk.now(), source=source.name)
    crawl, plan = _opened(desk, source, question)
    await run_spider(desk, crawl)
    outcomes = Counter(deleted=desk.posts.forget(sorted(plan.gone), desk.now()), unchanged=len(plan.stands))
    outcomes["unchecked"] = len(question.posts) - len(plan.gone | plan.stands)
    failure = crawl.failure.reason if crawl.failure else ""
    with desk.ledger.write() as db:
        runs.count(db, run, +outcomes)
        runs.finish(db, run, desk.now(), status="failed" if failure else "done", message=failure)
    metrics.count_posts(crawl.kind.platform, +outcomes)
    done.outcomes.update(+outcomes)
    if failure:
        done.failures[question.server] = failure


def _opened(desk: Desk, source: Source, question: Question) -> tuple[Crawl, LookupPlan]:
    from crawlers.kinds import KINDS
    from crawlers.quiet import QuietCrawl

    chosen = desk.settings.crawl.model_copy(update={"max_pages": _QUESTIONS})
    brief = replace(desk, settings=desk.settings.model_copy(update={"crawl": chosen}))
    kind = KINDS[question.platform]
    plan = LookupPlan(question, lambda uri: desk.keys.post_id(kind.platform, uri))
    intake = open_intake(brief, source.name)
    crawl = QuietCrawl(intake=intake, source=source, run=0, holder="", kind=kind, plan=plan, state={})
    return crawl, plan


def _due(desk: Desk) -> list[Post]:
    """The posts to look up, in another order every day, so that what one pass leaves over is not always the same."""
    found = {post.id: post for post in islice(_that_matter(desk), _MOST) if post.state is not State.DELETED}
    today = desk.now().date().isoformat()
    return sorted(found.values(), key=lambda post: hashlib.sha256(f"{today}{post.id}".encode()).digest())


def _that_matter(desk: Desk) -> Iterator[Post]:
    now = desk.now()
    with desk.ledger.read() as db:
        decided = {one.card for one in decisions.between(db, now - timedelta(days=_DECIDED), now)}
    for card in sorted(decided):
        yield from desk.posts.members(card, limit=BATCH)
    after: tuple[float, str] | None = None
    while cards := desk.posts.cards(after=after, limit=BATCH):
        for open_card in cards:
            yield from desk.posts.members(open_card.id, limit=BATCH)
        after = cards[-1].priority, cards[-1].id
    for offset in range(0, _MOST, BATCH):
        page = desk.posts.search(Search(flagged=True, offset=offset, limit=BATCH))
        yield from page.posts
        if not page.more:
            return


def _questions(desk: Desk, posts: Iterable[Post]) -> list[tuple[Source, Question]]:
    """The posts that can be asked for, by source and server."""
    known: dict[tuple[str, str], tuple[Source, Way]] = {}
    found: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for post in posts:
        lookup, key = LOOKUPS.get(post.platform), (post.source, post.platform)
        if lookup is None:
            continue
        if key not in known:
            known[key] = _way(desk, *key)
        link = _link(desk, post)
        native, server = lookup.native(link), lookup.server(link, known[key][1].base)
        if native and server:
            found[*key, server][native] = post.id
    return [
        (
            known[name, platform][0],
            Question(
                source=name,
                platform=platform,
                server=server,
                lookup=LOOKUPS[platform],
                posts=asked,
                way=_to(known[name, platform][1], server),
            ),
        )
        for (name, platform, server), asked in found.items()
    ]


def _way(desk: Desk, name: str, platform: str) -> tuple[Source, Way]:
    """The source that brought a post and how its server is asked; nothing of it where it is gone or cannot be asked."""
    from crawlers.spider import open_crawl

    try:
        with desk.ledger.read() as db:
            source = sources.get(db, name)
    except ConfigError:  # an import, or a source of another time
        return Source(name=name, kind=platform, settings={}), Way()
    if source.kind != platform:  # a stream: the posts are another kind's
        return source, Way()
    try:
        plan: Any = open_crawl(open_intake(desk, name), source, run=0, holder="").plan
        headers = plan.first({}).headers
    except SourceError:
        return source, Way()
    sign_in, settings = getattr(plan, "sign_in", None), getattr(plan, "settings", None)
    return source, Way(base=base_of(plan), headers=headers, sign_in=sign_in, settings=settings)


def _to(way: Way, server: str) -> Way:
    """The way without its secrets where another server is asked than the source's own."""
    return way if server == way.base else Way()


def _link(desk: Desk, post: Post) -> str:
    """The post's link, its seal opened for this one question; "" where it has none or another key sealed it."""
    if not post.sealed_url:
        return post.url or ""
    try:
        return desk.keys.open_link(post.sealed_url)
    except ConfigError:
        return ""
