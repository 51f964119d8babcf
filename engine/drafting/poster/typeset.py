"""Text and the room for it in → lines at a size that fits, shortened only as the last resort."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from engine.drafting.poster.linebreak import (
    CLAUSE_END,
    OPENING,
    Line,
    Wrapped,
    breaks,
    wrap,
)

ELLIPSIS = "…"
_HANGING = "".join(CLAUSE_END | OPENING) + " 、—·～/"
"""Signs that make no sense before an ellipsis; a % or a closing bracket does."""
LONGEST = 400
"""Characters looked at; no box of a poster holds more."""
_STEP = 1.04
_SHRINKING = 25.0
"""What shrinking to half its size costs, in the em² of line breaking."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a text may take."""

    width: float
    """Width of the column in pixels."""
    lines: int
    """Most lines."""
    largest: float
    """Font size to start from, in pixels."""
    smallest: float
    """Font size below which the text is shortened instead, in pixels."""
    leading: float = 1.4
    """Distance of two base lines, as a multiple of the font size."""
    least_lines: int = 1
    """Fewest lines, as far as the text has places to break."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A text as it will be drawn."""

    lines: tuple[Line, ...]
    face: str
    size: float
    """Font size in pixels."""
    leading: float
    """Distance of two base lines in pixels."""
    shortened: bool
    """True: words had to go; an ellipsis stands for them."""
    cost: float
    """How badly its lines break, in em²; lower is better, for the same text only."""

    @property
    def width(self) -> float:
        """Width of the widest line in pixels."""
        return max((line.width for line in self.lines), default=0.0) * self.size

    @property
    def height(self) -> float:
        """Height of all lines in pixels, half a leading above and below included."""
        return len(self.lines) * self.leading

    @property
    def baseline(self) -> float:
        """First base line below the top, in pixels: the em box sits in the middle of its line."""
        return (self.leading - self.size) / 2 + 0.88 * self.size


@lru_cache(maxsize=1024)
def fit(text: str, face: str, room: Room) -> Setting:
    """Set `text` in `room`: as large as it fits, else shortened at a clause with an ellipsis.

    A somewhat smaller size is taken where it keeps words and clauses whole.
    """
    best: tuple[float, float, Wrapped] | None = None
    for size in _sizes(room) if len(text) <= LONGEST else ():
        wrapped = wrap(text, face, room.width / size, room.lines, room.least_lines)
        if wrapped is not None:
            score = wrapped.cost + _SHRINKING * (room.largest / size - 1)
            if best is None or score < best[0]:
                best = (score, size, wrapped)
    if best is not None:
        return _setting(best[2], face, best[1], room, shortened=False)
    wrapped = shorten(text[:LONGEST], face, room.width / room.smallest, room.lines)
    return _setting(wrapped, face, room.smallest, room, shortened=True)


def _sizes(room: Room) -> Iterator[float]:
    """Font sizes to try: steps up from the smallest, so that rooms of one poster share them."""
    size = room.smallest
    while size <= room.largest:
        yield size
        size *= _STEP


def _setting(wrapped: Wrapped, face: str, size: float, room: Room, *, shortened: bool) -> Setting:
    leading = math.ceil(size * room.leading)
    return Setting(wrapped.lines, face, size, leading, shortened, wrapped.cost)


def shorten(text: str, face: str, width: float, lines: int) -> Wrapped:
    """The longest beginning of `text`, with an ellipsis, that fits `lines` lines of `width` em.

    Ends at a clause where that keeps half of what fits, else between two words.
    """
    ends = sorted(breaks(text).items())
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high + 1) // 2
        if wrap(_ended(text[: ends[middle - 1][0]]), face, width, lines) is None:
            high = middle - 1
        else:
            low = middle
    for at in _preferred(text, ends[:low]):
        wrapped = wrap(_ended(text[:at]), face, width, lines)
        if wrapped is not None:
            return wrapped
    return _shorten_anywhere(text, face, width, lines)


def _preferred(text: str, ends: list[tuple[int, float]]) -> list[int]:
    """Places to stop, best first: the last clause, the last word border, then any."""
    if not ends:
        return []
    offsets = [at for at, _ in ends]
    half = offsets[-1] / 2
    clauses = [at for at in offsets if at >= half and text[at - 1] in CLAUSE_END | {"、"}]
    words = [at for at, cost in ends if at >= half and cost <= 10.0]
    return [*reversed(clauses), *reversed(words), *reversed(offsets)]


def _shorten_anywhere(text: str, face: str, width: float, lines: int) -> Wrapped:
    """For a text without a place to break: cut inside it, character by character."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if wrap(text[:middle] + ELLIPSIS, face, width, lines) is None:
            high = middle - 1
        else:
            low = middle
    wrapped = wrap(text[:low] + ELLIPSIS, face, width, lines)
    return wrapped or Wrapped((Line(ELLIPSIS, 1.0, 0.0),), 0.0)


def _ended(text: str) -> str:
    """`text` without hanging punctuation or an unclosed bracket, and with an ellipsis."""
    for opening, closing in ("「」", "『』", "《》", "（）", "“”", "【】", "()"):
        start = text.rfind(opening)
        if start > len(text) / 2 and text.find(closing, start) < 0:
            text = text[:start]
    return text.rstrip(_HANGING) + ELLIPSIS
