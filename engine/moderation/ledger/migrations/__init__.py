"""The steps from one form of the ledger's tables to the next; Alembic takes them when it opens."""
