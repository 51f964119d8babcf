"""Slides run together in one line in → their titles and bullets as lines."""

from __future__ import annotations

import re

from engine.playbook.repair.lines import Line
from engine.playbook.repair.marks import HAN, Tally

_SENTENCE_END = re.compile("[。！？!?]")
_SLIDE_NUMBER = re.compile(rf"(?<!\d)(?=0[1-9][{HAN}A-Z])")
_GRAM = 5
"""Characters that must come again before a title is looked for."""

_Piece = tuple[str, bool]
"""Words, and whether they are a heading."""


def run_together(text: str) -> bool:
    """Whether a text is slides without line ends: bullets, or hardly any sentences."""
    if not 200 <= len(text) <= 100_000:
        return False
    ends = sum(map(text.count, "。！？!?；;."))
    return text.count("•") >= 5 or (len(text) >= 400 and ends * 200 < len(text))


def slides(text: str, tally: Tally) -> list[Line]:
    """Slides cut at titles that come again, at bullets and at numbers like 01.

    A slide that repeats another one word for word is left out.
    """
    seen: set[tuple[str, ...]] = set()
    lines: list[Line] = []
    slide: list[Line] = []
    for words, heading in [*_pieces(text, tally), ("", True)]:
        if heading and slide:
            content = tuple(line.text for line in slide)
            repeated = len(slide) > 1 and content in seen
            lines += [] if repeated else slide
            tally["navigation_dropped"] += repeated
            seen.add(content)
            slide = []
        if words:
            slide.append(Line(words, 0, 2 if heading else 0))
    return lines


def _pieces(text: str, tally: Tally) -> list[_Piece]:
    """All titles, bullets and texts of the slides, as they follow each other."""
    pieces: list[_Piece] = []
    last = 0
    for start, end in _slide_titles(text):
        pieces += _bullets(text[last:start])
        if end > start:
            pieces.append((text[start:end], True))
            twice = text.startswith(text[start:end], end)
            tally["doubled_headings"] += twice
            last = 2 * end - start if twice else end
        else:
            last = end
    return pieces + _bullets(text[last:])


def _bullets(text: str) -> list[_Piece]:
    """Pieces of a slide's text."""
    first, *items = text.split("•")
    pieces: list[_Piece] = []
    for place, part in enumerate([first, *(f"•{item}" for item in items)]):
        words = part.strip()
        title = _last_title(words) if place < len(items) else ""
        rest = words[: len(words) - len(title)]
        numbered = _SLIDE_NUMBER.split(rest)
        pieces += [(n, False) for n in (numbered if len(numbered) > 3 else [rest]) if n.strip("• ")]
        pieces += [(title, True)] if title else []
    return pieces


def _last_title(words: str) -> str:
    """The title at the end of words before a bullet: what follows the last sentence, if short."""
    ends = [match.end() for match in _SENTENCE_END.finditer(words[:-1])]
    if not ends and words.startswith("•"):
        return ""
    title = words[ends[-1] :] if ends else words
    asked = title.endswith(("?", "？"))
    fits = 2 <= len(title) <= 25 and title[0] not in "(（" and not title.endswith("。")
    return title if fits and (asked or not ends or words[ends[-1] - 1] == "。") else ""


def _slide_titles(text: str) -> list[tuple[int, int]]:
    """Where words that come again are a slide's title; an empty span ends a repeated slide.

    A title asks a question, stands before bullets, is printed twice, or was announced in a list.
    """
    titles: list[tuple[int, int]] = []
    done = 0
    for place, others in _recurring(text):
        if place < done:
            continue
        for other in others:
            if other == place or (place and other and text[place - 1] == text[other - 1]):
                continue
            size = _shared(text, place, other)
            start, end = _title_span(text, place, size)
            if _is_title(text, start, end, other + start - place):
                titles.append((start, end))
                done = 2 * end - start if text.startswith(text[start:end], end) else end
                if text.count("•", place, place + size) >= 3:
                    titles.append((place + size, place + size))
                    done = place + size
                break
    return titles


def _recurring(text: str) -> list[tuple[int, list[int]]]:
    """Places whose next characters come again, in order, each with the first eight like it."""
    first: dict[str, int] = {}
    again: dict[int, list[int]] = {}
    for place in range(len(text) - _GRAM + 1):
        start = first.setdefault(text[place : place + _GRAM], place)
        if start != place:
            again.setdefault(start, [start]).append(place)
    return sorted((place, same[:8]) for same in again.values() for place in same)


def _shared(text: str, one: int, other: int) -> int:
    """How many characters from two places on are the same, at most 200."""
    size = 0
    longest = min(200, len(text) - max(one, other))
    while size < longest and text[one + size] == text[other + size]:
        size += 1
    return size


def _title_span(text: str, start: int, size: int) -> tuple[int, int]:
    """The part of shared words that can be a title: up to a bullet or question mark."""
    words = text[start : start + size].partition("•")[0].rstrip("0123456789 ")
    asked = re.search("[?？]", words)
    words = words[: asked.end()] if asked else words
    skip = max(words.rfind(mark, 0, -1) for mark in "。！!；;)）") + 1
    return start + skip, start + len(words)


def _is_title(text: str, start: int, end: int, other: int) -> bool:
    title = text[start:end]
    if not _GRAM <= len(title) <= 40 or text[max(start - 1, 0) : start] in ("•", "、", "“"):
        return False
    announced = text[other - 1 : other] == "•" and len(title) >= 8
    announced = announced or bool(re.fullmatch(r"0\d", text[max(other - 2, 0) : other]))
    numbered = bool(re.fullmatch(r"0\d", text[max(start - 2, 0) : start]))
    return (
        title.endswith(("?", "？"))
        or (text[end : end + 1] == "•" and len(title) >= 7)
        or (text.startswith(title, end) and len(title) >= 6)
        or (announced and other < start and not numbered)
    )
