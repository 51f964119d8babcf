"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_TIME = sa.DateTime(timezone=True).with_variant(sa.Text, "sqlite")


def upgrade() -> None:
    """Take the step."""
    _events()
    _entries()
    _calls()
    _others()


def _text(name: str, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, primary_key=primary_key)


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _ID, primary_key=True),
        _text("platform"),
        _text("bot"),
        _text("key"),
        _text("group_id"),
        sa.Column("received", _TIME, nullable=False),
        _text("answer"),
        sa.UniqueConstraint("platform", "bot", "key", name="uq_events_platform_bot_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_received", "events", ["received"])


def _entries() -> None:
    op.create_table(
        "entries",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "event_id", _ID, sa.ForeignKey("events.id", name="fk_entries_event"), nullable=False
        ),
        _text("platform"),
        _text("bot"),
        _text("group_id"),
        _text("sender"),
        _text("message_id"),
        sa.Column("time", _TIME, nullable=False),
        _text("suggestion"),
        _text("category"),
        sa.Column("confidence", sa.Float, nullable=False),
        sa.Column("rule", sa.Integer),
        _text("deed"),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("offence", sa.Integer, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        _text("digest"),
        _text("spans"),
        _text("excerpt"),
        _text("text"),
        sa.Column("undone", _TIME),
        _text("undone_by"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_event", "entries", ["event_id"], unique=True)
    op.create_index("ix_entries_sender", "entries", ["bot", "group_id", "sender", "time"])
    op.create_index("ix_entries_bot_group", "entries", ["bot", "group_id", "id"])
    op.create_index("ix_entries_group", "entries", ["group_id", "id"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("entry_id", _ID, sa.ForeignKey("entries.id", name="fk_calls_entry")),
        _text("bot"),
        _text("method"),
        _text("parameters"),
        sa.Column("repeatable", sa.Boolean, nullable=False),
        _text("state"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", _TIME, nullable=False),
        sa.Column("lease", _TIME),
        _text("error"),
        sa.Column("entered", _TIME, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_due", "calls", ["state", "due", "id"])
    op.create_index("ix_calls_entry", "calls", ["entry_id"])


def _others() -> None:
    op.create_table(
        "api_keys",
        _text("id", primary_key=True),
        _text("name"),
        _text("scopes"),
        _text("digest"),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("revoked", _TIME),
        _text("group_id"),
    )
    op.create_table(
        "rules",
        _text("group_id", primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        _text("text"),
        sa.Column("time", _TIME, nullable=False),
        _text("by"),
    )
    op.create_table(
        "feedback",
        sa.Column("id", _ID, primary_key=True),
        _text("text"),
        _text("category"),
        sa.Column("time", _TIME, nullable=False),
        _text("source"),
        sa.Column("entry_id", _ID),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feedback_time", "feedback", ["time"])
    op.create_table(
        "exempt",
        _text("group_id", primary_key=True),
        _text("person", primary_key=True),
        _text("by"),
        sa.Column("time", _TIME, nullable=False),
    )
    op.create_table("properties", _text("name", primary_key=True), _text("value"))
