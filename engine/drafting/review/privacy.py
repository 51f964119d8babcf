"""A member's words in → the same words without what identifies or reaches a person.

Telephone, identity card, bank card and account numbers and mail addresses are masked: what is
posted or sent on should not carry them. Marks that turn the reading direction and other invisible
controls are taken out, since they would change the text around the quote.
"""

from __future__ import annotations

import unicodedata

from engine.text.personal import PersonalData, Spans

__all__ = ["Privacy", "Spans", "plain"]

_KEPT_CONTROLS = "\n\t\u200d\ufe0f\ufe0e"
_CONTROLS = {"Cc", "Cf", "Cs"}
_KEPT = 2


class Privacy(PersonalData):
    """Masks personal data in texts."""

    def mask(self, text: str) -> str:
        """The text with all but the first characters of each find as ****, and without controls."""
        shown, end = "", 0
        for start, stop in self.spans(text):
            if stop <= end:
                continue
            first = max(start, end)
            kept = _KEPT if first == start else 0
            shown += text[end : first + kept] + "****"
            end = stop
        return plain(shown + text[end:])


def plain(text: str) -> str:
    """The text without controls and format characters; line breaks and emoji joiners stay."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(filter(_shown, lines)).strip()


def _shown(char: str) -> bool:
    return char in _KEPT_CONTROLS or unicodedata.category(char) not in _CONTROLS
