"""Qunce: playbook search and drafts with sources for people who run communities.

Playbook     an index of documents: open, build, search
Brief        what the copywriter knows
Copywriter   brief + playbook → drafts
Draft        fields, text, citations, findings
QunceError   base of every error raised on purpose

Each is imported when it is first asked for, so `import engine` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.drafting import Brief, Copywriter, Draft
    from engine.errors import QunceError
    from engine.playbook import Playbook

__all__ = ["Brief", "Copywriter", "Draft", "Playbook", "QunceError"]

_HOMES = {
    "Brief": "engine.drafting",
    "Copywriter": "engine.drafting",
    "Draft": "engine.drafting",
    "Playbook": "engine.playbook",
    "QunceError": "engine.errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
