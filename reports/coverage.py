"""What each source gave in a week beside what it should have given."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from claimwatch.ledger.crawls import Hours
from claimwatch.ledger.runs import Run
from claimwatch.notices import Notice, Trouble, notice_on
from claimwatch.posts.base import CountRow
from claimwatch.records import Source
from reports.numbers import SourceContext, SourceCounts


def source_counts(rows: Sequence[CountRow], days: Sequence[date]) -> tuple[SourceCounts, ...]:
    """Posts per source and day of the sources that gave some, most posts first."""
    posts: Counter[tuple[str, date]] = Counter()
    for row in rows:
        posts[row.source, row.day] += row.posts
    names = {name for name, _ in posts}
    found = [SourceCounts(source=name, days=tuple(posts[name, day] for day in days)) for name in names]
    return tuple(sorted(found, key=lambda one: (-one.posts, one.source)))


def source_contexts(
    counted: Sequence[SourceCounts],
    listed: Sequence[Source],
    made: Sequence[Run],
    notices: Mapping[str, Notice] | None = None,
) -> dict[str, SourceContext]:
    """What is known today of each counted source and of each enabled one that gave nothing, with the week's runs."""
    known, told = {source.name: source for source in listed}, notices or {}
    names = {one.source for one in counted} | {source.name for source in listed if source.enabled}
    return {
        name: _context(known.get(name), [run for run in made if run.source == name], told.get(name))
        for name in sorted(names)
    }


def notices_at(
    end: datetime, now: datetime, listed: Sequence[Source], hours: Mapping[str, Hours], made: Sequence[Run]
) -> dict[str, Notice]:
    """The notices as they stood when the week ended, by the crawls up to then; of a week that goes on, as they are."""
    found = {}
    for source in listed:
        crawls = [run for run in made if run.source == source.name and run.stage == "crawl"]
        as_then = source if now < end else _as_then(source, crawls)
        told = notice_on(as_then, hours.get(source.name, Hours()), min(end, now)) if as_then else None
        if told:
            found[source.name] = told
    return found


def _as_then(source: Source, crawls: Sequence[Run]) -> Source | None:
    """The source as the week's crawls left it; None where it was not crawled at all: it may not have been there."""
    if not crawls:
        return None
    well = [run.started_at for run in crawls if run.status == "done"]
    last = max(run.started_at for run in crawls)
    before = source.last_success if source.last_success and source.last_success < crawls[0].started_at else None
    return replace(source, attention="", last_try=last, last_success=max(well, default=before))


def _context(source: Source | None, made: Sequence[Run], told: Notice | None) -> SourceContext:
    """An import is no listed source: nothing is expected of it."""
    silent = (told.seen, told.hours, round(told.expected)) if told and told.trouble is Trouble.SILENT else None
    return SourceContext(
        expected=source.expected_per_week if source else 0,
        enabled=source.enabled if source else True,
        attention=source.attention if source else "",
        runs=len(made),
        failed=sum(run.status == "failed" for run in made),
        notice=told.trouble.value if told else "",
        silent=silent,
    )
