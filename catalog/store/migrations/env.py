"""Alembic's environment: the connection is handed in, and so is the transaction it is in."""

from alembic import context

from catalog import records

context.configure(connection=context.config.attributes["connection"], target_metadata=records.metadata)
context.run_migrations()
