"""People whom admins of a group exempted → who is never checked there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select

from engine.moderation.ledger.database import Database
from engine.moderation.ledger.tables import exempt


class ExemptStore:
    """The exempt people of every group."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take an open database and a clock."""
        self._database, self._clock = database, clock

    def add(self, group: str, person: str, by: str) -> bool:
        """Exempt a person; False: they were exempt already."""
        row = {"group_id": group, "person": person, "by": by, "time": self._clock()}
        with self._database.writing() as connection:
            entered = connection.execute(
                self._database.insert(exempt)
                .values(row)
                .on_conflict_do_nothing()
                .returning(exempt.c.person)
            ).first()
        return entered is not None

    def remove(self, group: str, person: str) -> bool:
        """Check a person again; False: they were not exempt."""
        theirs = delete(exempt).where(exempt.c.group_id == group, exempt.c.person == person)
        with self._database.writing() as connection:
            return bool(connection.execute(theirs).rowcount)

    def of(self, group: str) -> frozenset[str]:
        """Who is exempt in a group."""
        found = select(exempt.c.person).where(exempt.c.group_id == group)
        with self._database.reading() as connection:
            return frozenset(connection.execute(found).scalars())
