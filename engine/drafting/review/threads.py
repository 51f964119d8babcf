"""Lines in → threads: who talks with whom about what, told apart where they run together.

Every line starts as a thread of its own. Then each in turn moves to the thread it fits best: by
its best links to a line before and one after there, by the words, characters and members that are
usual there, and by the thread's size; a few rounds until hardly any line moves (iterated
conditional modes). Few threads are near a line, so time grows with the lines.

The weights are those of a softmax regression over the dev and train logs of eval/sets/review,
where every line was placed while all others stood right (eval/bench/review.py --fit).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import mul

from engine.drafting.review.links import FEW, Links
from engine.drafting.review.reading import Line

NOWHERE = -1
"""Label of lines that belong to no thread."""

_ROUNDS = 3
_PRIOR = 6.0  # lines whose words a thread is thought to hold before any is known
_PRIOR_PEOPLE = 4.0
_LEAST_LINK = -5.0
_STIRS = 8  # lines before and after one that moved which are looked at again
_OPTIONS = 5  # threads with the best links that are weighed
_MOST_WORDS = 4.0
_HALF = 0.5  # what characters count, which are many
_LOWEST, _HIGHEST = -2.0, 5.0  # of what words and characters count

NAMES = ("before", "after", "has_before", "has_after", "words", "characters", "people", "size")
"""What counts for a line's place in a thread, in the order of `Signs`."""
NOWHERE_NAMES = ("bias", "says", "reacts", "near", "words")
"""What counts for a line to be in no thread."""

Signs = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts for a line's place, in logits."""

    thread: tuple[float, ...]
    """In the order of `NAMES`."""
    nowhere: tuple[float, ...]
    """In the order of `NOWHERE_NAMES`."""
    alone: float
    """For a thread of its own."""


SCENES = Weights(
    (0.59, 0.53, -0.64, -0.76, 0.44, 0.57, 0.76, 0.24), (-3.46, -2.03, 0.06, 1.74, -0.82), -2.5
)
"""For stretches of talk without a long pause."""
TOPICS = Weights(
    (0.63, 0.46, -0.84, -0.84, 0.7, 0.61, 0.77, 0.34), (-2.63, -1.96, 0.54, 1.69, -1.09), -9.0
)
"""For all that is said about one thing."""


class _Counted:
    """Items of lines (words, characters) and how many lines of each thread hold them."""

    def __init__(self, items: Sequence[Mapping[str, float]], factor: float = 1.0) -> None:
        everywhere = Counter(item for line in items for item in line)
        self.weights = [factor * sum(line.values()) for line in items]
        self.items = [
            [(item, factor * own) for item, own in line.items() if everywhere[item] > 1]
            for line in items
        ]
        """For each line its items with what they count; those that no other line holds left out."""
        total = max(FEW, len(items))
        self.usual = {item: total / (_PRIOR * n) for item, n in everywhere.items()}
        """How much a line of a thread that holds an item counts against all lines that do."""
        self.holders: dict[str, Counter[int]] = {item: Counter() for item in everywhere}

    def count(self, i: int, label: int, step: int) -> None:
        for item, _ in self.items[i]:
            _step(self.holders[item], label, step)


class Placement:
    """Lines and the thread each belongs to, by label; counts of what each thread holds."""

    def __init__(self, lines: Sequence[Line], links: Links, labels: Sequence[int]) -> None:
        self.lines = lines
        self.labels = list(labels)
        self._links = links
        self._words = _Counted([line.terms for line in lines])
        self._characters = _Counted(links.characters, _HALF)
        self._people: dict[str, Counter[int]] = defaultdict(Counter)
        self._people_counts = Counter(line.sender for line in lines)
        self._sizes: Counter[int] = Counter()
        for i, label in enumerate(self.labels):
            self._count(i, label, 1)

    def settle(self, weights: Weights, rounds: int = _ROUNDS) -> None:
        """Let each line move to the thread it fits best, round after round."""
        waiting: set[int] = set(range(len(self.lines)))
        for _ in range(rounds):
            moved: set[int] = set()
            for i in sorted(waiting):
                if (label := self._best(i, weights)) != self.labels[i]:
                    self._move(i, label)
                    moved.update(range(max(0, i - _STIRS), min(len(self.lines), i + _STIRS + 1)))
            waiting = moved

    def options(self, i: int) -> list[tuple[int, Signs | None]]:
        """The threads near a line with what counts for each; None: a thread of its own."""
        before = self._links_by_label(self._links.before[i])
        after = self._links_by_label(self._links.after[i])
        own = self.labels[i]
        labels = self._likely(before, after, own)
        lone = own >= 0 and self._sizes[own] == 1
        joined = [label for label in labels if not (lone and label == own)]
        found: list[tuple[int, Signs | None]] = [(own, None)] if lone else []
        for label, usual in zip(joined, self._usual(i, joined), strict=True):
            linked = (before.get(label, _LEAST_LINK), after.get(label, _LEAST_LINK))
            size = math.log1p(self._sizes[label] - (label == own))
            found.append((label, (*linked, label in before, label in after, *usual, size)))
        return found

    def nowhere(self, i: int) -> Signs:
        """What counts for a line to be in no thread, in the order of `NOWHERE_NAMES`."""
        line = self.lines[i]
        near = [self.labels[j] for j in (i - 1, i + 1) if 0 <= j < len(self.lines)]
        words = min(_MOST_WORDS, sum(line.terms.values()))
        return (1.0, line.says, line.kind == "reacts", near.count(NOWHERE), words)

    def _best(self, i: int, weights: Weights) -> int:
        best, merit = NOWHERE, sum(map(mul, weights.nowhere, self.nowhere(i)))
        for label, signs in self.options(i):
            own = weights.alone if signs is None else sum(map(mul, weights.thread, signs))
            if own > merit or (own == merit and label < best):
                best, merit = label, own
        return best

    def _links_by_label(self, linked: Sequence[tuple[int, float]]) -> dict[int, float]:
        """Thread → the best link to a line of it."""
        best: dict[int, float] = {}
        labels = self.labels
        for j, logits in linked:
            if (label := labels[j]) >= 0 and logits > best.get(label, _LEAST_LINK):
                best[label] = logits
        return best

    def _likely(
        self, before: Mapping[int, float], after: Mapping[int, float], own: int
    ) -> list[int]:
        """The threads that a line has the best links to, its own among them."""
        labels = dict(before)
        for label, logits in after.items():
            labels[label] = max(logits, labels.get(label, logits))
        if own >= 0:
            labels[own] = math.inf
        return sorted(labels, key=lambda label: (-labels[label], label))[:_OPTIONS]

    def _usual(self, i: int, labels: Sequence[int]) -> list[tuple[float, float, float]]:
        """How usual a line's words, characters and speaker are in each thread, as log ratios."""
        line, mine = self.lines[i], self.labels[i]
        speaker = self._people[line.sender]
        share = self._people_counts[line.sender] / len(self.lines)
        sizes = [self._sizes[label] - (label == mine) for label in labels]
        words = self._ratios(self._words, i, labels, sizes)
        letters = self._ratios(self._characters, i, labels, sizes)
        found = []
        for label, size, said, spelt in zip(labels, sizes, words, letters, strict=True):
            there = speaker.get(label, 0) - (label == mine)
            people = (there + _PRIOR_PEOPLE * share) / (size + _PRIOR_PEOPLE) / share
            found.append((said, spelt, math.log(people)))
        return found

    def _ratios(
        self, counted: _Counted, i: int, labels: Sequence[int], sizes: Sequence[int]
    ) -> list[float]:
        """For each thread the sum of log ratios of items' frequencies there to those in all."""
        weight, mine = counted.weights[i], self.labels[i]
        totals = [weight * _base(size) for size in sizes]
        for item, own in counted.items[i]:
            holders, usual = counted.holders[item], counted.usual[item]
            for n, label in enumerate(labels):
                if there := holders.get(label):
                    if label == mine:
                        there -= 1
                    totals[n] += own * math.log1p(there * usual)
        return [max(_LOWEST, min(_HIGHEST, total)) for total in totals]

    def _move(self, i: int, label: int) -> None:
        self._count(i, self.labels[i], -1)
        self.labels[i] = label
        self._count(i, label, 1)

    def _count(self, i: int, label: int, step: int) -> None:
        if label != NOWHERE:
            self._sizes[label] += step
            self._words.count(i, label, step)
            self._characters.count(i, label, step)
            _step(self._people[self.lines[i].sender], label, step)


@cache
def _base(size: int) -> float:
    """What an item counts that no line of a thread holds, in logits."""
    return math.log(_PRIOR / (size + _PRIOR))


def _step(counts: Counter[int], label: int, step: int) -> None:
    counts[label] += step
    if not counts[label]:
        del counts[label]


def untangle(lines: Sequence[Line], links: Links, alone: float = SCENES.alone) -> list[int]:
    """Put lines into scenes: for each line the label of its thread, or `NOWHERE`.

    Args:
        lines: The lines.
        links: Their links.
        alone: Logits for a line to be a thread of its own.
    """
    placement = Placement(lines, links, range(len(lines)))
    placement.settle(replace(SCENES, alone=alone))
    return placement.labels
