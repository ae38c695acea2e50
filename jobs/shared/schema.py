"""procrastinate's tables in a schema of their own, made and migrated once, whoever comes first."""

import psycopg
from procrastinate.schema import SchemaManager, migrations_path
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from claimwatch.errors import ConfigError, StoreError

SCHEMA = "claimwatch_jobs"
#: Advisory locks of this database: who makes the tables, who schedules.
MAKING, SCHEDULING = 4_846_237_002, 4_846_237_003
#: Either side notices within 25 s that the other's machine is gone, not only its process.
_SERVER = {"search_path": SCHEMA, "tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 3}
_CLIENT = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


def connection_to(address: str, password: str, name: str = "claimwatch jobs") -> str:
    """How to reach the queue in the ledger's database, `address` as in `Stores.ledger`."""
    try:
        given = str(conninfo_to_dict(address).get("options") or "")
    except psycopg.Error as error:
        raise ConfigError("stores.ledger: not an address: write postgresql://user@host:5432/database") from error
    options = " ".join([given, *(f"-c {key}={value}" for key, value in _SERVER.items())]).strip()
    secret = {"password": password} if password else {}
    return make_conninfo(address, application_name=name, options=options, **_CLIENT, **secret)


def prepare(conninfo: str) -> None:
    """Make the tables, or bring those of an older procrastinate up to date; StoreError where nobody answers.

    The schema's comment holds the last migration: procrastinate itself keeps no account.
    """
    try:
        with psycopg.connect(conninfo, autocommit=True) as db:
            db.execute("SELECT pg_advisory_lock(%s)", [MAKING])
            for script in _missing(_newest(db)):
                db.execute(script)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ConfigError(f"the queue of jobs: {_line(error)}: GRANT CREATE ON DATABASE to this user") from error
    except psycopg.OperationalError as error:
        raise StoreError(f"the queue of jobs cannot be used: {_line(error)}: check that PostgreSQL runs") from error


def _newest(db: psycopg.Connection) -> str | None:
    """The last migration that was applied; None where there is no schema yet."""
    row = db.execute("SELECT obj_description(oid) FROM pg_namespace WHERE nspname = %s", [SCHEMA]).fetchone()
    return None if row is None else str(row[0] or "")


def _missing(newest: str | None) -> list[bytes]:
    """What is left to run, each one transaction with its own note: some add to a type that the next one uses."""
    scripts = sorted(_scripts().items())
    if newest is None:
        return [f"CREATE SCHEMA {SCHEMA}; {SchemaManager.get_schema()}".encode() + _noted(scripts[-1][0])]
    return [text + _noted(name) for name, text in scripts if name > newest]


def _noted(migration: str) -> bytes:
    return f"\n; COMMENT ON SCHEMA {SCHEMA} IS '{migration}'".encode()


def _scripts() -> dict[str, bytes]:
    """The migrations of procrastinate by name; the names sort in their order."""
    return {file.stem: file.read_bytes() for file in migrations_path.glob("*.sql")}


def _line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
