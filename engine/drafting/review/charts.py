"""Counts in → the geometry of charts, in units of an SVG view box; the page's template draws them.

Nothing here depends on fonts or chance: the same counts give the same picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH = 360.0
"""Of every chart but the cloud."""
_PLOT_TOP, _PLOT_HEIGHT, _AXIS = 18.0, 96.0, 20.0
_ROW, _BAR, _NUMBER = 34.0, 8.0, 46.0
_MOST_DAYS = 45
_HOUR_LABELS = (0, 6, 12, 18, 23)
_DAY_LABELS = 7
_CLOUD_WIDTH, _CLOUD_HEIGHT = 480.0, 250.0
_SMALLEST, _LARGEST, _READABLE = 13.0, 40.0, 11.0
_FILLED = 0.45
"""Share of the plane that words may take before they are drawn smaller."""
_LATIN, _LEADING = 0.62, 1.12
_PITCH, _GAP = 10.0, 6.0
_FLATNESS = 0.55
"""Height of the spiral / its width."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its words."""

    x: float
    y: float
    width: float
    height: float
    label: str
    """Below a column, above a row; empty: none is shown."""
    value: int
    about: str
    """The bar in words, for those who point at it or hear the page."""
    peak: bool
    """Whether none is longer."""
    named: bool = False
    """Whether its value stands at it; of several peaks the first only."""


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of bars."""

    width: float
    height: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the cloud; its box is `width` wide and `size` high around (x, y)."""

    text: str
    x: float
    y: float
    width: float
    size: float
    rank: int
    """0 for the heaviest words, up to 3."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Words that don't overlap, and the part of the plane that they take."""

    left: float
    top: float
    width: float
    height: float
    words: tuple[Word, ...]


def hour_columns(by_hour: Sequence[int], unit: str) -> Bars:
    """24 columns; `unit` is what stands after an hour: 点."""
    rows = [
        (f"{hour}" if hour in _HOUR_LABELS else "", f"{hour} {unit}", count)
        for hour, count in enumerate(by_hour)
    ]
    return _columns(rows)


def day_columns(by_day: Sequence[tuple[date, int]], week: str) -> Bars:
    """One column a day, or a week when there are many; `week` names such a week."""
    if len(by_day) > _MOST_DAYS:
        weeks = [by_day[at : at + 7] for at in range(0, len(by_day), 7)]
        counted = [(days[0][0], sum(count for _, count in days)) for days in weeks]
    else:
        counted, week = list(by_day), ""
    every = max(1, math.ceil(len(counted) / _DAY_LABELS))
    rows = []
    for number, (day, count) in enumerate(counted):
        words = f"{day.month}/{day.day}"
        shown = words if number % every == 0 else ""
        rows.append((shown, f"{words} {week}".strip(), count))
    return _columns(rows)


def _columns(rows: Sequence[tuple[str, str, int]]) -> Bars:
    counts = [count for _, _, count in rows]
    most = max(counts, default=0) or 1
    slot = WIDTH / max(1, len(rows))
    width = min(slot * 0.72, 34.0)
    bars = []
    for number, (label, about, count) in enumerate(rows):
        height = _PLOT_HEIGHT * count / most
        bars.append(
            Bar(
                x=_r(number * slot + (slot - width) / 2),
                y=_r(_PLOT_TOP + _PLOT_HEIGHT - height),
                width=_r(width),
                height=_r(height),
                label=label,
                value=count,
                about=about,
                peak=count == most,
                named=count == most and number == counts.index(most),
            )
        )
    return Bars(WIDTH, _PLOT_TOP + _PLOT_HEIGHT + _AXIS, tuple(bars))


def rows(counts: Sequence[tuple[str, int]]) -> Bars:
    """One bar a row, its name above it and its number at its right."""
    most = max((count for _, count in counts), default=0) or 1
    bars = tuple(
        Bar(
            x=0,
            y=_r(number * _ROW + 19),
            width=_r(max(2.0, (WIDTH - _NUMBER) * count / most)),
            height=_BAR,
            label=name,
            value=count,
            about=name,
            peak=count == most,
        )
        for number, (name, count) in enumerate(counts)
    )
    return Bars(WIDTH, _ROW * len(bars), bars)


def cloud(words: Sequence[tuple[str, float]]) -> Cloud:
    """Words on a spiral from the middle, the heaviest first; what finds no room is left out.

    Args:
        words: word and weight, 0 to 1; the size of a word grows with its weight.
    """
    placed: list[Word] = []
    spiral = _spiral()
    for text, weight, size in _sized(words):
        width = _r(word_width(text, size))
        rank = max(0, min(3, int((1.0 - weight) * 4)))
        for x, y in spiral:
            if _free(x, y, width, size, placed):
                placed.append(Word(text, x, y, width, size, rank))
                break
    return _cropped(placed)


def _sized(words: Sequence[tuple[str, float]]) -> list[tuple[str, float, float]]:
    """Word, weight and size, the heaviest first; smaller all together when they would not fit."""
    by_weight = sorted(words, key=lambda row: -row[1])
    sizes = [
        _SMALLEST + (_LARGEST - _SMALLEST) * max(0.0, min(1.0, weight)) ** 1.2
        for _, weight in by_weight
    ]
    area = sum(
        word_width(text, size) * size for (text, _), size in zip(by_weight, sizes, strict=True)
    )
    scale = min(1.0, math.sqrt(_FILLED * _CLOUD_WIDTH * _CLOUD_HEIGHT / area)) if area else 1.0
    return [
        (text, weight, _r(max(_READABLE, size * scale)))
        for (text, weight), size in zip(by_weight, sizes, strict=True)
    ]


def _cropped(words: Sequence[Word]) -> Cloud:
    """The cloud without the empty plane around it; as wide as ever, so that sizes compare."""
    top = min((word.y - word.size * _LEADING / 2 for word in words), default=0.0)
    bottom = max((word.y + word.size * _LEADING / 2 for word in words), default=0.0)
    return Cloud(0.0, _r(top), _CLOUD_WIDTH, _r(bottom - top), tuple(words))


def word_width(text: str, size: float) -> float:
    """How wide a word is drawn: a Chinese character is as wide as high, others narrower."""
    return sum(size if ord(char) >= 0x2E80 else size * _LATIN for char in text)


def _spiral() -> list[tuple[float, float]]:
    """Points from the middle outwards to the edge, about equally far from each other."""
    points = [(_CLOUD_WIDTH / 2, _CLOUD_HEIGHT / 2)]
    radius, angle = _PITCH / 4, 0.0
    while radius < _CLOUD_WIDTH / 2:
        x = _CLOUD_WIDTH / 2 + radius * math.cos(angle)
        y = _CLOUD_HEIGHT / 2 + radius * _FLATNESS * math.sin(angle)
        points.append((_r(x), _r(y)))
        turn = min(1.0, _PITCH / radius)
        angle += turn
        radius += _PITCH * turn / math.tau
    return points


def _free(x: float, y: float, width: float, size: float, placed: Sequence[Word]) -> bool:
    """Whether a word of that size around that point is in the plane and overlaps no other."""
    across, down = width / 2, size * _LEADING / 2
    if not (across <= x <= _CLOUD_WIDTH - across and down <= y <= _CLOUD_HEIGHT - down):
        return False
    for other in placed:
        if (
            abs(x - other.x) < across + other.width / 2 + _GAP
            and abs(y - other.y) < down + other.size * _LEADING / 2
        ):
            return False
    return True


def _r(number: float) -> float:
    return round(number, 1)
