"""What readers hand over: one message as the export has it, and what they could not read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from engine.chatlog.message import Event, Kind

SAMPLES = 5
_SHOWN = 120  # characters of a sample


@dataclass(slots=True)
class Record:
    """One message before it is understood; a reader fills what its export tells."""

    place: int
    """Line or item at which it starts, from 1."""
    time: datetime
    """Wall-clock time in the log's zone, without tzinfo."""
    sender: str
    text: str
    sender_id: str = ""
    """The platform's id; empty: the export has none."""
    id: str = ""
    """The export's own id; empty: it has none."""
    kind: Kind | None = None
    """None: to be seen from the text."""
    event: Event = ""
    subjects: tuple[str, ...] = ()
    reply_to: str = ""
    """The export's id of the message it answers."""
    quoted: str = ""
    quoted_sender: str = ""
    mentions: tuple[str, ...] = ()
    head: str | None = None
    """The header line as it stands, in exports that may hold pasted ones; else None."""
    nested: bool = False
    """Whether the text holds a line that looks like a header."""


@dataclass(slots=True)
class Unknown:
    """Lines that were not understood."""

    count: int = 0
    samples: list[tuple[int, str]] = field(default_factory=list)
    """The first few: line or item number, and what stands there."""

    def add(self, place: int, text: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.samples) < SAMPLES:
            self.samples.append((place, text[:_SHOWN]))


@dataclass(slots=True)
class Tally:
    """What reading turned up, complete when the last message is read."""

    unknown: Unknown = field(default_factory=Unknown)
    duplicates: int = 0
    """Messages left out because they had been read before."""
    notes: list[str] = field(default_factory=list)
    """What was assumed or left out, in whole sentences."""
    title: str = ""
    """The chat's name, where the export tells it."""
    steps_back: int = 0
    """Places where time goes back by more than disorder explains."""
    first_step_back: str = ""

    def note(self, text: str) -> None:
        """Remember a sentence, once."""
        if text not in self.notes:
            self.notes.append(text)
