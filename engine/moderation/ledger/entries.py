"""Entries ↔ rows of their table; an entry that was wrong → taken back, with all that follows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from engine.errors import ConflictError, InputError
from engine.moderation.finding import NORMAL
from engine.moderation.ledger.feedback import FeedbackStore
from engine.moderation.ledger.outbox import Outbox
from engine.moderation.ledger.records import Entry, Feedback, Undo, Undone
from engine.moderation.ledger.tables import entries

ENTRY = select(*(column for column in entries.c if column is not entries.c.event_id))
"""Rows that `entry_of` reads."""


def row_of(event: int, entry: Entry) -> dict[str, Any]:
    """The row of an entry that belongs to an event."""
    return {
        "event_id": event,
        "platform": entry.platform,
        "bot": entry.bot,
        "group_id": entry.group,
        "sender": entry.sender,
        "message_id": entry.message_id,
        "time": entry.time,
        "suggestion": entry.suggestion,
        "category": entry.category,
        "confidence": entry.confidence,
        "rule": entry.rule,
        "deed": entry.deed,
        "minutes": entry.minutes,
        "offence": entry.offence,
        "dry_run": entry.dry_run,
        "digest": entry.digest,
        "spans": entry.spans,
        "excerpt": entry.excerpt,
        "text": entry.text,
        "undone": entry.undone,
        "undone_by": entry.undone_by,
    }


def entry_of(row: Row[Any]) -> Entry:
    """The entry in a row of `ENTRY`."""
    fields = dict(row._mapping)
    return Entry(
        group=fields.pop("group_id"),
        spans=tuple((start, end) for start, end in fields.pop("spans")),
        **fields,
    )


def number_of(id: int) -> int:
    """A number that every database can look for."""
    return id if 0 < id < 2**63 else 0


def take_back(connection: Connection, asked: Undo, moment: datetime) -> Undone:
    """Undo an entry in a transaction of the ledger; see `Ledger.undo`.

    Raises:
        InputError: there is no such entry; ConflictError: it was undone before.
    """
    id = asked.entry
    marked = connection.execute(
        update(entries)
        .where(entries.c.id == number_of(id), entries.c.undone.is_(None))
        .values(undone=moment, undone_by=asked.by)
    ).rowcount
    row = connection.execute(ENTRY.where(entries.c.id == number_of(id))).one_or_none()
    if row is None:
        raise InputError(f"There is no entry {id}. `qunce ledger show` lists the newest.")
    entry = entry_of(row)
    if not marked:
        raise ConflictError(
            f"Entry {id} was undone before, by {entry.undone_by!r} at {entry.undone}. "
            "Nothing is left to do."
        )
    Outbox.drop(connection, id)
    calls = () if _stands(connection, entry) else tuple(asked.calls)
    Outbox.enter(connection, [(id, call, moment) for call in calls])
    if entry.text:
        said = Feedback(entry.text, NORMAL, moment, source="undo", entry=id)
        FeedbackStore.enter(connection, said)
    return Undone(entry, len(calls))


def _stands(connection: Connection, entry: Entry) -> bool:
    """Whether the person was muted or removed again later, and rightly so: that is not lifted."""
    later = select(entries.c.id).where(
        entries.c.bot == entry.bot,
        entries.c.group_id == entry.group,
        entries.c.sender == entry.sender,
        entries.c.id > entry.id,
        entries.c.deed.in_(("mute", "kick")),
        entries.c.dry_run.is_(False),
        entries.c.undone.is_(None),
    )
    return connection.execute(later.limit(1)).first() is not None
