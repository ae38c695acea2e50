"""Opening the ledger: migrated on opening, with read and write transactions, the same on every database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree

from claimwatch.errors import ConfigError, StoreError
from claimwatch.ledger import postgres, sqlite
from claimwatch.ledger.database import Database

_MIGRATIONS = Path(__file__).with_name("migrations")


class Ledger:
    """The ledger's database. Modules of this package work on the connections it hands out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, path: Path, *, max_pages: int | None = None) -> Self:
        """The ledger in a SQLite file, made or migrated as needed. `max_pages` bounds its size, to test a full disk."""
        return cls._migrated(sqlite.open_file(path, max_pages))

    @classmethod
    def connect(cls, url: str, *, password: str = "") -> Self:
        """The ledger in a PostgreSQL database, `postgresql://user@host:port/name`, its tables made or migrated."""
        return cls._migrated(postgres.open_server(url, password))

    @property
    def place(self) -> str:
        """Where it is kept, for the operator to recognise."""
        return self._database.place

    def migrate(self) -> None:
        """Bring the tables to the newest migration; a ledger of a newer claimwatch is refused."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.write() as db:
            config.attributes["connection"] = db
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ConfigError("the ledger was made by a newer claimwatch: upgrade claimwatch") from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one consistent state."""
        with self._told(), self._database.engine.connect() as db:
            db.exec_driver_sql(self._database.begin_read)
            yield db
            db.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction alone among writers; all of it happens or nothing."""
        with self._told(), self._database.engine.connect() as db:
            db.exec_driver_sql(self._database.begin_write)
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()

    def close(self) -> None:
        """Let go of every connection."""
        self._database.engine.dispose()

    @classmethod
    def _migrated(cls, database: Database) -> Self:
        ledger = cls(database)
        try:
            ledger.migrate()
        except BaseException:
            ledger.close()
            raise
        return ledger

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what the database complains of into one line for the operator."""
        try:
            yield
        except NoneFree as error:
            raise StoreError(f"{self.place}: every connection is in use: try again") from error
        except DBAPIError as error:
            if line := self._database.explain(error):
                raise line from error
            raise
