"""Qunce: playbook search, drafts with sources and moderation for people who run communities.

Playbook     an index of documents: open, build, search
Brief        what the copywriter knows
Copywriter   brief + playbook → drafts, a series of topics, a review of a chat
Draft        fields, text, citations, findings
Moderator    rules of a group → check messages
Message      what a member wrote, with what the platform knows of it
Verdict      pass, review or block, and why
QunceError   base of every error raised on purpose

Each is imported when it is first asked for, so `import engine` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.drafting import Brief, Copywriter, Draft
    from engine.errors import QunceError
    from engine.moderation import Message, Moderator, Verdict
    from engine.playbook import Playbook

__all__ = [
    "Brief",
    "Copywriter",
    "Draft",
    "Message",
    "Moderator",
    "Playbook",
    "QunceError",
    "Verdict",
]

_HOMES = {
    "Brief": "engine.drafting",
    "Copywriter": "engine.drafting",
    "Draft": "engine.drafting",
    "Message": "engine.moderation",
    "Moderator": "engine.moderation",
    "Playbook": "engine.playbook",
    "QunceError": "engine.errors",
    "Verdict": "engine.moderation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
