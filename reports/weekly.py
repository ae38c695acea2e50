"""The week's numbers, read from the two stores. Nothing here renders or writes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from claimwatch.clock import week_before, week_days
from claimwatch.desk import Desk
from claimwatch.ledger import claims, counts, decisions, responses, runs, sources
from claimwatch.ledger.crawls import Hours
from claimwatch.notices import read_hours
from claimwatch.posts.base import CountRow
from claimwatch.records import Claim, Decision, Response, Source
from claimwatch.weekcounts import count_posts
from reports import coverage, drift, spread, work
from reports.numbers import ClaimContext, ClaimCounts, Context, Counts, DayCounts, WeekNumbers

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Week:
    """One week by the desk's midnights."""

    name: str
    days: tuple[date, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """What the ledger says of one week, read in one transaction."""

    claims: Mapping[str, Claim]
    redirects: Mapping[str, str]
    decisions: Sequence[Decision]
    histories: Mapping[str, Sequence[Decision]]  #: of the cards decided in the week, up to now
    responses: Sequence[Response]  #: all that were begun by the week's end
    runs: Sequence[runs.Run]
    sources: Sequence[Source]
    hours: Mapping[str, Hours]  #: the crawls of each source up to the week's end
    purged: Sequence[CountRow]


def week_bounds(week: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first instant of a week and the first after it, UTC, by the desk's midnights."""
    monday = week_days(week)[0]
    start, end = (datetime.combine(day, time(), tzinfo=zone) for day in (monday, monday + timedelta(days=7)))
    return start.astimezone(UTC), end.astimezone(UTC)


def week_numbers(desk: Desk, week: str) -> WeekNumbers:
    """All figures of a week: posts and decisions as they stand now, responses as they stood at the week's end."""
    start, end = week_bounds(week, desk.settings.zone)
    bounds = _Week(name=week, days=tuple(week_days(week)), start=start, end=end)
    book = _read(desk, bounds)
    counted = _counts(desk, bounds, book)
    kept = desk.posts.accounts(bounds.days)
    ranges = spread.accounts(counted.claims, kept, book.purged, book.redirects)
    links = work.correction_links(book.responses, book.redirects, end)
    context = Context(
        desk=desk.settings.desk.name,
        timezone=desk.settings.desk.timezone,
        claims={one.claim: _claim_context(one, book, ranges, links) for one in counted.claims},
        sources=coverage.source_contexts(
            counted.sources,
            book.sources,
            book.runs,
            coverage.notices_at(end, desk.now(), book.sources, book.hours, book.runs),
        ),
        drift=drift.of_week(desk, week),
        waiting=work.waiting(desk.posts.card(list(book.histories)), book.decisions, book.histories),
    )
    return WeekNumbers(counts=counted, context=context)


def _read(desk: Desk, week: _Week) -> _Book:
    with desk.ledger.read() as db:
        made = decisions.between(db, week.start, week.end)
        return _Book(
            claims={claim.id: claim for claim in claims.every(db)},
            redirects=claims.redirects(db),
            decisions=made,
            histories=decisions.of_cards(db, sorted({one.card for one in made})),
            responses=responses.between(db, _BEGINNING, week.end),
            runs=runs.between(db, week.start, week.end),
            sources=sources.every(db),
            hours=read_hours(db, min(week.end, desk.now())),
            purged=counts.daily(db, week.days),
        )


def _counts(desk: Desk, week: _Week, book: _Book) -> Counts:
    rows = count_posts(desk, week.days)
    before = count_posts(desk, week_days(week_before(week.name)))
    answers = work.answers_by_claim(book.responses, book.redirects, week.end, week.days[-1])
    return Counts(
        week=week.name,
        posts=spread.statuses(rows),
        before=spread.statuses(before),
        days=tuple(_day(rows, day) for day in week.days),
        languages=spread.by_language(rows),
        sources=coverage.source_counts(rows, week.days),
        stances=spread.stances(rows),
        claims=spread.by_claim(rows, before, book.claims, answers),
        unnamed=spread.spread(row for row in rows if not row.claim),
        decisions=work.decision_counts(book.decisions, book.histories),
        responses=work.response_counts(book.responses, week.start, week.end, week.days[-1]),
    )


def _day(rows: Collection[CountRow], day: date) -> DayCounts:
    return DayCounts(day=day, posts=spread.statuses(row for row in rows if row.day == day))


def _claim_context(
    one: ClaimCounts, book: _Book, ranges: Mapping[str, tuple[int, int]], links: Mapping[str, Sequence[str]]
) -> ClaimContext:
    claim = book.claims.get(one.claim)
    return ClaimContext(
        statement=dict(claim.statement) if claim else {},
        accounts=ranges[one.claim],
        links=tuple(links.get(one.claim, ())),
    )
