"""How each source does, as the pages show it: state, reason, two weeks of posts, days without any."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from claimwatch.clock import local_day
from claimwatch.ledger import crawls, sources
from claimwatch.ledger.crawls import Hours
from claimwatch.ledger.runs import Run
from claimwatch.notices import Notice, Trouble
from claimwatch.records import Source
from claimwatch.weekcounts import count_posts
from review_ui.charts import stacked
from review_ui.pages import CrawlRow, SourceRow, SourceState
from review_ui.visitor import Visitor

DAYS = 14
#: Posts expected a day from which a day without any is a gap.
_DAILY = 1.0
_OF_TROUBLE = {
    Trouble.REFUSED: SourceState.REFUSED,
    Trouble.FAILING: SourceState.FAILING,
    Trouble.NOT_CRAWLED: SourceState.NOT_CRAWLED,
    Trouble.SILENT: SourceState.SILENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What the rows are made of, read once for all sources."""

    days: Sequence[date]  #: today last
    posts: Mapping[tuple[str, date], int]
    hours: Mapping[str, Hours]
    notices: Mapping[str, Notice]
    limits: Mapping[str, tuple[float, str]]


def source_rows(
    visitor: Visitor, known: Sequence[Source], *, width: float = 140, height: float = 28
) -> list[SourceRow]:
    """The rows of these sources, those with a notice first, then by name."""
    book = _read(visitor)
    rows = [_row(visitor, source, book, (width, height)) for source in known]
    return sorted(rows, key=lambda row: (row.source.name not in book.notices, row.source.name))


def crawl_rows(visitor: Visitor, runs: Sequence[Run]) -> tuple[CrawlRow, ...]:
    """Crawls with their outcomes."""
    with visitor.desk.ledger.read() as db:
        counted = crawls.counts_of(db, [run.id for run in runs])
    return tuple(
        CrawlRow(run=run, outcomes=tuple(counted[run.id].most_common()), told=in_words(visitor, run.message))
        for run in runs
    )


def in_words(visitor: Visitor, line: str) -> str:
    """What a crawl noted, in the visitor's language."""
    kinds = visitor.site.kinds
    return kinds.in_words(line, visitor.language.code) if kinds else line


def _read(visitor: Visitor) -> _Book:
    desk, seen = visitor.desk, visitor.site.watch.look()
    today = local_day(desk.now(), desk.settings.zone)
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    posts: Counter[tuple[str, date]] = Counter()
    for row in count_posts(desk, days):
        posts[row.source, row.day] += row.posts
    with desk.ledger.read() as db:
        limits = sources.limited(db)
    return _Book(days=days, posts=posts, hours=seen.hours, notices=seen.notices, limits=limits)


def _row(visitor: Visitor, source: Source, book: _Book, size: tuple[float, float]) -> SourceRow:
    series = [(day, book.posts.get((source.name, day), 0)) for day in book.days]
    state, told = _state(visitor, source, book)
    return SourceRow(
        source=source,
        state=state,
        told=told,
        chart=stacked(("posts",), [(day, [posts]) for day, posts in series], width=size[0], height=size[1]),
        posts=sum(posts for _, posts in series[-7:]),
        gaps=_gaps(visitor, source, series[:-1], book.hours.get(source.name, Hours())),
    )


def _gaps(visitor: Visitor, source: Source, series: Sequence[tuple[date, int]], hours: Hours) -> tuple[date, ...]:
    """Whole days since the first crawl that brought nothing, where a day should bring something."""
    if hours.first is None:
        return ()
    begun = local_day(datetime.fromtimestamp(hours.first * 3600, UTC), visitor.desk.settings.zone)
    watched = [(day, posts) for day, posts in series if day > begun]
    usual = sum(posts for _, posts in watched) / len(watched) if watched else 0.0
    expected = source.expected_per_week / 7 if source.expected_per_week else usual
    return tuple(day for day, posts in watched if not posts) if expected >= _DAILY else ()


def _state(visitor: Visitor, source: Source, book: _Book) -> tuple[SourceState, str]:
    if not source.enabled:
        return SourceState.PAUSED, ""
    if (told := book.notices.get(source.name)) and told.trouble is Trouble.REFUSED:
        return SourceState.REFUSED, in_words(visitor, told.reason)
    if blocked := _blocked(visitor, source, book):
        return SourceState.BLOCKED, blocked
    if told:
        return _OF_TROUBLE[told.trouble], notice_text(visitor, told)
    return (SourceState.WORKING if source.last_success else SourceState.NEW), ""


def _blocked(visitor: Visitor, source: Source, book: _Book) -> str:
    host = visitor.site.kinds.host(source) if visitor.site.kinds and book.limits else ""
    if host not in book.limits:
        return ""
    until, reason = book.limits[host]
    # Waits follow the machine's clock, not the records'.
    at = visitor.desk.now() + timedelta(seconds=until - time.time())
    said = visitor.say("Until %(moment)s", moment=visitor.language.moment(at))
    return f"{said}: {in_words(visitor, reason)}"


def notice_text(visitor: Visitor, told: Notice) -> str:
    """A notice in one or two sentences."""
    since = visitor.language.moment(told.since) if told.since else ""
    if told.trouble is Trouble.SILENT:
        return visitor.say(
            "%(seen)s new posts in %(hours)s hours, where about %(expected)s were to be expected.",
            seen=visitor.language.number(told.seen),
            hours=visitor.language.number(told.hours),
            expected=visitor.language.number(told.expected),
        )
    if told.trouble is Trouble.NOT_CRAWLED:
        return visitor.say("Not crawled since %(moment)s: is a worker running?", moment=since)
    said = visitor.say("No crawl went well since %(moment)s.", moment=since)
    said = said if since else visitor.say("No crawl has gone well yet.")
    return f"{said} {in_words(visitor, told.reason)}".strip()
