"""Turns at a host: whoever asks it next, in whatever process, does so a delay after the one before."""

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, case, extract, func, literal

from claimwatch.ledger.database import inserting
from claimwatch.ledger.tables import host_turns


@dataclass(frozen=True, slots=True)
class Turn:
    """When one request may leave."""

    at: float  #: seconds since the epoch, by the clock that all workers share
    wait: float  #: seconds from now


def reserve(db: Connection, key: str, *, delay: float, patience: float) -> Turn | None:
    """Take the next turn at a host, in one atomic write; None, and nothing is taken, where it is over `patience` away.

    On PostgreSQL the database's clock counts, so that machines whose clocks differ keep the distance too.
    """
    now = _now(db)
    new = inserting(db, host_turns).values(key=key, next=now + delay)
    free = case((host_turns.c.next > now, host_turns.c.next), else_=now)
    taken = new.on_conflict_do_update(
        index_elements=["key"], set_={"next": free + delay}, where=host_turns.c.next - now <= patience
    ).returning(host_turns.c.next, now.label("now"))
    row = db.execute(taken).first()
    if row is None:
        return None
    at = row.next - delay
    return Turn(at, max(0.0, at - row.now))


def _now(db: Connection) -> ColumnElement[Any]:
    if db.dialect.name == "postgresql":
        # Of the statement, not of the transaction: a writer may have waited for another within it.
        return extract("epoch", func.statement_timestamp()).cast(Float)
    return literal(time.time(), Float)
