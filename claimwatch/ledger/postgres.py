"""The ledger on PostgreSQL: its pool, how its transactions begin, and plain words for the server's complaints."""

from typing import Any

from sqlalchemy import URL, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, ProgrammingError

from claimwatch.errors import ClaimwatchError, ConfigError, StoreError
from claimwatch.ledger.database import PATIENCE, Database

#: The oldest PostgreSQL that is tried.
OLDEST = 13
#: The advisory lock of writers; within one database this number is nobody else's.
_WRITERS = 4_846_237_001
#: A process keeps so many connections and opens as many more at its peak as to serve every thread of the pages in
#: turn; six processes at their peak stay under the server's usual 100.
_KEPT, _MORE = 5, 10
#: Seconds of silence after which either side calls the other dead: under 30 in all. The server's side matters as much:
#: it frees what a machine that lost its power had locked.
_IDLE, _INTERVAL, _PROBES = 10, 5, 3
#: Seconds that a transaction may stay open without asking anything: longer than any step between two statements.
_DOZING = 60
_SERVER = {
    "lock_timeout": PATIENCE * 1000,
    "idle_in_transaction_session_timeout": _DOZING * 1000,
    "tcp_keepalives_idle": _IDLE,
    "tcp_keepalives_interval": _INTERVAL,
    "tcp_keepalives_count": _PROBES,
}
_CONNECT: dict[str, Any] = {
    "application_name": "claimwatch",
    "connect_timeout": 5,
    "keepalives_idle": _IDLE,
    "keepalives_interval": _INTERVAL,
    "keepalives_count": _PROBES,
    "tcp_user_timeout": (_IDLE + _INTERVAL * _PROBES) * 1000,
    "options": " ".join(f"-c {name}={value}" for name, value in _SERVER.items()),
    "prepare_threshold": None,  # a pooler between us and the server would mix them up
}


def open_server(url: str, password: str) -> Database:
    """The database at `postgresql://user@host:port/name`, looked at once. ConfigError where it is not to be used."""
    address = _address(url, password)
    given = {name: value for name, value in _CONNECT.items() if name not in address.query}
    try:
        engine = create_engine(
            address,
            isolation_level="AUTOCOMMIT",  # we begin and end transactions ourselves
            connect_args=given,
            pool_size=_KEPT,
            max_overflow=_MORE,
            pool_timeout=PATIENCE,
            pool_pre_ping=True,
            pool_use_lifo=True,
            hide_parameters=True,
        )
    except ModuleNotFoundError as error:
        raise ConfigError(f"PostgreSQL needs `{error.name}`: pip install 'claimwatch[postgres]'") from error
    named = {name: getattr(address, name) for name in ("username", "host", "port", "database")}
    place = URL.create("postgresql", **named).render_as_string()
    database = Database(
        engine=engine,
        place=place,
        begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        begin_write=f"BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SELECT pg_advisory_xact_lock({_WRITERS})",
        explain=lambda error: _explained(error, place),
    )
    try:
        _look(database)
    except DBAPIError as error:
        engine.dispose()
        raise _explained(error, place) or error from error
    except ConfigError:
        engine.dispose()
        raise
    return database


def _address(url: str, password: str) -> URL:
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError) as error:
        raise ConfigError("stores.ledger: not an address: write postgresql://user@host:5432/database") from error
    if not address.database:
        raise ConfigError("stores.ledger: names no database: write postgresql://user@host:5432/database")
    return address.set(password=password) if password else address


def _look(database: Database) -> None:
    """Refuse a server that would fail later, or keep other texts than it was given."""
    with database.engine.connect() as db:
        version = int(db.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10_000
        encoding = db.exec_driver_sql("SHOW server_encoding").scalar_one()
    if version < OLDEST:
        raise ConfigError(f"{database.place}: PostgreSQL {version} is too old: upgrade it to {OLDEST} or newer")
    if encoding != "UTF8":
        raise ConfigError(
            f"{database.place}: keeps texts as {encoding}: make the database anew with CREATE DATABASE ... "
            "ENCODING 'UTF8' TEMPLATE template0"
        )


_GO_ON = "what was acknowledged is kept; try again"
_NOT_THERE = "check that PostgreSQL runs and that stores.ledger names its host and port; " + _GO_ON
#: SQLSTATEs of a user that may not do what it is asked to.
_RIGHTS = ("42501", "3F000")
#: By SQLSTATE, once connected.
_BY_STATE = {
    "55P03": "another process is writing for too long: try again, or look for one that hangs in pg_stat_activity",
    "53100": "free some disk space on the server and try again; nothing acknowledged was lost",
    "53300": "raise max_connections of the server, or run fewer processes",
    "25006": "the server takes no writes (a standby?): name the primary in stores.ledger",
    **dict.fromkeys(_RIGHTS, "give the user its rights: GRANT ALL ON SCHEMA public TO that user, in this database"),
    "57014": _GO_ON,
}
#: By the words of a refused connection, whose SQLSTATE the driver does not tell. True: for the operator to mend.
_BY_WORDS = (
    (
        "password",
        True,
        "put the right one into CLAIMWATCH_POSTGRES_PASSWORD or the file CLAIMWATCH_POSTGRES_PASSWORD_FILE",
    ),
    ("pg_hba.conf", True, "let this user and machine in, in the server's pg_hba.conf"),
    ("role ", True, "make the user (CREATE ROLE ... LOGIN) or name another in stores.ledger"),
    ("permission denied", True, "give the user its rights: GRANT ALL ON DATABASE to that user"),
    ("database ", True, "make it (CREATE DATABASE ... ENCODING 'UTF8') or name another in stores.ledger"),
    ("invalid ", True, "write stores.ledger as postgresql://user@host:5432/database, with options libpq knows"),
    ("SSL", True, "check sslmode and sslrootcert of stores.ledger"),
    ("certificate", True, "check sslmode and sslrootcert of stores.ledger"),
    ("too many clients", False, _BY_STATE["53300"]),
    ("connection slots", False, _BY_STATE["53300"]),
)


def _explained(error: DBAPIError, place: str) -> ClaimwatchError | None:
    """One line for what the operator, or another try, can mend; None for a mistake of ours."""
    state = getattr(error.orig, "sqlstate", None) or ""
    said = (str(error.orig).strip().splitlines() or [""])[0]
    if isinstance(error, IntegrityError):
        return None
    if isinstance(error, DataError):
        return ConfigError(f"the ledger cannot keep this value: {said}")
    if isinstance(error, ProgrammingError) and state not in _RIGHTS:
        return None if state else _refused(said, place)
    if state:
        kind = ConfigError if state in _RIGHTS else StoreError
        return kind(f"{place}: {said}: {_BY_STATE.get(state, _GO_ON)}")
    return _refused(said, place)


def _refused(said: str, place: str) -> ClaimwatchError:
    """A connection that could not be made, or was lost."""
    said = said.rpartition("FATAL:  ")[2]
    for word, ours, advice in _BY_WORDS:
        if word in said and "system is" not in said:
            return (ConfigError if ours else StoreError)(f"{place}: {said}: {advice}")
    return StoreError(f"{place}: {said}: {_NOT_THERE}")
