"""A member's words in → the same words without what identifies or reaches a person.

Telephone, identity card, bank card and account numbers and mail addresses are masked: what is
posted or sent on should not carry them. Marks that turn the reading direction and other invisible
controls are taken out, since they would change the text around the quote.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

Spans = Callable[[str], Sequence[tuple[int, int]]]
"""A text in → where contacts stand in it, as (start, end)."""

_DIGITS = r"(?<![0-9A-Za-z.])"
_NUMBERS = (
    rf"{_DIGITS}(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{{4}}){{2}}(?!\d)",  # mobile
    rf"{_DIGITS}0\d{{2,3}}[- ]\d{{7,8}}(?!\d)",  # landline
    rf"{_DIGITS}\d{{17}}[\dXx](?![0-9A-Za-z])",  # identity card
    rf"{_DIGITS}\d{{4}}(?:[ -]?\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?(?!\d)",  # bank card
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,20}",  # mail
)
_ACCOUNT = r"[ :：号是为=]{0,4}([A-Za-z][-_A-Za-z0-9]{4,19}|\d{5,11})(?![-_A-Za-z0-9])"
_KEPT_CONTROLS = "\n\t\u200d\ufe0f\ufe0e"
_CONTROLS = {"Cc", "Cf", "Cs"}
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""ＡＢＣ１２３ → ABC123, character by character."""
_KEPT = 2


class Privacy:
    """Masks personal data in texts.

    Args:
        words: words that stand before an account's name: 微信号, vx, qq.
        contacts: finds further contacts, e.g. moderation's, which sees through disguises.
    """

    def __init__(self, words: Sequence[str], contacts: Spans | None = None) -> None:
        before = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        self._numbers = re.compile("|".join(_NUMBERS))
        self._account = re.compile(f"(?:{before}){_ACCOUNT}", re.IGNORECASE) if words else None
        self._contacts = contacts

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where personal data stand, in order; spans may overlap."""
        narrow = text.translate(_NARROW)
        found = [match.span() for match in self._numbers.finditer(narrow)]
        if self._account:
            found += [match.span(1) for match in self._account.finditer(narrow)]
        if self._contacts:
            found += self._contacts(text)
        return sorted(found)

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
