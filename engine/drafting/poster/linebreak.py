"""A line of Chinese text and a width in → the lines it breaks into, by Chinese line rules.

The unit of length is the em: the width of one Chinese character, whatever its size in pixels.
Rules kept without exception, unless a single unbreakable piece is wider than a line: no closing
punctuation at a line's start, no opening punctuation at its end, Latin words and numbers stay
whole, a number stays with its unit. Rules kept where possible: words stay whole, no line starts
with a particle, no last line of one character.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from engine.drafting.poster.faces import Face, face
from engine.text.words import words

CLOSING = frozenset("。，、；：！？）」』》】〉〕〗”’…—·～•.,;:!?)]}%％‰°℃℉/／＞>")
"""No line starts with one of these."""
OPENING = frozenset("（「『《【〈〔〖“‘([{￥¥$€£#＃@＠＜<")
"""No line ends with one of these."""
CLAUSE_END = frozenset("。，；：！？….,;:!?")
_PARTICLES = frozenset("的地得了着过吗呢吧啊呀嘛么们")
_LEANING = frozenset("在把被和与跟给对向从为让将不没很更最每这那又再也都就还只第")
_BLANK_LEFT = frozenset("（「『《【〈〔〖“‘")
_BLANK_RIGHT = frozenset("。，、；：！？）」』》】〉〕〗”’")

_LETTER = r"[0-9A-Za-z\u00c0-\u024f\u0370-\u052f]"
_RUN = re.compile(rf"{_LETTER}+(?:[.,:'’&@_/\\\-–~～+=?%]+{_LETTER}+)*")
_UNITS = (
    "平方米|立方米|公里|千米|厘米|毫米|公斤|千克|毫升|分钟|小时|个月|星期|礼拜|年级|人次|课时|"
    "元|块|角|年|月|日|号|天|周|晚|点|时|分|秒|位|人|名|个|次|场|期|节|本|页|斤|克|吨|升|岁|折|席|份|家|"
    "步|组|群|楼|层|栋|室|米|度|件|杯|课|章|倍|成|款|箱|袋|盒|只|条|张|台|套|间|亩|校|城|句|篇|招|届|帧|关|轮|局"
)
_NUMBER = re.compile(
    rf"[第前后满约近每仅共早晚超逾]?\s?[0-9]+(?:[.,:：~～\-–—至到/+][0-9]+)*"
    rf"(?:\s?[多余几]?[万亿千百]?\s?(?:{_UNITS})|\s?[多余]?[万亿千百])"
)
_DAY = re.compile(r"每?(?:周|星期|礼拜)[一二三四五六日天末]")

_INSIDE_WORD = 40.0
_PARTICLE = 14.0
_AFTER_LEANING = 8.0
_BETWEEN_NUMBERS = 16.0
_BETWEEN_LONE = 12.0
"""Two words of one character each often belong together: 群|内."""
_AFTER_CLAUSE = -6.0
_AFTER_PAUSE = -2.0
_INSIDE_CLAUSE = 8.0
"""Added for a line that does not end where a clause does."""
_STRANDED = 12.0
"""A clause's first or last character alone on the other line."""
_WIDOW = 60.0
_ONE_MORE = 16.0
"""What a further line must save, in em²."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters that stay together."""

    text: str
    width: float
    """Advance of the text in em, without `space`."""
    space: float
    """Width of the space after it, in em; it vanishes at a line's end."""
    cost: float
    """What a line break after it costs, in em²; negative: a good place."""
    blank_left: float
    """Empty half of an opening bracket, in em; hangs outside where it starts a line."""
    blank_right: float
    """Empty half of closing punctuation, in em; does not count where it ends a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of set text."""

    text: str
    width: float
    """Visible width in em: without the empty halves at both ends."""
    hang: float
    """Empty half before the first visible stroke, in em: draw the text that far to the left."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Lines and how well they break."""

    lines: tuple[Line, ...]
    cost: float
    """em², lower is better; comparable for the same text only."""


def breaks(text: str) -> dict[int, float]:
    """Offsets before which `text` may break → cost in em². `text` has no doubled spaces."""
    held: set[int] = set()
    for pattern in (_RUN, _NUMBER, _DAY):
        for match in pattern.finditer(text):
            held.update(range(match.start() + 1, match.end()))
    _hold_quotes(text, held)
    borders = _borders(text)
    found: dict[int, float] = {}
    for at in range(1, len(text)):
        spaced = text[at - 1] == " "
        before, after = text[at - 2 if spaced and at > 1 else at - 1], text[at]
        if at in held or after == " " or after in CLOSING or before in OPENING:
            continue
        if spaced and not (before.isascii() or after.isascii()):
            found[at] = _AFTER_CLAUSE  # people put a space there to part two phrases
            continue
        lone = not spaced and {at - 1, at, at + 1} <= borders
        found[at] = _cost(before, after, spaced or at in borders, lone)
        if before not in CLAUSE_END and {text[at - 2 : at - 1], text[at + 1 : at + 2]} & CLAUSE_END:
            found[at] += _STRANDED
    return found


def _hold_quotes(text: str, held: set[int]) -> None:
    """Keep straight quotes with what they enclose: the first opens, the second closes."""
    marks = [at for at, character in enumerate(text) if character == '"']
    for number, at in enumerate(marks):
        held.add(at + 1 if number % 2 == 0 else at)


def _cost(before: str, after: str, border: bool, lone: bool) -> float:
    """What breaking between two characters costs, in em².

    `border`: between two words. `lone`: both words are one character long.
    """
    if before in CLAUSE_END:
        return _AFTER_CLAUSE
    if before in CLOSING or after in OPENING:
        return _AFTER_PAUSE
    if not border:
        return _INSIDE_WORD
    if before.isdigit() and after.isdigit():
        return _BETWEEN_NUMBERS
    held = _PARTICLE if after in _PARTICLES else 0.0
    held += _AFTER_LEANING if before in _LEANING else 0.0
    return held or (_BETWEEN_LONE if lone else 0.0)


def _borders(text: str) -> frozenset[int]:
    """Offsets where a word starts, and the end."""
    starts, at = [], 0
    for word in words(text):
        starts.append(at)
        at += len(word)
    return frozenset([*starts, len(text)])


@lru_cache(maxsize=512)
def pieces(text: str, name: str) -> tuple[Piece, ...]:
    """`text` cut at every place where a line may break; `name` is a face: sans or serif."""
    made, start, font = [], 0, face(name)
    for at, cost in [*breaks(text).items(), (len(text), 0.0)]:
        made.append(_piece(text[start:at], cost, font))
        start = at
    return tuple(made)


def _piece(text: str, cost: float, font: Face) -> Piece:
    body = text.rstrip(" ")
    return Piece(
        body,
        font.width(body),
        font.width(text[len(body) :]),
        cost,
        0.5 if body[:1] in _BLANK_LEFT else 0.0,
        0.5 if body[-1:] in _BLANK_RIGHT else 0.0,
    )


@lru_cache(maxsize=2048)
def wrap(text: str, name: str, width: float, lines: int, least: int = 1) -> Wrapped | None:
    """Break `text` for a column of `width` em into few lines, but `least` where it can.

    The lines are of similar length, as a poster wants them, and end at the best places; one line
    more than needed is taken where that keeps a word whole.
    Returns None where `lines` lines are too few.
    """
    parts = _narrow(pieces(text, name), width, face(name))
    needed = max(_needed(parts, width), min(least, len(parts)))
    if needed > lines:
        return None
    cuts, cost = _best(parts, width, needed)
    if cost > _ONE_MORE and needed < min(lines, len(parts)):
        more, other = _best(parts, width, needed + 1)
        if other + _ONE_MORE < cost:
            cuts, cost = more, other
    return Wrapped(tuple(_line(parts[a:b]) for a, b in pairwise(cuts)), cost)


def _narrow(parts: tuple[Piece, ...], width: float, font: Face) -> tuple[Piece, ...]:
    """Cut the pieces that are wider than a line into characters; the others stay."""
    if all(_visible(part) <= width for part in parts):
        return parts
    made: list[Piece] = []
    for part in parts:
        if _visible(part) <= width:
            made.append(part)
            continue
        made += [_piece(c, 1.0 if c in "/.-_&?" else 4.0, font) for c in part.text[:-1]]
        last = _piece(part.text[-1], part.cost, font)
        made.append(
            Piece(last.text, last.width, part.space, part.cost, last.blank_left, last.blank_right)
        )
    return tuple(made)


def _visible(part: Piece) -> float:
    return part.width - part.blank_left - part.blank_right


def _needed(parts: tuple[Piece, ...], width: float) -> int:
    """Fewest lines that hold the parts: each line takes what it can."""
    count, used, start = 1, 0.0, 0
    for at, part in enumerate(parts):
        hang = parts[start].blank_left
        if at > start and used + part.width - hang - part.blank_right > width + 1e-6:
            count, used, start = count + 1, 0.0, at
        used += part.width + part.space
    return count


def _best(parts: tuple[Piece, ...], width: float, count: int) -> tuple[tuple[int, ...], float]:
    """Cheapest way to cut the parts into `count` lines: offsets of the cuts, and the cost."""
    total = len(parts)
    run = [0.0]
    for part in parts:
        run.append(run[-1] + part.width + part.space)
    target = run[-1] / count
    table: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for number in range(1, count + 1):
        row: dict[int, tuple[float, int]] = {}
        ends = range(number, total + 1) if number < count else (total,)
        for end in ends:
            for start in range(end - 1, -1, -1):
                last = parts[end - 1]
                length = run[end] - run[start] - last.space - last.blank_right
                length -= parts[start].blank_left
                if length > width + 1e-6 and end - start > 1:
                    break
                if start in table[-1]:
                    after = None if end == total else last.cost
                    cost = table[-1][start][0] + _line_cost(length, target, after)
                    if end not in row or cost < row[end][0]:
                        row[end] = (cost, start)
        table.append(row)
    cuts = [total]
    for number in range(count, 0, -1):
        cuts.append(table[number][cuts[-1]][1])
    return tuple(reversed(cuts)), table[count][total][0]


def _line_cost(length: float, target: float, after: float | None) -> float:
    """Cost of one line in em²; `after` is the cost of the break that ends it, None at the end."""
    uneven = (target - length) ** 2
    if after is None:
        return uneven + (_WIDOW if length < 1.6 else 0.0)
    return uneven + after + (_INSIDE_CLAUSE if after > _AFTER_CLAUSE else 0.0)


def _line(parts: tuple[Piece, ...]) -> Line:
    spaces = [" " * (part.space > 0) for part in parts[:-1]] + [""]
    text = "".join(part.text + space for part, space in zip(parts, spaces, strict=True))
    width = math.fsum(part.width + part.space for part in parts) - parts[-1].space
    hang = parts[0].blank_left
    return Line(text, width - hang - parts[-1].blank_right, hang)
