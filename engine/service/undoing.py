"""An entry of the ledger + who says that it was wrong → undone once, with the calls it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from engine.errors import ConflictError
from engine.moderation.ledger.records import Call, Entry


class Undoable(Protocol):
    """What undoing needs of a ledger."""

    def entry(self, id: int) -> Entry | None:
        """An entry by its number."""
        ...

    def latest(self, bot: str, group: str, person: str = "") -> Entry | None:
        """The newest entry with a deed that is not undone."""
        ...

    def undo(self, id: int, by: str, calls: Sequence[Call] = ()) -> Entry:
        """Mark an entry as undone and put calls into the outbox, in one transaction."""
        ...


def undo_entry(
    ledger: Undoable, entry: Entry, by: str, reverse: Callable[[Entry], Sequence[Call]]
) -> Entry | None:
    """Undo an entry; None: somebody did so before, and nothing was changed.

    Where the same person was muted or removed again since, that stands, so nothing is lifted.

    Args:
        ledger: What it is undone in; called in this thread.
        entry: What to undo.
        by: Who says so.
        reverse: The calls that take an entry's deed back.

    Raises:
        LedgerError: the ledger can't be reached.
    """
    if entry.undone is not None:
        return None
    last = ledger.latest(entry.bot, entry.group, entry.sender)
    stands = last is not None and last.id > entry.id and last.deed in ("mute", "kick")
    try:
        return ledger.undo(entry.id, by, () if stands else tuple(reverse(entry)))
    except ConflictError:  # somebody else was faster
        return None
