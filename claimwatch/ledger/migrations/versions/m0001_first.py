"""The ledger's first tables."""

import sqlalchemy as sa
from alembic import op

from claimwatch.ledger.tables import Instant, Line

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make every table of the first release."""
    op.create_table(
        "author_keys",
        sa.Column("quarter", Line(7), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("quarter"),
    )
    op.create_table(
        "claims",
        sa.Column("id", Line(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("statement", sa.JSON(), nullable=False),
        sa.Column("phrasings", sa.JSON(), nullable=False),
        sa.Column("topic", Line(40), nullable=False),
        sa.Column("harm", sa.Integer(), nullable=False),
        sa.Column("harm_reason", sa.JSON(), nullable=False),
        sa.Column("verdict", Line(20), nullable=True),
        sa.Column("correction", sa.JSON(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("status", Line(20), nullable=False),
        sa.Column("merged_into", Line(80), nullable=True),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "cursors",
        sa.Column("source", Line(80), nullable=False),
        sa.Column("query", Line(200), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("source", "query"),
    )
    op.create_table(
        "facts",
        sa.Column("name", Line(80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "leases",
        sa.Column("name", Line(120), nullable=False),
        sa.Column("holder", Line(120), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "limits",
        sa.Column("key", Line(200), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("reason", Line(200), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card", Line(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", Line(20), nullable=False),
        sa.Column("claim", Line(80), nullable=True),
        sa.Column("action", Line(20), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_done", "outbox", ["done", "id"], unique=False)
    op.create_table(
        "purges",
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("committed", sa.Boolean(), nullable=False),
        sa.Column("swept", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("batch"),
    )
    op.create_table(
        "rejected",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", Line(80), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", Line(200), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("rejected_at", "rejected", ["at"], unique=False)
    op.create_table(
        "reports",
        sa.Column("week", Line(8), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hash", Line(64), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("week", "version"),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stage", Line(20), nullable=False),
        sa.Column("source", Line(80), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("status", Line(20), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("runs_started", "runs", ["started_at"], unique=False)
    op.create_table(
        "sources",
        sa.Column("name", Line(80), nullable=False),
        sa.Column("kind", Line(20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("language", Line(8), nullable=False),
        sa.Column("every", sa.Integer(), nullable=False),
        sa.Column("expected_per_week", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("attention", sa.Text(), nullable=False),
        sa.Column("last_success", Instant(), nullable=True),
        sa.Column("last_try", Instant(), nullable=True),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", Line(80), nullable=False),
        sa.Column("password", Line(200), nullable=False),
        sa.Column("role", Line(20), nullable=False),
        sa.Column("language", Line(2), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("session", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "daily_counts",
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("claim", Line(80), nullable=False),
        sa.Column("language", Line(8), nullable=False),
        sa.Column("source", Line(80), nullable=False),
        sa.Column("stance", Line(20), nullable=False),
        sa.Column("status", Line(20), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch"],
            ["purges.batch"],
        ),
        sa.PrimaryKeyConstraint("batch", "day", "claim", "language", "source", "stance", "status"),
    )
    op.create_index("daily_counts_day", "daily_counts", ["day"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("card", Line(80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("action", Line(20), nullable=False),
        sa.Column("claim", Line(80), nullable=True),
        sa.Column("user", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("post", Line(80), nullable=False),
        sa.Column("text_hash", Line(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", Line(8), nullable=False),
        sa.Column("model", Line(80), nullable=False),
        sa.Column("p_false", sa.Float(), nullable=True),
        sa.Column("flag", sa.Boolean(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["undoes"],
            ["decisions.id"],
        ),
        sa.ForeignKeyConstraint(
            ["user"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("card", "number"),
    )
    op.create_index("decisions_at", "decisions", ["at"], unique=False)
    op.create_table(
        "link_opens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("post", Line(80), nullable=False),
        sa.Column("user", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "responses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("claim", Line(80), nullable=False),
        sa.Column("kind", Line(30), nullable=False),
        sa.Column("owner", sa.Integer(), nullable=True),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim"],
            ["claims.id"],
        ),
        sa.ForeignKeyConstraint(
            ["owner"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "run_counts",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("outcome", Line(60), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run"],
            ["runs.id"],
        ),
        sa.PrimaryKeyConstraint("run", "outcome"),
    )
