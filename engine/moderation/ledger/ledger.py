"""What hooks decided in → a database that holds each event once, with its entry and its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    case,
    cast,
    distinct,
    func,
    insert,
    select,
)

from engine.moderation.ledger import digest as hashing
from engine.moderation.ledger.database import Database
from engine.moderation.ledger.entries import ENTRY, entry_of, number_of, row_of, take_back
from engine.moderation.ledger.exempt import ExemptStore
from engine.moderation.ledger.feedback import FeedbackStore
from engine.moderation.ledger.keys import Keys
from engine.moderation.ledger.outbox import Outbox
from engine.moderation.ledger.records import (
    Call,
    Entry,
    Event,
    Settled,
    Settlement,
    Undo,
    Undone,
)
from engine.moderation.ledger.retention import forget
from engine.moderation.ledger.rules import RulesStore
from engine.moderation.ledger.tables import entries, events, keepable

Identity = tuple[str, str, str]
"""Platform, bot and key of an event."""

_PAGE = 500  # entries read at a time


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


class Ledger:
    """A ledger, open. Its methods may be called from any thread.

    Every method raises LedgerError when the database fails; what it was to enter can be entered
    again, since an event is entered once.
    """

    def __init__(self, database: Database, key: bytes, clock: Callable[[], datetime]) -> None:
        """Take a database that is up to date; `Ledger.open` is the usual way."""
        self._database = database
        self._clock = clock
        self.key = key
        """The key of the hashes that stand for texts; secret."""
        self.outbox = Outbox(database)
        """Calls to platforms that are still to be made."""
        self.keys = Keys(database, clock)
        """API keys."""
        self.rules = RulesStore(database, clock)
        """Rules of groups, by version."""
        self.feedback = FeedbackStore(database)
        """What people said of messages."""
        self.exempt = ExemptStore(database, clock)
        """People whom a group never checks."""

    @classmethod
    def open(cls, url: str, *, key: str = "", clock: Callable[[], datetime] = now) -> Self:
        """Open a ledger; it is made where there is none, and brought up to date.

        Args:
            url: `sqlite:///FILE` or `postgresql+psycopg://USER@HOST/NAME`.
            key: Key of the hashes; empty: made once and kept, in FILE.key or in the database.
            clock: What tells the time, with its zone.

        Raises:
            LedgerError: the database can't be reached or made, or is newer than this program.
            InputError: the key is too short.
        """
        chosen = hashing.as_key(key) if key else None
        database = Database(url)
        try:
            return cls(database, chosen or hashing.as_key(database.key()), clock)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the connections; nothing is lost."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self._database.name

    def ping(self) -> None:
        """Return when the database answers."""
        with self._database.reading() as connection:
            connection.execute(select(1))

    def digest(self, text: str) -> str:
        """The keyed hash that stands for a text, in hex."""
        return hashing.digest(text, self.key)

    # Events

    def settle(self, settlements: Sequence[Settlement]) -> list[Settled]:
        """Enter what events came to: all of them in one transaction, each event at most once.

        Returns:
            One for each, in order. Of an event that was settled before, here or by another
            process, what was recorded then; the later settlement is left alone.

        Raises:
            ConflictError: an entry that was to be undone had been before; nothing was entered.
            InputError: there is no such entry.
        """
        if not settlements:
            return []
        firsts: dict[Identity, Settlement] = {}
        for each in settlements:
            firsts.setdefault(_identity(each.event), each)
        with self._database.writing() as connection:
            new = self._enter_events(connection, firsts)
            _take_back(connection, [firsts[which] for which in new])
            numbers = _enter_entries(
                connection, [(number, firsts[which]) for which, number in new.items()]
            )
            known = {
                which: Settled(True, numbers.get(new[which], 0), dict(first.answer))
                for which, first in firsts.items()
                if which in new
            }
            for which in firsts.keys() - known.keys():
                known[which] = _settled(connection.execute(_recorded(which)).one())
        answers = []
        for each in settlements:
            answers.append(found := known[which := _identity(each.event)])
            known[which] = replace(found, new=False)  # should it come again
        return answers

    def settled(self, event: Event) -> Settled | None:
        """What an event came to; None: it was not settled, or was forgotten."""
        with self._database.reading() as connection:
            row = connection.execute(_recorded(_identity(event))).one_or_none()
        return _settled(row) if row else None

    # Entries

    def offences(
        self, bot: str, group: str, sender: str, since: datetime, *, dry_run: bool = False
    ) -> int:
        """How many of a person's messages were blocked in a group; an edited one counts once.

        Args:
            bot: The bot that saw them.
            group: The group.
            sender: The person.
            since: The first moment that counts.
            dry_run: Whether those count that were only written down.
        """
        same_message = case(
            (entries.c.message_id == "", cast(entries.c.id, Text)), else_=entries.c.message_id
        )
        counted = select(func.count(distinct(same_message))).where(
            entries.c.bot == bot,
            entries.c.group_id == group,
            entries.c.sender == sender,
            entries.c.time >= since,
            entries.c.suggestion == "block",
            entries.c.undone.is_(None),
        )
        if not dry_run:
            counted = counted.where(entries.c.dry_run.is_(False))
        with self._database.reading() as connection:
            return int(connection.execute(counted).scalar_one())

    def entry(self, id: int) -> Entry | None:
        """One entry by its number; None: there is none."""
        with self._database.reading() as connection:
            row = connection.execute(ENTRY.where(entries.c.id == number_of(id))).one_or_none()
        return entry_of(row) if row else None

    def latest(self, bot: str, group: str) -> Entry | None:
        """The newest entry of a group that did something, or would have, and stands."""
        found = ENTRY.where(
            entries.c.bot == bot,
            entries.c.group_id == group,
            entries.c.deed != "none",
            entries.c.undone.is_(None),
        )
        with self._database.reading() as connection:
            row = connection.execute(found.order_by(entries.c.id.desc()).limit(1)).one_or_none()
        return entry_of(row) if row else None

    def entries(
        self,
        *,
        group: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """Entries, the newest first, read in pages: no transaction stays open between them.

        Args:
            group: Only of this group; empty: of all.
            since: Only of messages written then or later.
            until: Only of messages written before.
            limit: At most so many.
        """
        chosen: list[ColumnElement[bool]] = []
        if group:
            chosen.append(entries.c.group_id == group)
        if since is not None:
            chosen.append(entries.c.time >= since)
        if until is not None:
            chosen.append(entries.c.time < until)
        page = ENTRY.where(*chosen).order_by(entries.c.id.desc())
        left, before = limit, None
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            part = page if before is None else page.where(entries.c.id < before)
            with self._database.reading() as connection:
                rows = connection.execute(part.limit(size)).all()
            yield from map(entry_of, rows)
            if len(rows) < size:
                return
            before = rows[-1].id
            left = None if left is None else left - size

    def undo(self, id: int, by: str, calls: Sequence[Call] = ()) -> Undone:
        """Take back what an entry did, once: enter the reverse calls, drop those not yet made.

        Where the text was kept, it becomes feedback: it should have passed.

        Args:
            id: The number of the entry.
            by: Who says so.
            calls: What takes the deed back on the platform; see `Undo.calls`.

        Raises:
            InputError: there is no such entry; ConflictError: it was undone before.
        """
        with self._database.writing() as connection:
            return take_back(connection, Undo(id, by, calls), self._clock())

    def forget(self, before: datetime) -> int:
        """Delete what is older: events, their entries and calls that are finished.

        What has a call that is still to be made stays until it is made. Feedback stays, text and
        all: people gave it so that `qunce learn` trains on it.

        Args:
            before: Events received before this go.

        Returns:
            How many events went.
        """
        return forget(self._database, before)

    def _enter_events(
        self, connection: Connection, firsts: Mapping[Identity, Settlement]
    ) -> dict[Identity, int]:
        """Enter events that aren't there yet: their numbers, in the order of `firsts`."""
        rows = [
            {
                "platform": which[0],
                "bot": which[1],
                "key": which[2],
                "group_id": firsts[which].event.group,
                "received": firsts[which].event.received,
                "answer": dict(firsts[which].answer),
            }
            for which in sorted(firsts)  # always in this order: two processes never deadlock
        ]
        entered = connection.execute(
            self._database.insert(events)
            .on_conflict_do_nothing()
            .returning(events.c.id, events.c.platform, events.c.bot, events.c.key),
            rows,
        )
        numbers = {(row.platform, row.bot, row.key): row.id for row in entered}
        return {which: numbers[which] for which in firsts if which in numbers}


def _identity(event: Event) -> Identity:
    return keepable(event.platform), keepable(event.bot), keepable(event.key)


def _recorded(which: Identity) -> Select[Any]:
    return (
        select(events.c.answer, entries.c.id)
        .select_from(events.outerjoin(entries, entries.c.event_id == events.c.id))
        .where(events.c.platform == which[0], events.c.bot == which[1], events.c.key == which[2])
    )


def _settled(row: Row[Any]) -> Settled:
    return Settled(False, row.id or 0, row.answer)


def _take_back(connection: Connection, settled: Sequence[Settlement]) -> None:
    """Undo what new events ask for; always in this order, so that two processes never deadlock."""
    asked = [(each.undo, each.event.received) for each in settled if each.undo]
    for undo, moment in sorted(asked, key=lambda pair: pair[0].entry):
        take_back(connection, undo, moment)


def _enter_entries(
    connection: Connection, settled: Sequence[tuple[int, Settlement]]
) -> dict[int, int]:
    """Enter the entries and calls of new events: the number of the entry by that of the event."""
    rows = [row_of(number, each.entry) for number, each in settled if each.entry]
    numbers: dict[int, int] = {}
    if rows:
        entered = connection.execute(
            insert(entries).returning(entries.c.event_id, entries.c.id), rows
        )
        numbers = {row.event_id: row.id for row in entered}
    Outbox.enter(
        connection,
        [
            (numbers.get(number, 0), call, each.event.received)
            for number, each in settled
            for call in each.calls
        ],
    )
    return numbers
