"""Opening the ledger: one engine, migrated on opening, with read and write transactions."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, OperationalError

from claimwatch.errors import ConfigError, StoreError, advice_on

_MIGRATIONS = Path(__file__).with_name("migrations")
#: Milliseconds that a writer waits for another before it gives up.
_PATIENCE = 15_000


class Ledger:
    """The ledger's engine. Modules of this package work on the connections it hands out."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, path: Path, *, max_pages: int | None = None) -> Self:
        """The ledger in a SQLite file, made or migrated as needed. `max_pages` bounds its size, to test a full disk."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path.parent}: cannot be made ({error.strerror}): set CLAIMWATCH_DATA") from error
        engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _PATIENCE / 1000})
        _prepare(engine, max_pages)
        ledger = cls(engine)
        ledger.migrate()
        return ledger

    def migrate(self) -> None:
        """Bring the tables to the newest migration; a ledger of a newer claimwatch is refused."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with _told(), self._engine.connect() as db:
            db.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = db
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigError("the ledger was made by a newer claimwatch: upgrade claimwatch") from error
            db.commit()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with _told(), self._engine.connect() as db:
            db.exec_driver_sql("BEGIN")
            yield db
            db.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction alone among writers; all of it happens or nothing."""
        with _told(), self._engine.connect() as db:
            db.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    def close(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()


def upsert(db: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert a row, or change the one that has its primary key."""
    keys = [column.name for column in table.primary_key]
    insert = (postgresql.insert if db.dialect.name == "postgresql" else sqlite.insert)(table).values(**values)
    rest = {name: insert.excluded[name] for name in values if name not in keys}
    if rest:
        db.execute(insert.on_conflict_do_update(index_elements=keys, set_=rest))
    else:
        db.execute(insert.on_conflict_do_nothing())


def _prepare(engine: Engine, max_pages: int | None) -> None:
    """WAL, full syncs, and transactions begun by us: the driver's own would begin too late to be alone."""

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={_PATIENCE}"):
            connection.execute(f"PRAGMA {pragma}")
        if max_pages is not None:
            connection.execute(f"PRAGMA max_page_count={max_pages}")


@contextmanager
def _told() -> Iterator[None]:
    """Turns what the database complains of into one line for the operator."""
    try:
        yield
    except (OperationalError, DatabaseError) as error:
        if isinstance(error, OperationalError) or type(error) is DatabaseError:
            raise StoreError(f"the ledger cannot be used: {error.orig}: {advice_on(str(error.orig))}") from error
        raise
