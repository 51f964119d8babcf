"""A line and what came before it → how surely it promises something still to be done.

Evidence is gathered clause by clause (knowledge/review/promises.txt): someone who says 我 or means
it, something to do, a time to come, things given or brought to others, an answer to a call for
help; against it: done, habit, doubt, wish, joke. The weights began as those of a logistic
regression over the dev logs of eval/sets/review and were raised where something never promises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.drafting.review.patterns import pattern
from engine.drafting.review.reading import Line

_CLAUSES = re.compile(r"[^,。!;~… ]{1,60}[,。!;~…. ]{0,4}")
_TAIL = re.compile(r"[\s,。!;~….]+$")

_NEAR = 6  # lines before in which others offer things
_HIT = 0.0  # merit from which a clause promises

# Logits of each piece of evidence: the regression's, held near what was expected of each.
_BIAS = -5.9
_IN_CLAUSE = {
    "due": 0.5, "verbs": 0.7, "moves": 0.7, "me": 0.5, "will": 0.9, "ba": 1.35,
    "outright": 3.5, "takes": 5.8, "done": -3.0, "habit": -5.5, "vague": -1.8, "wish": -1.8,
    "joke": -4.0, "refuses": -3.0, "hearsay": -1.2, "leaves": -1.8, "asks": -6.5, "tells": -1.3,
    "oneself": -6.0,
}  # fmt: skip
_TOGETHER = {
    ("due", "verbs"): 1.8, ("due", "moves"): 1.6, ("me", "verbs"): 1.3, ("me", "moves"): 2.0,
    ("due", "me"): 1.25,
}  # fmt: skip
_FOR = [name for name, logits in _IN_CLAUSE.items() if logits > 0]
_AGAINST = [name for name, logits in _IN_CLAUSE.items() if logits < 0]
_AGREES_TO, _SAYS_ME = 2.0, 0.8  # agrees and names when and what; speaks of himself elsewhere
_AGREES, _REQUESTED, _VOLUNTEERS, _OTHERS, _JOKE_AROUND = 1.1, 1.05, 0.95, 0.8, -1.2
_HOPELESS = _HIT - sum((_AGREES, _AGREES_TO, _SAYS_ME, _REQUESTED, _VOLUNTEERS, _OTHERS))
"""Merit that nothing around a clause makes up for."""


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
    best = None
    around: float | None = None
    for clause, asked in _clauses(line):
        merit = _in_clause(clause, asked)
        if merit < _HOPELESS:
            continue
        around = _around(line, before) if around is None else around
        merit += around + _beside(line, clause)
        if merit > (best.merit if best else _HIT):
            best = Promise(clause, merit)
    return best


def _clauses(line: Line) -> Iterator[tuple[str, bool]]:
    """Each clause, and each with the next one; and whether its sentence ends with a question."""
    for sentence in line.sentences:
        asked = sentence.rstrip("~. !").endswith("?")
        clauses = [m[0] for m in _CLAUSES.finditer(sentence)]
        for i, clause in enumerate(clauses):
            yield _TAIL.sub("", clause), asked
            if i + 1 < len(clauses):
                yield _TAIL.sub("", clause + clauses[i + 1]), asked


def _in_clause(clause: str, asked: bool) -> float:
    """What a clause itself says for a promise, in logits; only roughly where that is hopeless."""
    hits = {name for name in _FOR if _evidence(name).search(clause)}
    merit = _BIAS + sum(_IN_CLAUSE[name] for name in hits)
    merit += sum(more for (a, b), more in _TOGETHER.items() if a in hits and b in hits)
    if merit < _HOPELESS:
        return merit
    against = {name for name in _AGAINST if _evidence(name).search(clause)}
    if asked:
        against.add("asks")
    return merit + sum(_IN_CLAUSE[name] for name in against)


def _beside(line: Line, clause: str) -> float:
    """What the rest of a line says for what one clause says, in logits."""
    merit = 0.0
    if pattern("promises", "agrees_to").search(line.text) and all(
        _evidence(name).search(clause) for name in ("due", "verbs")
    ):
        merit += _AGREES_TO
    if not _evidence("me").search(clause) and _evidence("me").search(line.text):
        merit += _SAYS_ME
    return merit


def _evidence(name: str) -> re.Pattern[str]:
    return pattern("times", "ahead") if name == "due" else pattern("promises", name)


def _around(line: Line, before: Sequence[Line]) -> float:
    """What the rest of the line and the lines before say for a promise, in logits."""
    others = [b for b in before if b.sender != line.sender]
    calling = [b for b in others if line.sender in b.called]
    merit = 0.0
    if pattern("promises", "agrees").search(line.text):
        merit += _AGREES
    if any(pattern("promises", "requests").search(b.text) for b in (*others[-2:], *calling)):
        merit += _REQUESTED
    if any(pattern("promises", "volunteers").search(b.text) for b in others[-4:]):
        merit += _VOLUNTEERS
    if sum(bool(pattern("promises", "offers").search(b.text)) for b in others[-_NEAR:]) > 1:
        merit += _OTHERS
    if pattern("promises", "joke").search(line.text):
        merit += _JOKE_AROUND
    return merit
