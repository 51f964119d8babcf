"""Lines in → the ones worth quoting: central to what was said, and not the same thing twice.

Centrality is LexRank's: a line is central when many lines share its telling words and are central
themselves. Redundancy is kept out by maximal marginal relevance.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.drafting.review.patterns import pattern
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Quote

_MOST_LINES = 400  # lines that centrality is computed for; of more the most telling
_DAMPING = 0.85
_ROUNDS = 30
_GOLDEN = 12
_SHORTEST, _LONGEST = 10, 90  # characters of a golden line
_SAME = 0.5  # similarity of lines that say the same

Vector = dict[str, float]


def centralities(lines: Sequence[Line]) -> NDArray[np.float64]:
    """LexRank of lines: float64 (n,), highest 1."""
    vectors = [vector(line) for line in lines]
    similarities = _similarities(vectors)
    n = len(lines)
    if not n:
        return np.zeros(0)
    sums = similarities.sum(axis=1, keepdims=True)
    steps = np.divide(similarities, sums, out=np.full((n, n), 1 / n), where=sums > 0)
    ranks = np.full(n, 1 / n)
    for _ in range(_ROUNDS):
        ranks = (1 - _DAMPING) / n + _DAMPING * ranks @ steps
    return np.asarray(ranks / ranks.max())


def choose(lines: Sequence[Line], merits: Sequence[float], count: int) -> list[int]:
    """Places of the best lines that don't repeat each other, best first."""
    chosen: list[int] = []
    rest = sorted(range(len(lines)), key=lambda i: (-merits[i], i))[: 5 * count + 10]
    vectors = {i: vector(lines[i]) for i in rest}
    repeats = dict.fromkeys(rest, 0.0)
    while rest and len(chosen) < count:
        best = max(rest, key=lambda i: (0.7 * merits[i] - 0.3 * repeats[i], -i))
        chosen.append(best)
        rest.remove(best)
        for i in rest:
            repeats[i] = max(repeats[i], cosine(vectors[i], vectors[best]))
        rest = [i for i in rest if repeats[i] < _SAME]
    return chosen


def golden_lines(lines: Sequence[Line]) -> tuple[Quote, ...]:
    """Lines that stand alone, say what was learned, or were applauded; best first."""
    applause = _applause(lines)
    fit = [line for line in lines if line.says and _SHORTEST <= len(line.text) <= _LONGEST]
    weighed = [
        (line, merit) for line in fit if (merit := _gold(line, applause.get(line.at, 0))) > 0
    ]
    merits = [merit for _, merit in weighed]
    chosen = choose([line for line, _ in weighed], merits, _GOLDEN)
    top = max(merits, default=1.0)
    return tuple(Quote(weighed[i][0].message, round(merits[i] / top, 4)) for i in chosen)


def _gold(line: Line, applause: int) -> float:
    """What a line is worth on its own; 0: it isn't."""
    wise = sum(bool(pattern("feelings", "wisdom").search(s)) for s in line.sentences)
    if not (wise or applause) or "?" in line.text:
        return 0.0
    told = min(1.0, sum(line.terms.values()) / 3)
    length = 1 - abs(len(line.text) - 32) / 80
    return 0.8 * min(wise, 2) + 1.2 * min(applause, 3) + 0.5 * told + 0.3 * length


def _applause(lines: Sequence[Line]) -> dict[int, int]:
    """Place of a line → how many applaud it: by reply or right after it."""
    claps: dict[int, int] = defaultdict(int)
    for i, line in enumerate(lines):
        if len(line.text) > 16 or not pattern("feelings", "applause").search(line.text):
            continue
        said = [n for n in lines[max(0, i - 4) : i] if n.says and n.sender != line.sender
                and line.seconds - n.seconds < 180]  # fmt: skip
        at = (
            line.parent
            if line.parent >= 0
            else max((n.at for n in said if len(n.text) > 11), default=-1)
        )
        if at >= 0:
            claps[at] += 1
    return claps


def vector(line: Line) -> Vector:
    """A line's telling words as a vector of norm 1; empty for a line without any."""
    norm = math.sqrt(sum(w * w for w in line.terms.values()))
    return {word: w / norm for word, w in line.terms.items()} if norm else {}


def cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Similarity of two vectors, 0 to 1."""
    small, large = (a, b) if len(a) <= len(b) else (b, a)
    return sum(w * large[word] for word, w in small.items() if word in large)


def _similarities(vectors: Sequence[Vector]) -> NDArray[np.float64]:
    """Cosine of every two: float64 (n, n), zeros on the diagonal."""
    index: dict[str, int] = {}
    for own in vectors:
        for word in own:
            index.setdefault(word, len(index))
    matrix = np.zeros((len(vectors), max(1, len(index))))
    for i, own in enumerate(vectors):
        for word, weight in own.items():
            matrix[i, index[word]] = weight
    similarities = matrix @ matrix.T
    np.fill_diagonal(similarities, 0)
    return similarities
