"""One line of an exported group chat: what was said, by whom, when, in reply to what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal[
    "text", "image", "sticker", "voice", "video", "file", "link", "card", "red_packet", "notice"
]
"""What a message is: something said or sent, or a notice by the platform."""
Event = Literal["", "joined", "left", "removed", "recalled", "renamed", "announced", "other"]
"""What a notice tells; empty for anything that a member said or sent."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message of a chat log."""

    id: str
    """As the export numbers it, else the line it starts at (`L17`); unique within a log."""
    time: datetime
    """Wall-clock time in the log's zone, without tzinfo."""
    sender: str
    """The name shown; empty for notices."""
    sender_id: str
    """What stays the same when the name changes: the platform's id, else the name."""
    text: str
    """What was said; for media what the export tells of it (a file name, a link's title)."""
    kind: Kind = "text"
    event: Event = ""
    subjects: tuple[str, ...] = ()
    """Whom a notice is about: names of those who joined, left, were removed."""
    reply_to: str = ""
    """Id of the message it answers, if the export tells or the quoted text was found."""
    quoted: str = ""
    """The words quoted from that message, as exported."""
    mentions: tuple[str, ...] = ()
    """Names addressed with @, without the @; 所有人 for everyone."""
