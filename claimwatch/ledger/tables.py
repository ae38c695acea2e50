"""The ledger's tables as they stand after the newest migration."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, on databases that forget the zone too."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """To UTC; a naive datetime is a mistake of the caller."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime given to the ledger")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Aware, UTC."""
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """A text of any length. What no database keeps alike, the character NUL, becomes the sign for such."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  its signature
        """Without NUL, which ends a text for PostgreSQL."""
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}") if value else value


class Line(Words):
    """A short text, in the order of code points on every database: PostgreSQL would order by its own language.

    Its length is for the reader: SQLite never enforced it, so the other does not either.
    """

    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """The column's type on this database."""
        kind = Text(collation="C") if dialect.name == "postgresql" else String(self.length)
        return dialect.type_descriptor(kind)


claims = Table(
    "claims",
    metadata,
    Column("id", Line(80), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("statement", JSON, nullable=False),
    Column("phrasings", JSON, nullable=False),
    Column("topic", Line(40), nullable=False),
    Column("harm", Integer, nullable=False),
    Column("harm_reason", JSON, nullable=False),
    Column("verdict", Line(20)),
    Column("correction", JSON, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("status", Line(20), nullable=False),
    Column("merged_into", Line(80)),
    Column("edited", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Line(80), nullable=False, unique=True),
    Column("password", Line(200), nullable=False),
    Column("role", Line(20), nullable=False),
    Column("language", Line(2), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("session", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", Line(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("action", Line(20), nullable=False),
    Column("claim", Line(80)),
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Words, nullable=False),
    Column("post", Line(80), nullable=False),
    Column("text_hash", Line(32), nullable=False),
    Column("text", Words, nullable=False),
    Column("language", Line(8), nullable=False),
    Column("model", Line(80), nullable=False),
    Column("p_false", Float),
    Column("flag", Boolean, nullable=False),
    Column("undoes", ForeignKey("decisions.id")),
    UniqueConstraint("card", "number"),
    Index("decisions_at", "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("card", Line(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Line(20), nullable=False),
    Column("claim", Line(80)),
    Column("action", Line(20)),
    Column("at", Instant, nullable=False),
    Column("done", Boolean, nullable=False),
    Index("outbox_done", "done", "id"),
)

responses = Table(
    "responses",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("claim", ForeignKey("claims.id"), nullable=False),
    Column("kind", Line(30), nullable=False),
    Column("owner", ForeignKey("users.id")),
    Column("due", Date),
    Column("link", Words, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("texts", JSON, nullable=False),
)

sources = Table(
    "sources",
    metadata,
    Column("name", Line(80), primary_key=True),
    Column("kind", Line(20), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("language", Line(8), nullable=False),
    Column("every", Integer, nullable=False),
    Column("expected_per_week", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("attention", Words, nullable=False),
    Column("last_success", Instant),
    Column("last_try", Instant),
    Column("edited", Boolean, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("source", Line(80), primary_key=True),
    Column("query", Line(200), primary_key=True),
    Column("state", JSON, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

#: Leases and limits hold machine time (seconds since the epoch): waits never follow the records' clock.
leases = Table(
    "leases",
    metadata,
    Column("name", Line(120), primary_key=True),
    Column("holder", Line(120), nullable=False),
    Column("until", Float, nullable=False),
)

limits = Table(
    "limits",
    metadata,
    Column("key", Line(200), primary_key=True),
    Column("until", Float, nullable=False),
    Column("reason", Line(200), nullable=False),
)

host_turns = Table(
    "host_turns",
    metadata,
    Column("key", Line(200), primary_key=True),
    Column("next", Float(53), nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("stage", Line(20), nullable=False),
    Column("source", Line(80), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("status", Line(20), nullable=False),
    Column("message", Words, nullable=False),
    Index("runs_started", "started_at"),
)

run_counts = Table(
    "run_counts",
    metadata,
    Column("run", ForeignKey("runs.id"), primary_key=True),
    Column("outcome", Line(60), primary_key=True),
    Column("posts", Integer, nullable=False),
)

rejected = Table(
    "rejected",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("source", Line(80), nullable=False),
    Column("at", Instant, nullable=False),
    Column("reason", Line(200), nullable=False),
    Column("row", Words, nullable=False),
    Index("rejected_at", "at"),
)

purges = Table(
    "purges",
    metadata,
    Column("batch", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("committed", Boolean, nullable=False),
    Column("swept", Boolean, nullable=False),
)

daily_counts = Table(
    "daily_counts",
    metadata,
    Column("batch", ForeignKey("purges.batch"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("claim", Line(80), primary_key=True),
    Column("language", Line(8), primary_key=True),
    Column("source", Line(80), primary_key=True),
    Column("stance", Line(20), primary_key=True),
    Column("status", Line(20), primary_key=True),
    Column("posts", Integer, nullable=False),
    Index("daily_counts_day", "day"),
)

published = Table(
    "reports",
    metadata,
    Column("week", Line(8), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("hash", Line(64), nullable=False),
    Column("body", JSON, nullable=False),
    Column("published_at", Instant, nullable=False),
)

author_keys = Table(
    "author_keys",
    metadata,
    Column("quarter", Line(7), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("name", Line(80), primary_key=True),
    Column("value", Words, nullable=False),
)

link_opens = Table(
    "link_opens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("post", Line(80), nullable=False),
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("at", Instant, nullable=False),
)
