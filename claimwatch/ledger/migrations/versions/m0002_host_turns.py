"""Turns at a host, so that many workers together ask it no more often than one."""

import sqlalchemy as sa
from alembic import op

from claimwatch.ledger.tables import Line

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of turns."""
    op.create_table(
        "host_turns",
        sa.Column("key", Line(200), nullable=False),
        sa.Column("next", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
