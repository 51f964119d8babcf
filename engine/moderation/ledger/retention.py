"""A moment in → what was received before it, forgotten in steps that keep nobody waiting."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, select

from engine.moderation.ledger.database import Database
from engine.moderation.ledger.tables import calls, entries, events

_STEP = 1000  # events that go in one transaction


def forget(database: Database, before: datetime) -> int:
    """Delete events, entries and finished calls; see `Ledger.forget`."""
    unfinished = exists().where(
        entries.c.event_id == events.c.id,
        calls.c.entry_id == entries.c.id,
        (calls.c.state == "waiting") | calls.c.lease.is_not(None),
    )
    old = (
        select(events.c.id)
        .where(events.c.received < before, ~unfinished)
        .order_by(events.c.received)
        .limit(_STEP)
    )
    alone = delete(calls).where(
        calls.c.entry_id.is_(None),
        calls.c.entered < before,
        calls.c.state != "waiting",
        calls.c.lease.is_(None),
    )
    with database.writing() as connection:
        connection.execute(alone)
    gone = 0
    while True:
        with database.writing() as connection:
            numbers = connection.execute(old).scalars().all()
            if not numbers:
                return gone
            theirs = select(entries.c.id).where(entries.c.event_id.in_(numbers))
            connection.execute(delete(calls).where(calls.c.entry_id.in_(theirs)))
            connection.execute(delete(entries).where(entries.c.event_id.in_(numbers)))
            connection.execute(delete(events).where(events.c.id.in_(numbers)))
        gone += len(numbers)
