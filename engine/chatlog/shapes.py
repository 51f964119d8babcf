"""The head of a text log in → the shape of its header lines: where time, name and text stand.

A shape is tried on every line of the head; the one that explains most lines wins. Only lines of
that shape are headers afterwards, so that a message may hold what looks like another one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from engine.chatlog.times import DATES, TIME, DayOrder

Layout = Literal["time name", "name time", "time name: text", "name time: text", "table"]

LONGEST_HEAD = 240
"""Characters of a line that is nothing but a header."""
_MOST_LINES = 3000  # of a head that are tried
_MOST_AHEAD = 60  # lines that may stand before the first header
_LEAST_SHARE = 0.02  # headers among the lines that hold something
_CLEARLY = 0.5  # of the lines that the looser shape explains
_ALL_BUT = 0.95
_SPACED = 0.8  # headers after an empty line, from which on all must be

_ORDERS: tuple[DayOrder, ...] = ("ymd", "dmy", "md", "none")
_GAP = r"[ \t\u3000\xa0]"
_NAME = r"(?P<name>[^\s:：\[\]>][^\t:：]{0,63}?)"
_WORD = r"[^ \t\u3000\xa0\n]*+"
_WORDS = rf"[^\s>]{_WORD}(?:{_GAP}{_WORD})*?"
"""A name before a gap, as `[^\\s>].*?` finds it, tried at every gap, not at every character."""
_LEAD = r"[\u200e\u200f\u202a-\u202e\ufeff]*"
_OPEN = r"[\[【（(]?[ \t]*"
_CLOSE = r"[ \t]*[\]】）)]?"


@dataclass(frozen=True, slots=True)
class Shape:
    """How header lines look."""

    layout: Layout
    order: DayOrder
    pattern: re.Pattern[str]
    """Groups: `day` unless the order is none, `time`, `name`; matches to the end of the header."""
    strict: bool = True
    """Whether little else than a header looks like this."""

    @property
    def inline(self) -> bool:
        """Whether the text stands on the header line, else below it."""
        return self.layout not in ("time name", "name time")


@dataclass(frozen=True, slots=True)
class Fit:
    """A shape and how the head of a log bears it out."""

    shape: Shape
    headers: int
    spaced: bool
    """Whether a header must stand after an empty line."""


DAY_LINE = re.compile(
    rf"[\W_]{{0,40}}(?:{DATES['ymd']}|\d{{1,2}}[ \t]?月[ \t]?\d{{1,2}}日)"
    r"(?:[ \t]*(?:星期|周|週)?[一二三四五六日天])?[\W_]{0,40}"
)
"""A line that holds nothing but a day."""


def _stamp(order: DayOrder) -> str:
    """Pattern of a day, unless the log has none, and a time."""
    if order == "none":
        return rf"(?P<time>{TIME})"
    return rf"(?P<day>{DATES[order]})(?:[ \t]?[,，T][ \t]?|{_GAP}{{1,8}})(?P<time>{TIME})"


def _shapes() -> Iterator[Shape]:
    for order in _ORDERS:
        stamp = _stamp(order)
        yield Shape("table", order, re.compile(rf"{_LEAD}{stamp}\t(?P<name>[^\t]{{1,64}})\t"))
        yield Shape(
            "time name: text",
            order,
            re.compile(
                rf"{_LEAD}{_OPEN}{stamp}{_CLOSE}{_GAP}{{0,8}}(?:[-–—|]{_GAP}{{0,8}})?"
                rf"{_NAME}{_GAP}{{0,8}}[:：]{_GAP}?"
            ),
        )
        yield Shape(
            "name time: text",
            order,
            re.compile(
                rf"{_LEAD}{_NAME}{_GAP}{{0,8}}[\[（(]?{stamp}{_CLOSE}{_GAP}{{0,8}}[:：]{_GAP}?"
            ),
        )
        if order != "none":
            yield Shape(
                "time name",
                order,
                re.compile(rf"{_LEAD}{_OPEN}{stamp}{_CLOSE}{_GAP}{{1,8}}(?P<name>[^\s\-–—].*)$"),
            )
        for gap, strict in ((f"{_GAP}{{2,9}}", True), (f"{_GAP}{{1,9}}", False)):
            if strict is (order == "none") or not strict:
                yield Shape(
                    "name time",
                    order,
                    re.compile(
                        rf"{_LEAD}(?P<name>{_WORDS}){gap}{_OPEN}{stamp}{_CLOSE}[:：]?{_GAP}{{0,8}}$"
                    ),
                    strict,
                )


_SHAPES: tuple[Shape, ...] = tuple(_shapes())
BARE = {
    order: re.compile(
        rf"{_LEAD}{_OPEN}{_stamp(order)}{_CLOSE}{_GAP}{{0,8}}(?:[-–—|]{_GAP}{{0,8}})?"
    )
    for order in _ORDERS
}
"""By order of days: a time at the start of a line with no name behind it, as notices have it."""


def find_shape(head: str) -> Fit | None:
    """The shape of a log's headers; None: it has none, so it is no chat log."""
    lines = head.split("\n")[:_MOST_LINES]
    counts = {id(shape): _matching(shape, lines) for shape in _SHAPES}
    best: Shape | None = None
    for shape in _SHAPES:
        found = counts[id(shape)]
        if found and (best is None or _better(shape, found, best, counts[id(best)])):
            best = shape
    if best is None or not _is_log(counts[id(best)], lines):
        return None
    found = counts[id(best)]
    if best.order == "dmy" and not _day_first(best, lines, found):
        best = Shape(best.layout, "mdy", best.pattern, best.strict)
    apart = sum(1 for i in found if i == 0 or not lines[i - 1].strip() or _is_day(lines[i - 1]))
    spaced = not best.inline and len(found) > 2 and apart >= _SPACED * len(found)
    return Fit(best, len(found), spaced)


def _matching(shape: Shape, lines: Sequence[str]) -> list[int]:
    match = shape.pattern.match
    if shape.inline:
        return [i for i, line in enumerate(lines) if match(line)]
    return [i for i, line in enumerate(lines) if len(line) <= LONGEST_HEAD and match(line)]


def _better(shape: Shape, found: Sequence[int], best: Shape, held: Sequence[int]) -> bool:
    """Whether a shape further down the list explains a log better than an earlier one."""
    share = _ALL_BUT if shape.order != best.order else _CLEARLY
    return len(held) < share * len(found)


def _is_log(found: Sequence[int], lines: Sequence[str]) -> bool:
    filled = sum(1 for line in lines if line.strip())
    if found[0] > _MOST_AHEAD or len(found) < _LEAST_SHARE * filled:
        return False
    return len(found) > 1 or filled <= 8


def _is_day(line: str) -> bool:
    return len(line) < 100 and DAY_LINE.fullmatch(line.strip()) is not None


def _day_first(shape: Shape, lines: Sequence[str], found: Sequence[int]) -> bool:
    """Whether 1/2/2026 is the first of February: no month above 12, else the smaller steps."""
    pairs: list[tuple[int, int]] = []
    american = False
    for i in found:
        match = shape.pattern.match(lines[i])
        if match is None:
            continue
        one, other = (int(number) for number in re.split(r"[./-]", match["day"])[:2])
        pairs.append((one, other))
        american |= "/" in match["day"] and match["time"].strip().lower().endswith("m")
    if any(one > 12 for one, _ in pairs):
        return True
    if any(other > 12 for _, other in pairs):
        return False
    steps = list(pairwise(pairs))
    day_first = sum(abs(31 * (a[1] - b[1]) + a[0] - b[0]) for a, b in steps)
    month_first = sum(abs(31 * (a[0] - b[0]) + a[1] - b[1]) for a, b in steps)
    if day_first != month_first:
        return day_first < month_first
    return not american
