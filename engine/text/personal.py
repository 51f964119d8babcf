"""A text in → where personal data stand in it: telephone and card numbers, mail, accounts.

What is found identifies or reaches a person. A card number counts whether or not its check digit
is right: a mistyped one is still somebody's. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from engine.bundled import bundled
from engine.errors import RecipeError
from engine.yaml_files import read_yaml

Spans = Callable[[str], Sequence[tuple[int, int]]]
"""A text in → where something stands in it, as (start, end) in characters."""

_DIGITS = r"(?<![0-9A-Za-z.])"
_NUMBERS = (
    rf"{_DIGITS}(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{{4}}){{2}}(?!\d)",  # mobile
    rf"{_DIGITS}0\d{{2,3}}[- ]\d{{7,8}}(?!\d)",  # landline
    rf"{_DIGITS}\d{{17}}[\dXx](?![0-9A-Za-z])",  # identity card
    rf"{_DIGITS}\d{{4}}(?:[ -]?\d{{4}}){{3}}(?:[ -]?\d{{1,3}})?(?!\d)",  # bank card
    r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,20}",  # mail
)
_ACCOUNT = r"[ :：号是为=]{0,4}([A-Za-z][-_A-Za-z0-9]{4,19}|\d{5,11})(?![-_A-Za-z0-9])"
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
"""ＡＢＣ１２３ → ABC123, character by character."""


class PersonalData:
    """Finds personal data in texts.

    Args:
        words: Words that stand before an account's name: 微信号, vx, qq.
        more: Finds further data, e.g. moderation's contacts, which sees through disguises.
    """

    def __init__(self, words: Sequence[str], more: Spans | None = None) -> None:
        before = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
        self._numbers = re.compile("|".join(_NUMBERS))
        self._account = re.compile(f"(?:{before}){_ACCOUNT}", re.IGNORECASE) if words else None
        self._more = more

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where personal data stand, in order; spans may overlap."""
        narrow = text.translate(_NARROW)
        found = [match.span() for match in self._numbers.finditer(narrow)]
        if self._account:
            found += [match.span(1) for match in self._account.finditer(narrow)]
        if self._more:
            found += self._more(text)
        return sorted(found)


@cache
def personal_words() -> tuple[str, ...]:
    """The bundled words before an account's name, read at the first call.

    Raises:
        RecipeError: the file is missing or holds something else.
    """
    path = bundled("knowledge/personal.yaml")
    data = read_yaml(path, "a list of words before personal data")
    words = data.get("words") if isinstance(data, dict) and len(data) == 1 else None
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise RecipeError(f"{path} must hold `words:` with a list of words, and nothing else.")
    return tuple(words)
