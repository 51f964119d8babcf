"""Lines in → threads: who talks with whom about what, told apart where they run together.

Every line starts as a thread of its own. Then each in turn moves to the thread it fits best: by
its best links to a line before and one after there, by the words, characters and members that are
usual there, by the thread's size, and, where the lines' meanings are known, by how near its own is
to the thread's; a few rounds until hardly any line moves (iterated
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
from typing import TypeVar

import numpy as np

from engine.drafting.review.links import FEW, Links
from engine.drafting.review.reading import Line
from engine.playbook.encoders import Vectors

NOWHERE = -1
"""Label of lines that belong to no thread."""

_ROUNDS = 3
_PRIOR = 6.0  # lines whose words a thread is thought to hold before any is known
_PRIOR_PEOPLE = 4.0
_LEAST_LINK = -5.0
_STIRS = 8  # lines before and after one that moved which are looked at again
_OPTIONS = 5  # threads with the best links that are weighed
_MOST_WORDS = 4.0
_NOTHING = 1e-6  # norm of what several lines say together that says nothing
_HALF = 0.5  # what characters count, which are many
_LOWEST, _HIGHEST = -2.0, 5.0  # of what words and characters count

NAMES = ("before", "after", "has_before", "has_after", "words", "characters", "people", "size")
"""What counts for a line's place in a thread, in the order of `Signs`; where meanings are known,
they come last."""
NOWHERE_NAMES = ("bias", "says", "reacts", "near", "words")
"""What counts for a line to be in no thread."""

Signs = tuple[float, ...]
_Key = TypeVar("_Key", int, str)


@dataclass(frozen=True, slots=True)
class Weights:
    """What counts for a line's place, in logits."""

    thread: tuple[float, ...]
    """In the order of `NAMES`, and one more where meanings are known."""
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
        total = max(FEW, len(items))
        usual = {item: total / (_PRIOR * n) for item, n in everywhere.items() if n > 1}
        self.weights = [factor * sum(line.values()) for line in items]
        self.items = [
            [(item, factor * own, usual[item]) for item, own in line.items() if item in usual]
            for line in items
        ]
        """For each line its items with what they count, and how much a line of a thread that holds
        one counts against all lines that do; those that no other line holds left out."""
        self.held: dict[int, dict[str, int]] = defaultdict(dict)
        """Thread → item → how many of its lines hold it."""

    def count(self, i: int, label: int, step: int) -> None:
        held = self.held[label]
        for item, _, _ in self.items[i]:
            _step(held, item, step)

    def ratio(self, i: int, label: int, base: float, mine: bool) -> float:
        """The sum of log ratios of items' frequencies in a thread to those in all.

        Args:
            i: The line whose items they are.
            label: The thread.
            base: What an item counts that no line of the thread holds.
            mine: Whether the line itself belongs to the thread, and does not count.
        """
        total = self.weights[i] * base
        if items := self.items[i]:
            held = self.held[label]
            for item, own, usual in items:
                if item in held:
                    total += own * math.log1p((held[item] - mine) * usual)
        return max(_LOWEST, min(_HIGHEST, total))


class _Meant:
    """What lines say and what the lines of each thread say together."""

    def __init__(self, meanings: Vectors) -> None:
        self._meanings = meanings
        self._sums: dict[int, Vectors] = {}

    def count(self, i: int, label: int, step: int) -> None:
        total = self._sums.setdefault(label, np.zeros_like(self._meanings[0]))
        total += step * self._meanings[i]

    def nearness(self, i: int, label: int, mine: bool) -> float:
        """Cosine of what a line says and what the other lines of a thread say in the mean."""
        own, total = self._meanings[i], self._sums[label]
        others = total - own if mine else total
        norm = math.sqrt(others @ others)
        return float(others @ own) / norm if norm > _NOTHING else 0.0


class Placement:
    """Lines and the thread each belongs to, by label; counts of what each thread holds."""

    def __init__(self, lines: Sequence[Line], links: Links, labels: Sequence[int]) -> None:
        self.lines = lines
        self.labels = list(labels)
        self._links = links
        self._words = _Counted([line.terms for line in lines])
        self._characters = _Counted(links.characters, _HALF)
        self._meant = None if links.meanings is None else _Meant(links.meanings)
        self._said: dict[str, dict[int, int]] = defaultdict(dict)
        """Member → thread → how many lines of it are theirs."""
        spoke = Counter(line.sender for line in lines)
        self._shares = {member: n / len(lines) for member, n in spoke.items()}
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
        own, sender = self.labels[i], self.lines[i].sender
        said, share = self._said[sender], self._shares[sender]
        found: list[tuple[int, Signs | None]] = []
        for label in self._likely(before, after, own):
            mine = label == own
            size = self._sizes[label] - mine
            if not size:
                found.append((label, None))
                continue
            base = _base(size)
            people = (said.get(label, 0) - mine + _PRIOR_PEOPLE * share) / (size + _PRIOR_PEOPLE)
            signs: Signs = (
                before.get(label, _LEAST_LINK),
                after.get(label, _LEAST_LINK),
                label in before,
                label in after,
                self._words.ratio(i, label, base, mine),
                self._characters.ratio(i, label, base, mine),
                math.log(people / share),
                math.log1p(size),
            )
            if self._meant:
                signs = (*signs, self._meant.nearness(i, label, mine))
            found.append((label, signs))
        return found

    def nowhere(self, i: int) -> Signs:
        """What counts for a line to be in no thread, in the order of `NOWHERE_NAMES`."""
        line = self.lines[i]
        near = self.labels[max(0, i - 1) : i] + self.labels[i + 1 : i + 2]
        words = min(_MOST_WORDS, self._words.weights[i])
        return (1.0, line.says, line.kind == "reacts", near.count(NOWHERE), words)

    def _best(self, i: int, weights: Weights) -> int:
        best, merit = NOWHERE, sum(map(mul, weights.nowhere, self.nowhere(i)))
        for label, signs in self.options(i):
            own = weights.alone if signs is None else sum(map(mul, weights.thread, signs))
            if own > merit or (own == merit and label < best):
                best, merit = label, own
        return best

    def _links_by_label(self, linked: Sequence[tuple[int, float]]) -> dict[int, float]:
        """Thread → the best link to a line of it; links come weakest first."""
        labels = self.labels
        best = {labels[j]: logits for j, logits in linked if logits > _LEAST_LINK}
        best.pop(NOWHERE, None)
        return best

    def _likely(
        self, before: Mapping[int, float], after: Mapping[int, float], own: int
    ) -> list[int]:
        """The threads that a line has the best links to, its own among them."""
        labels = dict(before)
        for label, logits in after.items():
            if logits > labels.get(label, -math.inf):
                labels[label] = logits
        if own >= 0:
            labels[own] = math.inf
        return sorted(sorted(labels), key=labels.__getitem__, reverse=True)[:_OPTIONS]

    def _move(self, i: int, label: int) -> None:
        self._count(i, self.labels[i], -1)
        self.labels[i] = label
        self._count(i, label, 1)

    def _count(self, i: int, label: int, step: int) -> None:
        if label != NOWHERE:
            self._sizes[label] += step
            self._words.count(i, label, step)
            self._characters.count(i, label, step)
            if self._meant:
                self._meant.count(i, label, step)
            _step(self._said[self.lines[i].sender], label, step)


@cache
def _base(size: int) -> float:
    """What an item counts that no line of a thread holds, in logits."""
    return math.log(_PRIOR / (size + _PRIOR))


def _step(counts: dict[_Key, int], key: _Key, step: int) -> None:
    counts[key] = counts.get(key, 0) + step
    if not counts[key]:
        del counts[key]


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
