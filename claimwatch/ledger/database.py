"""What the ledger needs to know of one kind of database, and statements that each kind words in its own way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from claimwatch.errors import ClaimwatchError

#: Seconds that a writer waits for another before it gives up.
PATIENCE = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """One open database: how its transactions begin and what its complaints mean."""

    engine: Engine
    place: str  #: for the operator to recognise; holds no password
    begin_read: str  #: a transaction that sees one consistent state
    begin_write: str  #: a transaction alone among writers
    explain: Callable[[DBAPIError], ClaimwatchError | None]  #: None: not the operator's to mend


def inserting(db: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT."""
    return (postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert)(table)


def upsert(db: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or change the one that has its primary key."""
    keys = [column.name for column in table.primary_key]
    insert = inserting(db, table).values(**values)
    rest = {name: insert.excluded[name] for name in values if name not in keys}
    if rest:
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest))
    else:
        db.execute(insert.on_conflict_do_nothing())
