"""A raw text whose headings are printed twice in → the text with each of them once, and marked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.playbook.repair.marks import HAN, HEADING, Tally

_CHINESE = re.compile(f"[{HAN}]")
_STARTS = re.compile(r"(?<!\S)\S")
_BINDERS = frozenset(" :：,，、.。?？!！“”‘’\"'()（）+/|·-—")
_NEXT_HEADING = re.compile(
    "(?<=[?？!！。]) "
    "| (?=第 ?[0-9一二三四五六七八九十]{1,3} ?[篇章节讲部课步]|[0-9]{1,2}[、.] ?[\u4e00-\u9fff])"
)
_ORDINAL = re.compile(r"第 ?(\d{1,3}) ?(?=[篇章节讲部课步])")
_INNER_BLANK = re.compile("(?<=[\u4e00-\u9fff、]) (?=[\u4e00-\u9fff])")
_CHAPTER = re.compile("^第[0-9一二三四五六七八九十]{1,3}[篇章节讲部课步]? ")
_TRUSTED_AFTER = 60_000
"""Characters that must show whether the document prints its headings twice."""
_LONGEST = 400
"""Characters of a doubled heading, both copies together."""
_LONGEST_PIECE = 61
"""Characters of a piece that is printed twice."""


@dataclass(frozen=True, slots=True)
class _Zone:
    """Where a doubled heading stands."""

    start: int
    end: int
    once: str
    """Its words, once."""
    long: bool
    """Whether one of its pieces is four characters or longer."""


def headings_once(text: str, tally: Tally) -> str:
    """Mark headings that are printed twice, piece by piece: `第第 1 1 步：定位步：定位`.

    Natural repetition (天天, 加油加油) is left alone: three long doubled pieces must show that the
    document prints its headings twice, and a doubled heading starts and ends at a blank.
    """
    zones = _zones(text[:_TRUSTED_AFTER])
    if sum(zone.long for zone in zones) < 3:
        return text
    pieces: list[str] = []
    last = 0
    for zone in zones if len(text) <= _TRUSTED_AFTER else _zones(text):
        *headings, tail = _NEXT_HEADING.split(zone.once)
        if text[zone.end : zone.end + 1] in {":", "："}:  # words in bold that open a paragraph
            heading, _, tail = tail.rpartition(" ")
            headings += [heading] if heading else []
        else:
            headings.append(tail)
            tail = ""
        tally["doubled_headings"] += len(headings) + bool(tail)
        marked = (f"{HEADING}{_tight(heading)}\n" for heading in headings)
        pieces += (text[last : zone.start], "\n", *marked, tail)
        last = zone.end
    return "".join([*pieces, text[last:]])


def whole_half(text: str) -> str | None:
    """A heading's words once if all of it is printed twice."""
    zone = _zone(text, 0) if text else None
    return zone.once if zone and zone.end == len(text) else None


def _tight(heading: str) -> str:
    """A heading without the blanks of line ends; the blank after 第四篇 stays."""
    heading = _ORDINAL.sub(r"第\1", heading.strip())
    chapter = _CHAPTER.match(heading)
    start = chapter.end() if chapter else 0
    return heading[:start] + _INNER_BLANK.sub("", heading[start:])


def _zones(text: str) -> list[_Zone]:
    zones: list[_Zone] = []
    for match in _STARTS.finditer(text):
        start = match.start()
        if (not zones or start >= zones[-1].end) and _CHINESE.search(text, start, start + 60):
            zone = _zone(text, start)
            if zone:
                zones.append(zone)
    return zones


def _zone(text: str, start: int) -> _Zone | None:
    """The doubled heading that begins at `start`: doubled pieces, with signs between them."""
    found: _Zone | None = None
    words: list[str] = []
    place, longest = start, 0
    while place < min(start + _LONGEST, len(text)):
        size, blank = _twin(text, place)
        if size:
            unit = text[place : place + size]
            words.append(unit)
            place += 2 * size + blank
            longest = max(longest, size if _CHINESE.search(unit) else 0)
            after = text[place : place + 1]
            closed = not after or after.isspace() or text[place - 1] == " "
            if longest > 1 and (closed or after in ":："):
                found = _Zone(start, place, "".join(words), longest > 3)
        elif text[place] in _BINDERS:
            words.append(text[place])
            place += 1
        else:
            break
    return found


def _twin(text: str, start: int) -> tuple[int, int]:
    """Length of the piece at `start` that follows once more (0: none), and of the blank between."""
    window = text[start : start + 2 * _LONGEST_PIECE].partition("\n")[0]
    best = (0, 0)
    size = window.find(window[:1], 1)
    for _ in range(12):  # a heading hardly holds its first character more often
        if not window or not 0 < size <= _LONGEST_PIECE:
            break
        if window[:size] == window[size : 2 * size]:
            best = size, 0
        elif window[size - 1] == " " and window[: size - 1] == window[size : 2 * size - 1]:
            best = size - 1, 1
        size = window.find(window[:1], size + 1)
    return best
