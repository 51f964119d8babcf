"""Lines in → for every two near each other, how likely they belong to the same thread.

What counts: how many lines and how much time lie between, whether the same member speaks, calls
by name, replies, shared words and characters (rare ones more), and the form of the later line;
where the lines' meanings are known, how near these are as well. The weights are those of a logistic
regression over the dev and train logs of eval/sets/review (eval/bench/review.py --fit).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter, mul

from engine.drafting.review.reading import Line
from engine.playbook.encoders import Vectors

FEW = 200
"""Lines that a log is thought to have at least when words are counted."""
WINDOW = 20  # lines back that a line may be linked with
_MINUTES = 90.0  # and minutes
_REPLY = 6.0  # logits of an explicit reply
_SHORT = 6  # characters of a line that follows on rather than opens
_MOST_WORDS, _MOST_CHARACTERS = 1.5, 3.0
_FIRST, _LAST = "\u4e00", "\u9fff"  # Han characters

_BETWEEN_3 = [math.exp(-n / 3) for n in range(WINDOW)]
_BETWEEN_10 = [math.exp(-n / 10) for n in range(WINDOW)]

NAMES = (
    "near_3", "near_10", "soon_2", "soon_10", "soon_60", "same", "same_soon", "called",
    "calls_back", "words", "characters", "reacts", "shows_same", "opens", "short", "bias",
)  # fmt: skip
"""What counts for a link, in the order of `Signs`; where meanings are known, they come last."""
WEIGHTS = (
    0.67, 0.16, -1.36, 1.02, 2.24, 1.71, 0.33, 0.47,
    0.7, 0.69, 0.97, 0.47, 0.47, -0.59, 0.46, -2.99,
)  # fmt: skip

Signs = tuple[float, ...]
Linked = list[tuple[int, float]]
"""Places of other lines, each with the logits of belonging together."""


@dataclass(slots=True)
class Links:
    """Which lines belong together, seen two by two."""

    before: list[Linked]
    """For each line those before it, near ones only; weakest first."""
    after: list[Linked]
    """For each line those after it; weakest first."""
    characters: list[dict[str, float]]
    """For each line the characters of its telling words and how rare they are, 0 to 1."""
    meanings: Vectors | None = None
    """What each line says: float32 (lines, dim), unit norm or zero; None: not known."""


def find_links(
    lines: Sequence[Line], weights: Sequence[float] = WEIGHTS, meanings: Vectors | None = None
) -> Links:
    """Link each line with those near before it; places are those in `lines`.

    Args:
        lines: The lines.
        weights: In the order of `NAMES`, and one more where `meanings` are known.
        meanings: What each line says.
    """
    links = Links([], [[] for _ in lines], rare_characters(lines), meanings)
    places = {line.at: i for i, line in enumerate(lines)}
    for i, signs in enumerate(read_signs(lines, links.characters, meanings)):
        parent = places.get(lines[i].parent, -1)
        own = [(j, sum(map(mul, weights, s))) for j, s in signs if j != parent]
        if parent >= 0:
            own.append((parent, _REPLY))
        links.before.append(own)
        for j, logits in own:
            links.after[j].append((i, logits))
    for linked in (*links.before, *links.after):
        linked.sort(key=itemgetter(1))
    return links


def read_signs(
    lines: Sequence[Line],
    characters: Sequence[Mapping[str, float]],
    meanings: Vectors | None = None,
) -> Iterator[list[tuple[int, Signs]]]:
    """For each line the lines near before it, by place, with what counts for a link."""
    rarity = rarities([line.terms for line in lines])
    for i, line in enumerate(lines):
        own, letters = line.terms, characters[i]
        near = []
        first = max(0, i - WINDOW)
        alike = None if meanings is None else (meanings[first:i] @ meanings[i]).tolist()
        for j in range(first, i):
            other = lines[j]
            minutes = (line.seconds - other.seconds) / 60
            if minutes > _MINUTES:
                continue
            words = shared = 0.0
            if not own.keys().isdisjoint(theirs := other.terms):
                words = sum(min(own[w], theirs[w]) * rarity[w] for w in own.keys() & theirs.keys())
            if not letters.keys().isdisjoint(characters[j]):
                shared = sum(letters[c] for c in letters.keys() & characters[j].keys())
            signs = _signs(line, other, i - j - 1, minutes, words, shared)
            near.append((j, signs if alike is None else (*signs, max(0.0, alike[j - first]))))
        yield near


def _signs(
    line: Line, other: Line, between: int, minutes: float, words: float, shared: float
) -> Signs:
    """What counts for a link between a line and one before it, in the order of `NAMES`."""
    same = line.sender == other.sender
    soon = math.exp(-minutes / 2)
    near = _BETWEEN_3[between]
    return (
        near,
        _BETWEEN_10[between],
        soon,
        math.exp(-minutes / 10),
        math.exp(-minutes / 60),
        same,
        same * soon,
        other.sender in line.called,
        line.sender in other.called,
        min(_MOST_WORDS, words),
        min(_MOST_CHARACTERS, shared),
        near * (line.kind == "reacts"),
        same and "shows" in (line.kind, other.kind),
        line.opens,
        near * (len(line.text) < _SHORT),
        1.0,
    )


def rare_characters(lines: Sequence[Line]) -> list[dict[str, float]]:
    """For each line the characters of its telling words and how rare they are in these lines."""
    sets = [{c for w in line.terms for c in w if _FIRST <= c <= _LAST} for line in lines]
    rarity = rarities(sets)
    return [{c: rarity[c] for c in sorted(own)} for own in sets]


def rarities(groups: Sequence[Iterable[str]]) -> dict[str, float]:
    """Item → how rare it is among groups, 0 (in every one) to 1 (in one).

    Few groups are taken for some of 200: what a short chat is about stands in most of its lines.
    """
    counts = Counter(item for group in groups for item in group)
    total = math.log(max(len(groups), FEW) + 2)
    return {item: 1 - math.log(n) / total for item, n in counts.items()}
