"""Lines in → praise and thanks that name something, complaints and wishes, as quotes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest

from engine.drafting.review.patterns import pattern
from engine.drafting.review.quotes import choose
from engine.drafting.review.reading import Line
from engine.drafting.review.structure import Quote

_MOST = 10
_SHORTEST, _LONGEST = 6, 120  # characters of a line
_NAMES = 0.3  # weight of telling words that make praise name something


def praise(lines: Sequence[Line]) -> tuple[Quote, ...]:
    """Praise and thanks that name something, best first."""
    return _pick((line, _merit(line, ("praise",), "not_praise")) for line in lines)


def complaints(lines: Sequence[Line]) -> tuple[Quote, ...]:
    """Complaints and wishes, best first."""
    return _pick((line, _merit(line, ("complaint", "wish"), "not_complaint")) for line in lines)


def _pick(weighed: Iterable[tuple[Line, float]]) -> tuple[Quote, ...]:
    best = nlargest(60, (w for w in weighed if w[1] > 0), key=lambda w: (w[1], -w[0].at))
    merits = [merit for _, merit in best]
    top = max(merits, default=1.0)
    chosen = choose([line for line, _ in best], merits, _MOST)
    return tuple(Quote(best[i][0].message, round(merits[i] / top, 4)) for i in chosen)


def _merit(line: Line, lists: Sequence[str], spared: str) -> float:
    """How clearly a line praises or complains of something; 0: it doesn't."""
    if not line.says or not _SHORTEST <= len(line.text) <= _LONGEST:
        return 0.0
    named = sum(line.terms.values())
    if named < _NAMES:
        return 0.0
    hits = 0
    for sentence in line.sentences:
        if not pattern("feelings", spared).search(sentence):
            hits += sum(bool(pattern("feelings", name).search(sentence)) for name in lists)
    return hits + 0.4 * min(named, 3) if hits else 0.0
