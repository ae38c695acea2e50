"""Sources with their state, cursors and leases, and the rate-limit book."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from claimwatch.errors import ConfigError
from claimwatch.ledger import facts
from claimwatch.ledger.database import upsert
from claimwatch.ledger.tables import cursors, leases, limits, rejected, sources
from claimwatch.records import Source

#: Seconds a lease holds without being renewed; a killed crawl's source is free again after that.
LEASE = 120.0
#: Names the fact that a crawl of a source is asked for.
_ASKED = "asked."
_STATE = ("attention", "last_success", "last_try", "edited")


def seed(db: Connection, listed: Sequence[Source]) -> None:
    """Bring in sources.yml: new ones are added, unedited ones changed; their state stays."""
    known = {source.name: source for source in every(db)}
    for source in listed:
        row = {name: value for name, value in asdict(source).items() if name not in _STATE}
        if source.name not in known:
            db.execute(insert(sources).values(**asdict(source)))
        elif not known[source.name].edited:
            db.execute(update(sources).where(sources.c.name == source.name).values(**row))


def put(db: Connection, source: Source) -> None:
    """Keep a source that an operator made or changed."""
    upsert(db, sources, asdict(source) | {"edited": True})


def every(db: Connection) -> list[Source]:
    """All sources by name."""
    return [_source(row) for row in db.execute(select(sources).order_by(sources.c.name))]


def get(db: Connection, name: str) -> Source:
    """A source by name. ConfigError, with the known names, where there is none."""
    row = db.execute(select(sources).where(sources.c.name == name)).first()
    if row is None:
        known = ", ".join(source.name for source in every(db)) or "none yet: see config/sources.yml"
        raise ConfigError(f"there is no source {name!r}; known: {known}")
    return _source(row)


def enable(db: Connection, name: str, *, enabled: bool) -> None:
    """Let a source be crawled, or pause it."""
    get(db, name)
    db.execute(update(sources).where(sources.c.name == name).values(enabled=enabled, edited=True))


def tried(db: Connection, name: str, now: datetime, *, attention: str = "", succeeded: bool = False) -> None:
    """Note a crawl's end: why an operator must look ("" clears it), and whether it got an answer."""
    values: dict[str, Any] = {"last_try": now, "attention": attention}
    if succeeded:
        values["last_success"] = now
    db.execute(update(sources).where(sources.c.name == name).values(**values))


def cursor(db: Connection, source: str, query: str) -> dict[str, Any]:
    """Where the last crawl of this query stopped; {} before the first."""
    where = (cursors.c.source == source) & (cursors.c.query == query)
    row = db.execute(select(cursors.c.state).where(where)).first()
    return dict(row.state) if row else {}


def move_cursor(db: Connection, source: str, query: str, *, state: Mapping[str, Any], now: datetime) -> None:
    """Keep where a crawl has come to, in the transaction that keeps its counts."""
    upsert(db, cursors, {"source": source, "query": query, "state": dict(state), "updated_at": now})


def drop_cursors(db: Connection, source: str) -> None:
    """Forget where the crawls of a source stopped: it asks something else from now on."""
    db.execute(delete(cursors).where(cursors.c.source == source))


def ask(db: Connection, name: str, now: datetime) -> None:
    """Wish that a source be crawled soon; the worker looks for such wishes every half minute."""
    get(db, name)
    facts.put(db, _ASKED + name, now.isoformat())


def asked(db: Connection) -> dict[str, datetime]:
    """The sources whose crawl is wished for, each with when."""
    found = facts.starting(db, _ASKED)
    return {name.removeprefix(_ASKED): datetime.fromisoformat(value) for name, value in found.items()}


def take_asked(db: Connection, names: Iterable[str]) -> None:
    """Note that the crawls wished for are begun."""
    for name in names:
        facts.drop(db, _ASKED + name)


def acquire(db: Connection, name: str, holder: str) -> bool:
    """Take or renew a lease; False while another holder has it. Machine time, because waits are real."""
    row = db.execute(select(leases).where(leases.c.name == name)).first()
    if row and row.holder != holder and row.until > time.time():
        return False
    upsert(db, leases, {"name": name, "holder": holder, "until": time.time() + LEASE})
    return True


def release(db: Connection, name: str, holder: str) -> None:
    """Give a lease back."""
    db.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def limit(db: Connection, key: str, *, until: float, reason: str) -> None:
    """Book that a host (and credential) must not be asked before `until`, seconds since the epoch."""
    upsert(db, limits, {"key": key, "until": until, "reason": reason})


def limited(db: Connection) -> dict[str, tuple[float, str]]:
    """The rate-limit book: key to (until, reason), past entries left out."""
    rows = db.execute(select(limits).where(limits.c.until > time.time()))
    return {row.key: (row.until, row.reason) for row in rows}


def set_aside(db: Connection, source: str, rows: Sequence[tuple[str, str]], now: datetime) -> None:
    """Keep rows that could not be read: (reason, the row, scrubbed)."""
    if rows:
        values = [{"source": source, "at": now, "reason": reason[:200], "row": row} for reason, row in rows]
        db.execute(insert(rejected), values)


def aside(db: Connection, source: str, *, limit: int = 50) -> list[tuple[datetime, str, str]]:
    """The newest rows set aside of a source: (when, reason, row)."""
    query = select(rejected).where(rejected.c.source == source).order_by(rejected.c.id.desc()).limit(limit)
    return [(row.at, row.reason, row.row) for row in db.execute(query)]


def drop_aside(db: Connection, before: datetime) -> int:
    """Delete rows set aside before; how many."""
    return db.execute(delete(rejected).where(rejected.c.at < before)).rowcount


def _source(row: Row[Any]) -> Source:
    return Source(**row._mapping)
