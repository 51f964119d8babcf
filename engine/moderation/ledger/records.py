"""What the ledger keeps: events that hooks received, what was decided, calls still to be made.

Times are in UTC with a time zone. A message's text is kept only where the operator says so; else
its digest, a keyed hash, stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from engine.moderation.verdict import Suggestion

Deed = Literal["none", "notice", "recall", "mute", "kick"]
"""What a ladder does, the mildest first."""
Scope = Literal["check", "draft", "admin"]
"""What an API key may do; `admin` includes the others."""
CallState = Literal["waiting", "sent", "failed", "dropped"]
"""`waiting` also while it is being made; `dropped`: undone before it was made."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a platform delivered it."""

    platform: str
    """onebot, telegram or wecom."""
    bot: str
    """Name of the bot in the bots file."""
    key: str
    """What tells this event from all others of that bot; delivered again, it is the same."""
    group: str
    received: datetime
    """When the hook took it; retention counts from then."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One message that broke a rule, or that a person should look at, and what was done."""

    platform: str
    bot: str
    group: str
    sender: str
    message_id: str
    time: datetime
    """When the message was written."""
    suggestion: Suggestion
    category: str
    confidence: float
    rule: int | None
    deed: Deed
    """What the ladder did; with `dry_run`, what it would have done."""
    minutes: int = 0
    """Of a mute; 0: it is none."""
    offence: int = 0
    """Which offence of that person in that group it was, by the ladder's count."""
    dry_run: bool = False
    digest: str = ""
    """Keyed hash of the folded text, in hex."""
    spans: tuple[tuple[int, int], ...] = ()
    """Where the deciding findings stand in the text, in characters."""
    excerpt: str = ""
    """The words at the spans, masked; never a whole message."""
    text: str = ""
    """The whole message, where the operator keeps texts; else empty."""
    id: int = 0
    """The ledger's number; 0 before it is entered."""
    undone: datetime | None = None
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a platform's API that is still to be made, or was."""

    bot: str
    method: str
    """delete_msg, set_group_ban, deleteMessage, …"""
    parameters: Mapping[str, Any]
    """Plain JSON data; holds no secret."""
    repeatable: bool = True
    """Whether doing it twice does no harm; one that isn't is never tried again once it was begun
    and its outcome is unknown."""
    id: int = 0
    entry: int = 0
    """The ledger's entry that it carries out; 0: none."""
    state: CallState = "waiting"
    attempts: int = 0
    """How often it was begun; of a claimed call, this time included."""
    due: datetime | None = None
    """When it may be tried next; None: at once."""
    error: str = ""
    """What the last attempt ended with, without secrets."""


@dataclass(frozen=True, slots=True)
class Undo:
    """That an entry was wrong."""

    entry: int
    """Its number."""
    by: str
    """Who says so."""
    calls: Sequence[Call] = ()
    """What takes the deed back on the platform; not entered where a later mute or removal of that
    person stands, which they would lift as well."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of an undo."""

    entry: Entry
    calls: int
    """How many calls were entered."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one event came to; entered whole or not at all."""

    event: Event
    entry: Entry | None = None
    """None: nothing to note."""
    calls: Sequence[Call] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)
    """What the hook answers; the same again when the event is delivered again."""
    undo: Undo | None = None
    """What the event takes back; a settlement whose undo fails is not entered."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a settlement."""

    new: bool
    """False: the event had been settled before; nothing was entered."""
    entry: int
    """The ledger's number of the entry, 0: none."""
    answer: Mapping[str, Any]
    """The answer recorded at the first time."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """A person's word on a message: what it should have been. Rows for `qunce learn`."""

    text: str
    category: str
    """The right category; `normal`: it should have passed."""
    time: datetime
    source: str
    """Who says so: an API key's name, an admin's id, `undo`."""
    entry: int = 0


@dataclass(frozen=True, slots=True)
class RulesVersion:
    """The rules of a group as somebody wrote them, YAML."""

    group: str
    version: int
    """From 1."""
    text: str
    time: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key; only its hash is kept."""

    id: str
    """Short and public; the first part of the key."""
    name: str
    scopes: tuple[Scope, ...]
    digest: str
    """SHA-256 of the whole key, in hex: keys are 32 random bytes, so no slow hash is needed."""
    created: datetime
    revoked: datetime | None = None
    group: str = ""
    """The only group that it may speak for; empty: all."""
