"""The tables of the ledger, the same for SQLite and PostgreSQL.

What is listed or nested (spans, parameters, answers, scopes) is JSON text. Times come back in UTC
with a time zone from both databases. `migrations/versions` makes these tables; a test holds both
equal.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

HEAD = "0001"
"""The newest revision in `migrations/versions`."""
VERSION_TABLE = "ledger_version"
AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""What stands for a call that is due at once."""

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")  # none of them is printable
_encode = json.JSONEncoder(separators=(",", ":")).encode


def keepable(text: str) -> str:
    """A text as both databases can keep it: without NUL and lone surrogates."""
    return text if text.isprintable() else _UNKEEPABLE.sub("\ufffd", text)


class Words(TypeDecorator[str]):
    """Text from outside, which may hold what no database keeps."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Make it keepable."""
        return None if value is None else keepable(value)


class Plain(TypeDecorator[Any]):
    """Plain data as JSON text, in ASCII, so that any string comes back as it was."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        """Write JSON."""
        return _encode(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read JSON."""
        return None if value is None else json.loads(value)


class Moment(TypeDecorator[datetime]):
    """A time with its zone, kept in UTC; in SQLite as text, which sorts as the times do."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text in SQLite, which has no times."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Turn it to UTC; a time at the end of the calendar stays there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        try:
            moment = value.astimezone(UTC)
        except OverflowError:
            moment = (datetime.min if value.year == 1 else datetime.max).replace(tzinfo=UTC)
        return moment.isoformat(" ", "microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read it, in UTC."""
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC)


metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")  # only INTEGER counts up there


def _table(name: str, *parts: Any) -> Table:
    """A table whose numbers are never given twice, not even after rows were deleted."""
    return Table(name, metadata, *parts, sqlite_autoincrement=True)


events = _table(
    "events",
    Column("id", _Id, primary_key=True),
    Column("platform", Words, nullable=False),
    Column("bot", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("group_id", Words, nullable=False),
    Column("received", Moment, nullable=False),
    Column("answer", Plain, nullable=False),
    UniqueConstraint("platform", "bot", "key", name="uq_events_platform_bot_key"),
    Index("ix_events_received", "received"),
)

entries = _table(
    "entries",
    Column("id", _Id, primary_key=True),
    Column("event_id", _Id, ForeignKey("events.id", name="fk_entries_event"), nullable=False),
    Column("platform", Words, nullable=False),
    Column("bot", Words, nullable=False),
    Column("group_id", Words, nullable=False),
    Column("sender", Words, nullable=False),
    Column("message_id", Words, nullable=False),
    Column("time", Moment, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("category", Words, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("rule", Integer),
    Column("deed", Text, nullable=False),
    Column("minutes", Integer, nullable=False),
    Column("offence", Integer, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("digest", Text, nullable=False),
    Column("spans", Plain, nullable=False),
    Column("excerpt", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("undone", Moment),
    Column("undone_by", Words, nullable=False),
    Index("ix_entries_event", "event_id", unique=True),
    Index("ix_entries_sender", "bot", "group_id", "sender", "time"),
    Index("ix_entries_bot_group", "bot", "group_id", "id"),
    Index("ix_entries_group", "group_id", "id"),
)

calls = _table(
    "calls",
    Column("id", _Id, primary_key=True),
    Column("entry_id", _Id, ForeignKey("entries.id", name="fk_calls_entry")),
    Column("bot", Words, nullable=False),
    Column("method", Words, nullable=False),
    Column("parameters", Plain, nullable=False),
    Column("repeatable", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", Moment, nullable=False),
    Column("lease", Moment),
    Column("error", Words, nullable=False),
    Column("entered", Moment, nullable=False),
    Index("ix_calls_due", "state", "due", "id"),
    Index("ix_calls_entry", "entry_id"),
)

keys = Table(
    "api_keys",
    metadata,
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("scopes", Plain, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created", Moment, nullable=False),
    Column("revoked", Moment),
    Column("group_id", Words, nullable=False),
)

rules = Table(
    "rules",
    metadata,
    Column("group_id", Words, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Words, nullable=False),
    Column("time", Moment, nullable=False),
    Column("by", Words, nullable=False),
)

feedback = _table(
    "feedback",
    Column("id", _Id, primary_key=True),
    Column("text", Words, nullable=False),
    Column("category", Words, nullable=False),
    Column("time", Moment, nullable=False),
    Column("source", Words, nullable=False),
    Column("entry_id", _Id),  # no foreign key: feedback outlives entries
    Index("ix_feedback_time", "time"),
)

exempt = Table(
    "exempt",
    metadata,
    Column("group_id", Words, primary_key=True),
    Column("person", Words, primary_key=True),
    Column("by", Words, nullable=False),
    Column("time", Moment, nullable=False),
)

properties = Table(
    "properties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
