"""A line and what came before it → how surely it promises something still to be done.

Evidence is gathered clause by clause (knowledge/review/promises.txt): someone who says 我 or means
it, something to do, a time to come, things given or brought to others, an answer to a call for
help; against it: done, habit, doubt, wish, joke. The weights began as those of a logistic
regression over the dev logs of eval/sets/review and were raised where something never promises.
What a line promises by that and how it is worded otherwise, by runs of characters, are weighed
together (`engine.drafting.review.learned`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from engine.drafting.review.learned import Signs, learned
from engine.drafting.review.patterns import Search, pattern
from engine.drafting.review.reading import Line

_CLAUSES = re.compile(r"[^,。!;~… ]{1,60}[,。!;~…. ]{0,4}")
_TAIL = re.compile(r"[\s,。!;~….]+$")

_NEAR = 6  # lines before in which others offer things
_HIT = 0.0  # logits from which a line promises

# Logits of each piece of evidence: the regression's, held near what was expected of each.
_BIAS = -5.9
_IN_CLAUSE = {
    "due": 0.5, "verbs": 0.7, "moves": 0.7, "me": 0.5, "will": 0.9, "ba": 1.35,
    "outright": 4.7, "takes": 5.8, "done": -3.0, "habit": -5.5, "vague": -1.8, "wish": -1.8,
    "joke": -4.0, "refuses": -3.0, "hearsay": -1.2, "leaves": -1.8, "asks": -6.5, "tells": -1.3,
    "oneself": -6.0,
}  # fmt: skip
_TOGETHER = {
    ("due", "verbs"): 1.8, ("due", "moves"): 1.6, ("me", "verbs"): 1.3, ("me", "moves"): 2.0,
    ("due", "me"): 1.25,
}  # fmt: skip
_FOR = [name for name, logits in _IN_CLAUSE.items() if logits > 0]
_AGAINST = [name for name, logits in _IN_CLAUSE.items() if logits < 0]
_AGREES_TO, _SAYS_ME = 3.0, 0.8  # agrees and names when and what; speaks of himself elsewhere
_AGREES, _REQUESTED, _VOLUNTEERS, _OTHERS, _JOKE_AROUND = 1.1, 1.05, 0.95, 0.8, -1.2
_LEAST, _MOST = -10.0, 6.0  # logits of evidence that count


@dataclass(frozen=True, slots=True)
class Promise:
    """A clause that promises."""

    text: str
    """The clause, folded, without marks at its end."""
    merit: float
    """How surely it promises, in logits."""


def find_promise(line: Line, before: Sequence[Line]) -> Promise | None:
    """The surest promise of a line, if any.

    Args:
        line: A line that says something.
        before: The lines before it that it may answer, last one last.
    """
    known = learned("promises")
    worded = known.read(line.text)
    rest = worded + known.weigh(_signs(0.0))
    best = read_promise(line, before, (_HIT - rest) / known.signs["merit"])
    merit = worded + known.weigh(_signs(best.merit))
    return Promise(best.text, merit) if merit > _HIT else None


def read_promise(line: Line, before: Sequence[Line], least: float = _LEAST) -> Promise:
    """The clause of a line that most looks like a promise, weighed by evidence alone.

    Args:
        line: A line that says something.
        before: The lines before it that it may answer.
        least: Merit below which it does not matter how much it is.
    """
    best = Promise(line.text, _LEAST)
    if least > _MOST:
        return best
    around = _around(line, before)
    for clause, asked in _clauses(line):
        merit = _in_clause(clause, asked, least - around - _AGREES_TO - _SAYS_ME)
        if merit > _LEAST:
            merit += around + _beside(line, clause)
        if merit > best.merit:
            best = Promise(clause, merit)
    return best


def promise_signs(line: Line, before: Sequence[Line]) -> Signs:
    """What counts for a promise beside its wording."""
    return _signs(read_promise(line, before).merit)


def _signs(merit: float) -> Signs:
    return {"bias": 1.0, "merit": max(_LEAST, min(_MOST, merit))}


def _clauses(line: Line) -> Iterator[tuple[str, bool]]:
    """Each clause, and each with the next one; and whether its sentence ends with a question."""
    for sentence in line.sentences:
        asked = sentence.rstrip("~. !").endswith("?")
        clauses = [m[0] for m in _CLAUSES.finditer(sentence)]
        for i, clause in enumerate(clauses):
            yield _TAIL.sub("", clause), asked
            if i + 1 < len(clauses):
                yield _TAIL.sub("", clause + clauses[i + 1]), asked


def _in_clause(clause: str, asked: bool, least: float) -> float:
    """What a clause itself says for a promise, in logits; `_LEAST` where that is below `least`."""
    hits = _hits(clause, *_FOR)
    merit = _BIAS + sum([_IN_CLAUSE[name] for name in hits])
    merit += sum([more for (a, b), more in _TOGETHER.items() if a in hits and b in hits])
    if merit < least:
        return _LEAST
    against = _hits(clause, *_AGAINST)
    if asked:
        against.add("asks")
    return max(_LEAST, merit + sum(_IN_CLAUSE[name] for name in against))


def _beside(line: Line, clause: str) -> float:
    """What the rest of a line says for what one clause says, in logits."""
    merit = 0.0
    if _says("agrees_to", line.text) and len(_hits(clause, "due", "verbs")) == 2:
        merit += _AGREES_TO
    if not _hits(clause, "me") and _says("me", line.text):
        merit += _SAYS_ME
    return merit


def _hits(text: str, *names: str) -> set[str]:
    """Which kinds of evidence a text holds."""
    return {name for name, search in _searches(*names) if search(text)}


@cache
def _searches(*names: str) -> tuple[tuple[str, Search], ...]:
    lists = {name: ("times", "ahead") if name == "due" else ("promises", name) for name in names}
    return tuple((name, pattern(*own).search) for name, own in lists.items())


def _around(line: Line, before: Sequence[Line]) -> float:
    """What the rest of the line and the lines before say for a promise, in logits."""
    others = [b for b in before if b.sender != line.sender]
    calling = [b for b in others if line.sender in b.called]
    merit = 0.0
    if _says("agrees", line.text):
        merit += _AGREES
    if any(_says("requests", b.text) for b in (*others[-2:], *calling)):
        merit += _REQUESTED
    if any(_says("volunteers", b.text) for b in others[-4:]):
        merit += _VOLUNTEERS
    if sum(_says("offers", b.text) for b in others[-_NEAR:]) > 1:
        merit += _OTHERS
    if _says("joke", line.text):
        merit += _JOKE_AROUND
    return merit


@lru_cache(maxsize=256)
def _says(name: str, text: str) -> bool:
    """Whether a text holds evidence; asked of the same text by several lines after it."""
    return pattern("promises", name).search(text) is not None
