"""Alembic's entry: runs the migrations on the connection that `Ledger.migrate` gives."""

from alembic import context

from claimwatch.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
