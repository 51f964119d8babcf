"""Lines of a topic in → its title: a short telling question or clause of theirs.

The title holds words of the chat, cleaned of what leads in and out, at most 20 characters. Of the
clauses the one wins that holds most of the topic's keywords in least space, early ones and
questions before others; if none is fit, two keywords make the title.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.drafting.review.patterns import pattern
from engine.drafting.review.reading import Line

LONGEST = 20
_SHORTEST = 4

_CLAUSES = re.compile(r"[^,。!?;:~…\n ]{2,60}[?]?")


def title(lines: Sequence[Line], keywords: Sequence[str]) -> str:
    """The title of a topic with these lines and keywords, best keyword first."""
    weights = {word: 1 / (1 + 0.35 * i) for i, word in enumerate(keywords)}
    best, merit = "", 0.0
    for place, clause in _clauses(lines):
        own = _merit(clause, weights, place / max(1, len(lines)))
        if own > merit:
            best, merit = clause, own
    if best:
        return best.rstrip("?")
    return "、".join(keywords[:2])[:LONGEST] or lines[0].text[:LONGEST]


def _clauses(lines: Sequence[Line]) -> Iterator[tuple[int, str]]:
    for place, line in enumerate(lines[:400]):
        for sentence in line.sentences[:6]:
            for match in _CLAUSES.finditer(sentence):
                clause = _trimmed(match[0])
                if _SHORTEST <= len(clause.rstrip("?")) <= LONGEST:
                    yield place, clause


def _trimmed(clause: str) -> str:
    """A clause without words that lead in or out."""
    asks = "?" if "?" in clause else ""
    before = pattern("threads", "title_before")
    while (match := before.match(clause)) and match[0]:
        clause = clause[match.end() :]
    return pattern("threads", "title_after").sub("", clause) + asks


def _merit(clause: str, weights: dict[str, float], place: float) -> float:
    """How well a clause tells what a topic is about."""
    held = sum(weight for word, weight in weights.items() if word in clause)
    if not held:
        return 0.0
    merit = held + 0.5 * ("?" in clause) - 0.4 * place - 0.03 * abs(len(clause) - 9)
    return merit - 1.0 * bool(pattern("threads", "title_bad").search(clause))
