"""What a chat model wrote of a review, checked: summaries of topics, a first line, a post."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.chat.model import Usage
from engine.drafting.review.report import Statement


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said in a topic."""

    title: str
    """Empty: the topic's own title stays."""
    sentences: tuple[Statement, ...]
    """One or two, each with the ids of the messages that bear it out."""

    @property
    def text(self) -> str:
        """All sentences in a row."""
        return "".join(sentence.text for sentence in self.sentences)


@dataclass(frozen=True, slots=True)
class Written:
    """Everything of a review that a chat model wrote; what is empty is written offline."""

    summaries: Mapping[str, Summary] = field(default_factory=dict)
    """Id of a topic's first message → its summary."""
    opening: str = ""
    """How the message for the group begins."""
    moments: str = ""
    """The whole post for Moments."""
    quotes: bool = False
    """Whether the post for Moments holds a member's words."""


@dataclass(frozen=True, slots=True)
class Assisted:
    """What came of asking a chat model."""

    written: Written
    model: str
    """Its name."""
    notices: tuple[str, ...] = ()
    """Chinese: what was not used, and why."""
    usage: Usage = field(default_factory=Usage)
    used: tuple[str, ...] = ()
    """What is the model's: topic (once for each), opening, moments."""
    asked: int = 0
    """Of how many."""
    cost: str = ""
    """In words; empty: prices are not known."""

    @property
    def meta(self) -> dict[str, Any]:
        """How the review was written, as plain data."""
        return {
            "writer": "chat" if self.used else "offline",
            "model": self.model,
            "calls": self.usage.calls,
            "tokens": {"sent": self.usage.prompt, "received": self.usage.completion},
            "seconds": round(self.usage.seconds, 2),
            "used": list(self.used),
            "asked": self.asked,
            **({"cost": self.cost} if self.cost else {}),
        }
