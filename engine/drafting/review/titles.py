"""Lines of a topic in → its title: a telling question of theirs, or what it is about.

The title holds words of the chat, cleaned of what leads in and out, at most 20 characters. A
question or a clause is taken when it holds the topic's best keywords and speaks of the thing, not
of 我 and 你; otherwise the two best keywords that are nouns make the title (尺码和队服).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from engine.drafting.review.patterns import pattern
from engine.drafting.review.reading import Line

LONGEST = 20
_SHORTEST = 4
_FALLS = 0.35  # how fast keywords count less from one to the next
_WORTH = 1.1  # merit from which a clause is taken
_LEAST_HELD = 0.7  # of the best keyword's weight that a clause must hold
_ASKS, _LATE, _LENGTH, _BAD = 0.6, 0.4, 0.03, 0.6  # what counts for and against a clause
_FAIR = 9  # characters of a fair title

_CLAUSES = re.compile(r"[^,。!?;:~…\n ]{2,60}[?]?")


def title(lines: Sequence[Line], keywords: Sequence[str]) -> str:
    """The title of a topic with these lines and keywords, best keyword first."""
    weights = {word: 1 / (1 + _FALLS * i) for i, word in enumerate(keywords)}
    best, merit = "", _WORTH
    for place, clause in _clauses(lines):
        own = _merit(clause, weights, place / max(1, len(lines)))
        if own > merit:
            best, merit = clause, own
    return best.rstrip("?") or _phrase(keywords) or lines[0].text[:LONGEST]


def _phrase(keywords: Sequence[str]) -> str:
    """The two best keywords that don't hold each other, joined."""
    first = keywords[0] if keywords else ""
    other = (word for word in keywords[1:] if not set(word) & set(first))
    second = next(other, "")
    joined = f"{first}和{second}" if second else first
    return joined if len(joined) <= LONGEST else first[:LONGEST]


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
    if held < _LEAST_HELD:
        return 0.0
    asks = "?" in clause or any(
        pattern("questions", name).search(clause) for name in ("which", "when", "where", "how")
    )
    merit = held + _ASKS * asks - _LATE * place - _LENGTH * abs(len(clause) - _FAIR)
    bad = len(pattern("threads", "title_bad").findall(clause))
    return merit - _BAD * bad
