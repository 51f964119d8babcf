"""Calls to platforms that are still to be made → whose turn it is, and what came of them.

A worker claims calls for a while (the lease), makes them and says what came of it. If it dies,
the lease runs out: a call that is repeatable can be claimed again, another one has failed with
its outcome unknown, for doing it twice would do harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, exists, func, insert, select, update

from engine.errors import InputError
from engine.moderation.ledger.database import Database
from engine.moderation.ledger.records import Call, CallState
from engine.moderation.ledger.tables import AT_ONCE, calls

UNKNOWN = "outcome unknown: the worker ended while it made the call"


class Outbox:
    """The calls of one ledger."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    @staticmethod
    def enter(connection: Connection, made: Sequence[tuple[int, Call, datetime]]) -> None:
        """Enter calls in a transaction of the ledger.

        Args:
            connection: The transaction.
            made: The number of a call's entry (0: none), the call, and when it came up.
        """
        rows = [
            {
                "entry_id": entry or call.entry or None,
                "bot": call.bot,
                "method": call.method,
                "parameters": dict(call.parameters),
                "repeatable": call.repeatable,
                "state": "waiting",
                "attempts": 0,
                "due": call.due or AT_ONCE,
                "error": "",
                "entered": moment,
            }
            for entry, call, moment in made
        ]
        if rows:
            connection.execute(insert(calls), rows)

    @staticmethod
    def drop(connection: Connection, entry: int) -> None:
        """Drop the calls of an entry that were not made; one that is being made is not retried."""
        connection.execute(
            update(calls)
            .where(calls.c.entry_id == entry, calls.c.state == "waiting")
            .values(state="dropped")
        )

    def claim(self, now: datetime, limit: int, lease: timedelta) -> list[Call]:
        """Take calls whose turn it is, the ones due longest first, and mark them as begun.

        No two workers get the same call before its lease runs out. A call waits while an earlier
        one of the same entry is being made by another worker, or is to be tried again later.

        Args:
            now: The clock.
            limit: At most so many.
            lease: How long the worker may take; more than any call can last.
        """
        with self._database.writing() as connection:
            connection.execute(
                update(calls)
                .where(calls.c.state == "waiting", calls.c.lease <= now, ~calls.c.repeatable)
                .values(state="failed", lease=None, error=UNKNOWN)
            )
            rows = connection.execute(_whose_turn(now, limit)).all()
            if rows:
                connection.execute(
                    update(calls)
                    .where(calls.c.id.in_([row.id for row in rows]))
                    .values(lease=now + lease, attempts=calls.c.attempts + 1)
                )
        return [_call(row, attempts=row.attempts + 1) for row in rows]

    def sent(self, id: int) -> None:
        """Note that a call was made, whatever was thought of it before."""
        self._note(id, state="sent", lease=None, error="")

    def failed(
        self,
        id: int,
        error: str,
        retry_at: datetime | None,
        *,
        attempt: int | None = None,
        begun: bool = True,
    ) -> None:
        """Note that a call failed without effect; those of its entry behind it wait as long.

        Args:
            id: Its number.
            error: What happened, without secrets.
            retry_at: When to try again; None: never.
            attempt: Which attempt it was (`attempts` as claimed); if another has begun since, this
                word comes too late and changes nothing. None: the last one.
            begun: Whether it was tried at all; if not, it doesn't count as an attempt.
        """
        asked = [calls.c.id == id, calls.c.lease.is_not(None)]
        if attempt is not None:
            asked.append(calls.c.attempts == attempt)
        again = retry_at is not None
        with self._database.writing() as connection:
            connection.execute(
                update(calls)
                .where(*asked, calls.c.state == "waiting")
                .values(
                    state="waiting" if again else "failed",
                    lease=None,
                    error=error,
                    due=retry_at or calls.c.due,
                    attempts=calls.c.attempts if begun else calls.c.attempts - 1,
                )
            )
            if retry_at is not None:
                connection.execute(_behind(id, retry_at))
            connection.execute(
                update(calls)
                .where(*asked, calls.c.state == "dropped")
                .values(lease=None, error=error)
            )

    def waiting(self) -> int:
        """How many calls are still to be made, those being made included."""
        counted = select(func.count()).where(calls.c.state == "waiting")
        with self._database.reading() as connection:
            return int(connection.execute(counted).scalar_one())

    def all(self, state: CallState | None = None) -> list[Call]:
        """All calls, or those in one state, in the order in which they were entered."""
        found = select(calls).order_by(calls.c.id)
        if state is not None:
            found = found.where(calls.c.state == state)
        with self._database.reading() as connection:
            return [_call(row) for row in connection.execute(found)]

    def _note(self, id: int, **values: Any) -> None:
        with self._database.writing() as connection:
            changed = connection.execute(update(calls).where(calls.c.id == id).values(**values))
        if not changed.rowcount:
            raise InputError(f"There is no call {id}.")


def _whose_turn(now: datetime, limit: int) -> Select[Any]:
    """The calls that may be begun, the ones due longest first, locked; see `Outbox.claim`."""
    earlier = calls.alias()
    not_made = exists().where(
        earlier.c.entry_id == calls.c.entry_id,
        earlier.c.id < calls.c.id,
        (earlier.c.lease > now) | (earlier.c.state == "waiting") & (earlier.c.due > now),
    )
    return (
        select(calls)
        .where(
            calls.c.state == "waiting",
            calls.c.due <= now,
            calls.c.lease.is_(None) | (calls.c.lease <= now),
            ~not_made,
        )
        .order_by(calls.c.due, calls.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=calls)
    )


def _behind(id: int, retry_at: datetime) -> Update:
    """Lets the calls of an entry wait that come after one that is tried again: they go in order."""
    entry = select(calls.c.entry_id).where(calls.c.id == id, calls.c.due == retry_at)
    return (
        update(calls)
        .where(
            calls.c.entry_id == entry.scalar_subquery(),
            calls.c.id > id,
            calls.c.state == "waiting",
            calls.c.lease.is_(None),
            calls.c.due < retry_at,
        )
        .values(due=retry_at)
    )


def _call(row: Row[Any], attempts: int | None = None) -> Call:
    return Call(
        bot=row.bot,
        method=row.method,
        parameters=row.parameters,
        repeatable=row.repeatable,
        id=row.id,
        entry=row.entry_id or 0,
        state=row.state,
        attempts=row.attempts if attempts is None else attempts,
        due=None if row.due == AT_ONCE else row.due,
        error=row.error,
    )
