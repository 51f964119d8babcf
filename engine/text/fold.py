"""A text in → the same text folded for comparing, and where each folded character came from.

Folding is done character by character, so that any two spellings a reader takes for the same
text become equal and every folded character points at its origin:

- compatibility forms to plain ones (NFKC): ＡＢＣ → abc, ⽤ → 用, ㎏ → kg, ﬁ → fi
- traditional script to simplified, each character by itself (OpenCC t2s): 體 → 体
- combining marks, zero-width and other format characters, invisible fillers, controls and lone
  surrogates are dropped: é → e, wēi → wei. Scripts that write vowels as marks (Thai, Hindi,
  Tibetan) lose them, on both sides of every comparison
- blanks of every kind, line breaks and tabs included, become one space each
- letters are lowered; enclosed, emoji and regional letters and every script's digits become
  plain: ①, ⑴, ❶, １, 1️⃣, ٣ → digits, Ⓐ, 🅰, 🄰, 🇦 → a, 🆗 → ok

Folding a folded text changes nothing, and NFC and NFD spellings of a text fold alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from engine.text.script import simplified

_UNEVEN = "\0"  # stands for a character whose fold needs care; no folded text holds a NUL
_CACHED = 0x32000  # folds are remembered below this: all of today's scripts, 33 MB if all came
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # letters by category, invisible to readers
_BLANKS = frozenset("\u2800")  # the empty braille pattern: a symbol by category, blank to readers
_NOT_WORD = re.compile(r"[\W_]+")

RADICALS = dict(
    zip(
        "⺎⺝⺟⺠⺫⺮⺷⺼⻁⻄⻅⻆⻉⻋⻑⻒⻓⻔⻗⻘⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
        "兀月母民目竹羊肉虎西见角贝车长长长门雨青韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
        strict=True,
    )
)
"""Radicals that PDF fonts map whole characters to and that NFKC leaves alone, with those."""
# Letters without a compatibility form: negative circled, negative squared, regional.
_LETTERS = {
    chr(first + i): chr(ord("a") + i) for first in (0x1F150, 0x1F170, 0x1F1E6) for i in range(26)
}
_SIGNS = {
    "🔟": "10", "🆎": "ab", "🆑": "cl", "🆒": "cool", "🆓": "free", "🆔": "id",
    "🆕": "new", "🆖": "ng", "🆗": "ok", "🆘": "sos", "🆙": "up", "🆚": "vs",
}  # fmt: skip
_PLAIN = RADICALS | _LETTERS | _SIGNS


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text beside its original.

    Attributes:
        original: The text as given.
        text: The folded text; it holds neither NUL nor lone surrogate.
        offsets: For each folded character, where the original characters behind it start.
        ends: For each folded character, where they end. Only Hangul syllables put together from
            loose jamo come from more than one character.
    """

    original: str
    text: str
    offsets: Sequence[int] = field(repr=False, compare=False)
    ends: Sequence[int] = field(repr=False, compare=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the smallest span of the original that covers `text[start:end]`.

        An empty span maps to an empty span.

        Raises:
            ValueError: Unless 0 <= start <= end <= len(text).
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(
                f"Span ({start}, {end}) is outside the folded text of {len(self.text)} characters."
                " Give 0 <= start <= end <= its length, counted in folded characters."
            )
        if start < end:
            return self.offsets[start], self.ends[end - 1]
        here = self.offsets[start] if start < len(self.text) else (self.ends or (0,))[-1]
        return here, here


def fold(text: str) -> Folded:
    """Fold a text and keep the way back; any string is accepted, lone surrogates included."""
    rough = text.translate(_TABLE)
    if _UNEVEN not in rough:
        return Folded(text, rough, range(len(text)), range(1, len(text) + 1))
    return _fold_unevenly(text, rough)


def fold_text(text: str) -> str:
    """Fold a text where the way back is not needed: the same as `fold(text).text`."""
    rough = text.translate(_TABLE)
    return rough if _UNEVEN not in rough else _fold_unevenly(text, rough).text


def skeleton(text: str) -> str:
    """Fold a text and keep only letters and digits, for telling whether two texts are the same."""
    bare = _NOT_WORD.sub("", fold_text(text))
    return _composed(bare)  # dropping may bring loose jamo together


def _fold_unevenly(text: str, rough: str) -> Folded:
    """Fold a text in which some characters vanish, grow or join their neighbours.

    `rough` is as long as `text`: each character folded, or `_UNEVEN` where that isn't one
    character for one.
    """
    chars: list[str] = []
    offsets: list[int] = []
    ends: list[int] = []
    here = 0
    for even in rough.split(_UNEVEN):
        after = here + len(even)
        chars.extend(even)
        offsets.extend(range(here, after))
        ends.extend(range(here + 1, after + 1))
        for char in _fold_character(text[after]) if after < len(text) else "":
            if chars and _joins(char) and len(both := _composed(chars[-1] + char)) == 1:
                chars[-1], ends[-1] = both, after + 1
            else:
                chars.append(char)
                offsets.append(after)
                ends.append(after + 1)
        here = after + 1
    return Folded(text, "".join(chars), offsets, ends)


class _Table(dict[int, str]):
    """Code point → its fold, or `_UNEVEN`; filled as characters are met, for `str.translate`."""

    def __missing__(self, code: int) -> str:
        folded = _fold_character(chr(code))
        if len(folded) != 1 or _joins(folded):
            folded = _UNEVEN
        if code < _CACHED:
            self[code] = folded
        return folded


_TABLE = _Table()


def _joins(char: str) -> bool:
    """Whether a character is a Hangul jamo that forms a syllable with what stands before it."""
    return "\u1161" <= char <= "\u1175" or "\u11a8" <= char <= "\u11c2"


def _composed(text: str) -> str:
    """Put Hangul syllables together; without marks there is nothing else that NFC joins."""
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=8192)
def _fold_character(char: str) -> str:
    """Return what one character becomes: characters, none to many, that fold to themselves."""
    plain = _plainer(char)
    if plain == char:
        return char
    return _composed("".join(map(_fold_character, plain)))


def _plainer(char: str) -> str:
    """Return a character one step plainer, or itself when nothing is left to do."""
    if char.isspace() or char in _BLANKS:
        return " "
    if _vanishes(char):
        return ""
    if plain := _PLAIN.get(char) or _number(char):
        return plain
    parts = unicodedata.normalize("NFKD", char)
    if parts != char:
        return _unwrapped(parts)
    lowered = char.lower()
    return simplified(char) if lowered == char and char >= "\u3400" else lowered


def _vanishes(char: str) -> bool:
    """Whether a character is a mark, a control or otherwise nothing that a reader sees alone."""
    category = unicodedata.category(char)
    return category[0] == "M" or category in ("Cc", "Cf", "Cs") or char in _FILLERS


def _number(char: str) -> str:
    """Return the plain digits of a digit of any script or a circled number, else nothing."""
    category = unicodedata.category(char)
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category != "No" or unicodedata.decomposition(char):  # ㊀ is better taken apart: 一
        return ""
    circled = "CIRCLED" in unicodedata.name(char)
    return str(int(unicodedata.numeric(char))) if circled else ""


def _unwrapped(parts: str) -> str:
    """Take off what encloses a letter or number that was one character: (1) → 1, 1. → 1."""
    if len(parts) > 2 and parts[0] in "(〔" and parts[-1] in ")〕":
        return parts[1:-1]
    if len(parts) > 1 and parts[-1] in ".," and parts[:-1].isdigit():
        return parts[:-1]
    return parts
