"""A ledger copied into another database, every table but the author keys: a copy must not make pseudonyms again."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, tuple_

from claimwatch.errors import ConfigError
from claimwatch.ledger import facts
from claimwatch.ledger.base import Ledger
from claimwatch.ledger.database import inserting
from claimwatch.ledger.tables import (
    author_keys,
    cursors,
    decisions,
    metadata,
    published,
    purges,
    responses,
    runs,
    users,
)
from claimwatch.ledger.tables import facts as fact_table

#: Rows read and written at once.
_BATCH = 1_000
#: In the order in which rows may refer to each other.
_TABLES = [table for table in metadata.sorted_tables if table is not author_keys]

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """The rows of one table on both sides after a copy."""

    table: str
    source: int
    target: int


def size(ledger: Ledger) -> int:
    """How many rows `copy_ledger` has to carry."""
    with ledger.read() as db:
        return sum(_count(db, table) for table in _TABLES)


def is_used(ledger: Ledger) -> bool:
    """Whether anybody worked with it: what the configuration seeds does not count, nor does an unfinished copy."""
    with ledger.read() as db:
        if facts.get(db, facts.UNFINISHED) is not None:
            return False
        return any(_count(db, table) for table in (users, decisions, responses, runs, published, purges, cursors))


def copy_ledger(source: Ledger, target: Ledger, advance: Callable[[int], None]) -> list[Copied]:
    """Carry one state of `source` into `target`; the rows of each table on both sides, by name.

    The target must be empty or hold such a copy of the same desk that was stopped: that one is finished, with what has
    changed since. Until both sides have the same number of rows it stays marked as unfinished, and no desk opens it.
    """
    with source.read() as old:
        _mark(old, source, target)
        keys = {table: _carry(old, table, target, advance) for table in _TABLES}
        with target.write() as new:
            for table in reversed(_TABLES):
                _drop_others(new, table, keys[table])
            _set_sequences(new)
            copied = [_compared(new, table, keys[table]) for table in _TABLES]
            if all(one.source == one.target for one in copied):
                facts.drop(new, facts.UNFINISHED)
    return sorted(copied, key=lambda one: one.table)


def empty(ledger: Ledger) -> None:
    """Delete every row, author keys too."""
    with ledger.write() as db:
        for table in reversed(metadata.sorted_tables):
            db.execute(delete(table))


def _mark(old: Connection, source: Ledger, target: Ledger) -> None:
    """Note in the target whose copy it is becoming; refuse one that is something else."""
    if facts.get(old, facts.UNFINISHED) is not None:
        raise ConfigError(f"{source.place}: is itself an unfinished copy: copy from where it came")
    desk = facts.fingerprints(old)
    with target.write() as new:
        if not _is_empty(new) and facts.get(new, facts.UNFINISHED) != desk:
            raise ConfigError(f"{target.place}: holds a ledger already: name an empty database or folder")
        facts.put(new, facts.UNFINISHED, desk)


def _carry(old: Connection, table: Table, target: Ledger, advance: Callable[[int], None]) -> set[Key]:
    """Write every row of a table; their keys."""
    keys: set[Key] = set()
    for rows in _pages(old, table):
        with target.write() as new:
            insert = inserting(new, table)
            changed = {column.name: insert.excluded[column.name] for column in table.c}
            statement = insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)
            new.execute(statement, rows)
        keys |= {tuple(row[column.name] for column in table.primary_key) for row in rows}
        advance(len(rows))
    return keys


def _pages(db: Connection, table: Table) -> Iterator[Sequence[dict[str, Any]]]:
    query = select(table).order_by(*table.primary_key)
    for part in db.execute(query, execution_options={"yield_per": _BATCH}).mappings().partitions():
        yield [dict(row) for row in part]


def _drop_others(db: Connection, table: Table, keys: set[Key]) -> None:
    """Delete rows that the source has no more since an earlier, stopped copy."""
    primary = list(table.primary_key)
    there = {tuple(row) for row in db.execute(select(*primary))}
    surplus = sorted(there - keys - ({(facts.UNFINISHED,)} if table is fact_table else set()))
    for start in range(0, len(surplus), _BATCH):
        db.execute(delete(table).where(tuple_(*primary).in_(surplus[start : start + _BATCH])))


def _compared(db: Connection, table: Table, keys: set[Key]) -> Copied:
    mark = 1 if table is fact_table else 0  # which stands in the target alone
    return Copied(table=table.name, source=len(keys), target=_count(db, table) - mark)


def _set_sequences(db: Connection) -> None:
    """Let PostgreSQL number the next rows after those copied; SQLite does so by itself."""
    if db.dialect.name != "postgresql":
        return
    for table in _TABLES:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            last = func.max(column)
            db.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _count(db: Connection, table: Table) -> int:
    return db.execute(select(func.count()).select_from(table)).scalar_one()


def _is_empty(db: Connection) -> bool:
    return not any(_count(db, table) for table in metadata.sorted_tables)
