"""Rules of groups as somebody wrote them → versions, none of which is ever changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from engine.errors import ConflictError
from engine.moderation.ledger.database import Database
from engine.moderation.ledger.records import RulesVersion
from engine.moderation.ledger.tables import rules


class RulesStore:
    """The rules that were written through the service."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        """Take an open database and a clock."""
        self._database, self._clock = database, clock

    def put(self, group: str, text: str, by: str, expected: int | None = None) -> RulesVersion:
        """Add a version, in force at once. Whether the rules are valid is for the caller to know.

        Args:
            group: Whose rules they are.
            text: The rules, YAML.
            by: Who wrote them.
            expected: The version that the writer saw, 0: none; None: whichever it is.

        Raises:
            ConflictError: somebody else wrote another version meanwhile.
        """
        with self._database.writing() as connection:
            while True:
                newest = _latest(connection, group)
                version = newest.version if newest else 0
                if expected is not None and version != expected:
                    raise ConflictError(
                        f"The rules of {group!r} are at version {version}, not {expected}. Read "
                        "them again and write your change anew."
                    )
                row = {
                    "group_id": group,
                    "version": version + 1,
                    "text": text,
                    "time": self._clock(),
                    "by": by,
                }
                entered = connection.execute(
                    self._database.insert(rules)
                    .values(row)
                    .on_conflict_do_nothing()
                    .returning(*rules.c)
                ).one_or_none()
                if entered is not None:  # else another process wrote that version just now
                    return _version(entered)

    def latest(self, group: str) -> RulesVersion | None:
        """The version in force; None: none was written."""
        with self._database.reading() as connection:
            return _latest(connection, group)

    def version(self, group: str, version: int) -> RulesVersion | None:
        """That version; None: there is none."""
        with self._database.reading() as connection:
            found = _of(group).where(rules.c.version == version)
            row = connection.execute(found).one_or_none()
        return _version(row) if row else None

    def versions(self, group: str) -> list[RulesVersion]:
        """All versions, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(_of(group).order_by(rules.c.version)).all()
        return [_version(row) for row in rows]

    def groups(self) -> dict[str, int]:
        """The groups that have rules of their own here, and which version is in force."""
        newest = select(rules.c.group_id, func.max(rules.c.version)).group_by(rules.c.group_id)
        with self._database.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(newest)}


def _of(group: str) -> Select[Any]:
    return select(rules).where(rules.c.group_id == group)


def _latest(connection: Connection, group: str) -> RulesVersion | None:
    row = connection.execute(_of(group).order_by(rules.c.version.desc()).limit(1)).one_or_none()
    return _version(row) if row else None


def _version(row: Row[Any]) -> RulesVersion:
    return RulesVersion(row.group_id, row.version, row.text, row.time, row.by)
