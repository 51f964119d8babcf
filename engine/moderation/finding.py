"""One thing that a check saw in a message: what it is, where it stands and why it counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CATEGORIES = (
    "ad",
    "fraud",
    "gambling",
    "porn",
    "abuse",
    "politics",
    "religion",
    "contraband",
    "flood",
)
"""The built-in categories; a group adds `custom:<name>`, and `normal` stands for none."""
CUSTOM = "custom:"
"""How the category of a topic of a group's own begins."""

NORMAL = "normal"

Source = Literal[
    "lexicon", "sound", "contact", "link", "classifier", "flood", "topic", "rule", "chat"
]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """Evidence for one category.

    A finding decides nothing: the group's rules weigh it.
    """

    category: str
    """One of `CATEGORIES` or `custom:<name>`."""
    source: Source
    """Which check saw it."""
    confidence: float
    """How sure that check is that the message belongs to the category, 0 to 1."""
    spans: tuple[Span, ...] = ()
    """Where in the original text, as (start, end) in characters; empty: the whole message."""
    detail: str = ""
    """What was seen, in a few words: an entry of the lexicon, a domain, `5 messages in 10 s`."""


def is_category(name: str) -> bool:
    """Whether a finding may have this category: a built-in one or a topic of a group's own."""
    return name in CATEGORIES or (name.startswith(CUSTOM) and len(name) > len(CUSTOM))
