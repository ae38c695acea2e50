"""One SQLite file, shared by threads and processes: connections, transactions, and plain words for its complaints."""

import sqlite3
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from claimwatch.errors import ConfigError, StoreError, advice_on
from claimwatch.text.fold import fold

_SCHEMA = Path(__file__).with_name("schema.sql")
_VERSION = 1
_FOLDING = f"1 {unicodedata.unidata_version}"
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=FAST",
    "cache_size=-32000",  # KB
    "wal_autocheckpoint=8000",  # pages: at 1,000 every tenth write of 500 posts waits for the whole file's sync
)
_REFOLD = (
    "INSERT INTO words (words) VALUES ('delete-all')",
    "INSERT INTO flagged_words (flagged_words) VALUES ('delete-all')",
    """INSERT INTO words (rowid, folded)
    SELECT number, fold(title || ' ' || text) FROM posts WHERE state <> 'deleted'""",
    """INSERT INTO flagged_words (rowid, folded)
    SELECT number, fold(title || ' ' || text) FROM posts WHERE state <> 'deleted' AND flag = 1""",
)


class SqliteFile:
    """Lends connections, each to one thread at a time. A connection that met an error is never lent again."""

    def __init__(self, path: Path, *, patience: float, max_pages: int | None) -> None:
        self._path = path
        self._patience = patience  # seconds to wait for another writer
        self._max_pages = max_pages
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path.parent}: cannot be made ({error.strerror}): set CLAIMWATCH_DATA") from error
        self._prepare()

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one consistent state."""
        with self._lent() as db:
            db.execute("BEGIN")
            yield db
            db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction alone among writers, durable once left; an error leaves nothing of it."""
        with self._lent() as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file. Connections still lent are closed when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for db in idle:
            db.close()

    @contextmanager
    def _lent(self) -> Iterator[sqlite3.Connection]:
        with self._told():
            db = self._taken()
            try:
                yield db
            except BaseException:
                db.close()  # which rolls back whatever had begun
                raise
            self._given_back(db)

    def _taken(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise StoreError("the posts store is closed")
            if self._idle:
                return self._idle.pop()
        return self._opened()

    def _given_back(self, db: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(db)
                return
        db.close()

    def _opened(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=self._patience, isolation_level=None, check_same_thread=False)
        try:
            db.row_factory = sqlite3.Row
            db.create_function("fold", 1, fold, deterministic=True)
            self._use_wal(db)
            for pragma in _PRAGMAS:
                db.execute(f"PRAGMA {pragma}")
            if self._max_pages is not None:
                db.execute(f"PRAGMA max_page_count={self._max_pages}")
        except BaseException:
            db.close()
            raise
        return db

    def _use_wal(self, db: sqlite3.Connection) -> None:
        """Turn the write-ahead log on. SQLite does not wait by itself while another process does the same."""
        give_up = time.monotonic() + self._patience
        while True:
            try:
                db.execute("PRAGMA journal_mode=WAL").fetchone()
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)

    def _prepare(self) -> None:
        with self.read() as db:
            ready = _version(db) == _VERSION and _folding(db) == _FOLDING
        if ready:
            return
        with self.write() as db:
            version = _version(db)
            if version > _VERSION:
                raise ConfigError(f"{self._path}: made by a newer claimwatch: upgrade claimwatch")
            if version == 0:
                self._create(db)
            _fold_anew(db)

    def _create(self, db: sqlite3.Connection) -> None:
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreError(f"{self._path}: this is not a posts store: move the file away")
        for statement in _statements(_SCHEMA.read_text(encoding="utf-8")):
            db.execute(statement)
        db.execute(f"PRAGMA user_version={_VERSION}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turns what SQLite complains of into one line for the operator."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
                raise StoreError(f"{self._path}: {error}: {advice_on(str(error))}") from error
            raise


def _statements(script: str) -> Iterator[str]:
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _folding(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT value FROM facts WHERE name = 'folding'").fetchone()
    return str(row[0]) if row else ""


def _fold_anew(db: sqlite3.Connection) -> None:
    """Put all words in anew where they were folded by other rules: deleting them by today's would corrupt them."""
    if _folding(db) != _FOLDING:
        for statement in _REFOLD:
            db.execute(statement)
        db.execute("INSERT OR REPLACE INTO facts VALUES ('folding', ?)", (_FOLDING,))
