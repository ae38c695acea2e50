"""Counts that outlive their posts: committed once per purge batch."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import Connection, func, insert, select, update

from claimwatch.ledger.tables import daily_counts, purges
from claimwatch.posts.base import CountRow


def open_batch(db: Connection, now: datetime) -> int:
    """The number of the batch to mark posts with: an uncommitted one left by a kill, else the next."""
    left = db.execute(select(purges.c.batch).where(purges.c.committed.is_(False))).scalar()
    if left is not None:
        return int(left)
    batch = (db.execute(select(func.max(purges.c.batch))).scalar() or 0) + 1
    db.execute(insert(purges).values(batch=batch, at=now, committed=False, swept=False))
    return int(batch)


def commit_batch(db: Connection, batch: int, rows: Sequence[CountRow]) -> None:
    """Keep a batch's counts for good, once: a second call changes nothing."""
    fresh = (purges.c.batch == batch) & purges.c.committed.is_(False)
    if db.execute(update(purges).where(fresh).values(committed=True)).rowcount and rows:
        db.execute(insert(daily_counts), [_values(row) | {"batch": batch} for row in rows])


def committed(db: Connection, *, swept: bool | None = None) -> list[int]:
    """Committed batches, in order; of those swept already or not."""
    query = select(purges.c.batch).where(purges.c.committed.is_(True)).order_by(purges.c.batch)
    if swept is not None:
        query = query.where(purges.c.swept.is_(swept))
    return [int(row.batch) for row in db.execute(query)]


def mark_swept(db: Connection, batch: int) -> None:
    """Note that a batch's posts are gone."""
    db.execute(update(purges).where(purges.c.batch == batch).values(swept=True))


def daily(db: Connection, days: Collection[date]) -> list[CountRow]:
    """The counts of purged posts of these days."""
    keys = [column for column in daily_counts.c if column.name not in {"batch", "posts"}]
    query = select(*keys, func.sum(daily_counts.c.posts).label("posts"))
    query = query.where(daily_counts.c.day.in_(list(days))).group_by(*keys)
    return [CountRow(**(dict(row._mapping) | {"posts": int(row.posts)})) for row in db.execute(query)]


def _values(row: CountRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in ("day", "claim", "language", "source", "stance", "status", "posts")}
