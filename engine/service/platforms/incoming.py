"""What every platform's events come down to, and what can be asked of every platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from engine.moderation.ledger.records import Call
from engine.moderation.message import Message

Kind = Literal["recall", "mute", "unmute", "kick", "unban", "say"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a group."""

    kind: Literal["message", "edited", "joined", "other"]
    """`other`: nothing that this engine has to do with; it is answered and forgotten."""
    key: str
    """What tells the event from all others of its bot; the same when it is delivered again.
    Empty for `other`."""
    group: str = ""
    message: Message | None = None
    """What was said, for `message` and `edited`; its text may be empty."""
    name: str = ""
    """How the sender or newcomer is called in the group; data, never to be trusted."""
    person: str = ""
    """The id of the sender or newcomer."""
    note: str = ""
    """What could not be looked at: `image only`, `voice`, …; English, for logs and metrics. For
    `other`: what it was."""
    forwarded: tuple[str, ...] = ()
    """The ids of chats forwarded in the message whose words did not come along."""
    unable: frozenset[Kind] = frozenset()
    """What can't be done in this group, or to this person, though the bot can elsewhere."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something to be done on a platform."""

    kind: Kind
    group: str
    person: str = ""
    """Whom it concerns; for `say`: who is addressed, empty: everybody."""
    message_id: str = ""
    """The message that is taken back, as `Message.id`."""
    minutes: int = 0
    """Of a mute, from 1."""
    text: str = ""
    """For `say`."""


class Platform(Protocol):
    """One platform, for one bot of it."""

    able: frozenset[Kind]
    """What this bot can do at all; an act of another kind leads to no call. An event may say that
    less is possible where it comes from."""

    def incoming(self, data: Mapping[str, Any]) -> Incoming:
        """What an event says.

        Raises:
            InputError: it is no event of this platform.
        """
        ...

    def calls(self, acts: Sequence[Act]) -> tuple[Call, ...]:
        """The API calls that carry out some acts, in order."""
        ...

    def quick(
        self, acts: Sequence[Act], event: Incoming
    ) -> tuple[Mapping[str, Any], tuple[Act, ...]]:
        """The answer to the event's own request, and the acts that it could not take along.

        An answer can only concern the event's own message, its sender and its group. Without
        acts taken along the answer is empty.
        """
        ...
