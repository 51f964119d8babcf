"""A connection in a transaction → the steps that are missing; run by Alembic, never imported."""

from __future__ import annotations

from alembic import context

from engine.moderation.ledger.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
