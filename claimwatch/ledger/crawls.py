"""What the crawls of each source brought, hour by hour, and its newest runs."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, cast, extract, func, select

from claimwatch.ledger.runs import Run
from claimwatch.ledger.tables import run_counts, runs

#: Seconds of an hour.
_HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """One source's crawls. Hours are whole hours since the epoch."""

    posts: Mapping[int, int] = field(default_factory=dict)  #: new posts of the crawls begun in each hour
    answered: frozenset[int] = frozenset()  #: hours in which a crawl began that went well
    first: int | None = None  #: the hour of the first crawl in sight
    fails_since: int | None = None  #: the hour of the first crawl that failed since one went well


def hour_of(at: datetime) -> int:
    """The hour that an instant is in."""
    return int(at.timestamp()) // _HOUR


def hours(db: Connection, start: datetime, end: datetime) -> dict[str, Hours]:
    """The crawls of every source begun from `start` up to, not including, `end`."""
    within = (runs.c.stage == "crawl") & (runs.c.started_at >= start) & (runs.c.started_at < end)
    hour = _hour(runs.c.started_at)
    stored = (
        select(runs.c.source, hour.label("hour"), func.sum(run_counts.c.posts).label("posts"))
        .join(run_counts, run_counts.c.run == runs.c.id)
        .where(within, run_counts.c.outcome == "stored")
        .group_by(runs.c.source, hour)
    )
    posts: dict[str, dict[int, int]] = {}
    for row in db.execute(stored):
        posts.setdefault(row.source, {})[int(row.hour)] = int(row.posts)
    ended = select(runs.c.source, hour.label("hour"), runs.c.status).where(within).distinct()
    seen: dict[str, dict[str, set[int]]] = {}
    for row in db.execute(ended):
        seen.setdefault(row.source, {}).setdefault(row.status, set()).add(int(row.hour))
    return {name: _hours(posts.get(name, {}), found) for name, found in seen.items()}


def of_source(db: Connection, source: str, *, since: datetime, after: int = 0, limit: int = 5) -> list[Run]:
    """The crawls of one source begun since then, with a number above `after`, newest first."""
    query = (
        select(runs)
        .where(runs.c.stage == "crawl", runs.c.source == source, runs.c.started_at >= since, runs.c.id > after)
        .order_by(runs.c.id.desc())
        .limit(limit)
    )
    return [Run(**row._mapping) for row in db.execute(query)]


def counts_of(db: Connection, numbers: list[int]) -> dict[int, Counter[str]]:
    """The outcomes of these runs, by their numbers."""
    found: dict[int, Counter[str]] = {number: Counter() for number in numbers}
    for row in db.execute(select(run_counts).where(run_counts.c.run.in_(numbers))):
        found[row.run][row.outcome] = row.posts
    return found


def last_number(db: Connection) -> int:
    """The number of the newest run of all; 0 before the first."""
    return int(db.execute(select(func.max(runs.c.id))).scalar() or 0)


def last_reason(db: Connection, source: str, now: datetime) -> str:
    """What the newest crawl of the last week that failed said; "" where none did."""
    query = (
        select(runs.c.message)
        .where(runs.c.stage == "crawl", runs.c.source == source, runs.c.status == "failed")
        .where(runs.c.started_at >= now - timedelta(days=7))
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    return str(db.execute(query).scalar() or "")


def _hours(posts: Mapping[int, int], seen: Mapping[str, set[int]]) -> Hours:
    answered, failed = seen.get("done", set()), seen.get("failed", set())
    last = max(answered, default=-1)
    return Hours(
        posts=posts,
        answered=frozenset(answered),
        first=min((hour for each in seen.values() for hour in each), default=None),
        fails_since=min((hour for hour in failed if hour > last), default=None),
    )


def _hour(at: ColumnElement[datetime]) -> ColumnElement[int]:
    return cast(extract("epoch", at), BigInteger) // _HOUR
