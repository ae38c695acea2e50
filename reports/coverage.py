"""What each source gave in a week beside what it should have given."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from claimwatch.ledger.runs import Run
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
    counted: Sequence[SourceCounts], listed: Sequence[Source], made: Sequence[Run]
) -> dict[str, SourceContext]:
    """What is known today of each counted source and of each enabled one that gave nothing, with the week's runs."""
    known = {source.name: source for source in listed}
    names = {one.source for one in counted} | {source.name for source in listed if source.enabled}
    return {name: _context(known.get(name), [run for run in made if run.source == name]) for name in sorted(names)}


def _context(source: Source | None, made: Sequence[Run]) -> SourceContext:
    """An import is no listed source: nothing is expected of it."""
    return SourceContext(
        expected=source.expected_per_week if source else 0,
        enabled=source.enabled if source else True,
        attention=source.attention if source else "",
        runs=len(made),
        failed=sum(run.status == "failed" for run in made),
    )
