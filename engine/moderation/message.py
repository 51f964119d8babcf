"""What a group member wrote → one frozen record that every check takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a group, as a platform's adapter or a caller hands it over."""

    text: str
    """What was written, as it came; any string, lone surrogates included."""
    sender: str = ""
    """The platform's id of who wrote it; empty: unknown."""
    group: str = ""
    """The platform's id of the group; empty: unknown."""
    roles: tuple[str, ...] = ()
    """What the sender is in that group, such as `owner`, `admin` or `member`."""
    id: str = ""
    """The platform's id of the message; an edited message keeps it."""
    time: datetime | None = None
    """When it was written, with a time zone; None: now."""
    mentions: tuple[str, ...] = ()
    """Ids of the people whom it mentions."""
    joined: datetime | None = None
    """When the sender joined the group, with a time zone, where the platform says."""
