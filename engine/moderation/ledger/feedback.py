"""What people said of messages → rows for `qunce learn`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, insert, select

from engine.moderation.ledger.database import Database
from engine.moderation.ledger.records import Feedback
from engine.moderation.ledger.tables import feedback

_PAGE = 500


class FeedbackStore:
    """The feedback of one ledger."""

    def __init__(self, database: Database) -> None:
        """Take an open database."""
        self._database = database

    def add(self, said: Feedback) -> None:
        """Keep what somebody said."""
        with self._database.writing() as connection:
            self.enter(connection, said)

    @staticmethod
    def enter(connection: Connection, said: Feedback) -> None:
        """Keep it in a transaction of the ledger."""
        connection.execute(
            insert(feedback).values(
                text=said.text,
                category=said.category,
                time=said.time,
                source=said.source,
                entry_id=said.entry or None,
            )
        )

    def rows(self, since: datetime | None = None) -> Iterator[Feedback]:
        """Feedback in the order in which it came, all or what was said then or later."""
        last = 0
        while True:
            page = select(feedback).where(feedback.c.id > last)
            if since is not None:
                page = page.where(feedback.c.time >= since)
            with self._database.reading() as connection:
                found = connection.execute(page.order_by(feedback.c.id).limit(_PAGE)).all()
            for row in found:
                yield Feedback(row.text, row.category, row.time, row.source, row.entry_id or 0)
            if len(found) < _PAGE:
                return
            last = found[-1].id
