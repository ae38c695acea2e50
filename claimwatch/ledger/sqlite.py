"""The ledger in a SQLite file."""

from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from claimwatch.errors import ConfigError, StoreError, advice_on
from claimwatch.ledger.database import PATIENCE, Database


def open_file(path: Path, max_pages: int | None = None) -> Database:
    """The database in a file, its folder made; `max_pages` bounds its size, to test a full disk.

    WAL, full syncs, and transactions begun by us: the driver's own would begin too late to be alone.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path.parent}: cannot be made ({error.strerror}): set CLAIMWATCH_DATA") from error
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": PATIENCE}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={PATIENCE * 1000}"):
            connection.execute(f"PRAGMA {pragma}")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count={max_pages}")

    return Database(
        engine=engine, place=str(path), begin_read="BEGIN", begin_write="BEGIN IMMEDIATE", explain=_explained
    )


def _explained(error: DBAPIError) -> StoreError | None:
    if isinstance(error, OperationalError) or type(error) is DatabaseError:
        return StoreError(f"the ledger cannot be used: {error.orig}: {advice_on(str(error.orig))}")
    return None
