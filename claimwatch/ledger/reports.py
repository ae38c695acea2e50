"""Published weekly reports: frozen; a correction is a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from claimwatch.ledger.tables import published


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One version of a week's report."""

    week: str
    version: int
    hash: str
    body: Mapping[str, Any]
    published_at: datetime


def publish(db: Connection, week: str, *, digest: str, body: Mapping[str, Any], now: datetime) -> Published:
    """Keep a report as the week's newest version; the same content again is the version it already is."""
    last = newest(db, week)
    if last and last.hash == digest:
        return last
    version = last.version + 1 if last else 1
    values = {"week": week, "version": version, "hash": digest, "body": dict(body), "published_at": now}
    db.execute(insert(published).values(**values))
    return Published(**values)  # type: ignore[arg-type]


def newest(db: Connection, week: str) -> Published | None:
    """The newest version of a week's report."""
    query = select(published).where(published.c.week == week).order_by(published.c.version.desc()).limit(1)
    row = db.execute(query).first()
    return _published(row) if row else None


def every(db: Connection) -> list[Published]:
    """The newest version of every published week, newest week first."""
    rows = db.execute(select(published).order_by(published.c.week.desc(), published.c.version.desc()))
    newest_of: dict[str, Published] = {}
    for row in rows:
        newest_of.setdefault(row.week, _published(row))
    return list(newest_of.values())


def weeks(db: Connection) -> set[str]:
    """The weeks that are published, hence closed to late posts."""
    return {row.week for row in db.execute(select(published.c.week).distinct())}


def _published(row: Row[Any]) -> Published:
    return Published(**row._mapping)
