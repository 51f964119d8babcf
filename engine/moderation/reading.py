"""A message in → how the checks read it: folded, cut into words, and once more as it sounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.moderation.aloud import read_aloud
from engine.moderation.classifier.features import prepare
from engine.moderation.finding import Finding
from engine.moderation.message import Message
from engine.text import Folded, fold, skeleton, words

_SHORT = 8
"""Characters below which a text may say so little (吗, 日更~)."""


@dataclass(slots=True)
class Reading:
    """A message on its way to a verdict."""

    message: Message
    folded: Folded
    prepared: str
    """What the classifier reads of the folded text."""
    words: Sequence[str]
    """The words of `prepared`."""
    findings: list[Finding]
    """What the checks have seen so far."""

    @property
    def size(self) -> int:
        """Characters that say something, up to 8: letters, digits, Han; of emoji alone, those."""
        if len(self.prepared) >= _SHORT:
            return _SHORT
        return len(skeleton(self.prepared)) or len(self.prepared.strip())

    def aloud(self) -> Reading | None:
        """The message as it sounds, with the same findings; None where it is written like that."""
        spoken = read_aloud(self.folded, self.words)
        return None if spoken is self.folded else _reading(self.message, spoken, self.findings)


def read_message(message: Message) -> Reading:
    """A message as it is written, nothing found in it yet."""
    return _reading(message, fold(message.text), [])


def _reading(message: Message, folded: Folded, findings: list[Finding]) -> Reading:
    prepared = prepare(folded.text)
    return Reading(message, folded, prepared, words(prepared), findings)
