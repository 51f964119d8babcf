"""Lines and what they mean in → topics: for each line the label of its topic, or `NOWHERE`.

Lines are put into scenes (threads.py). How likely two scenes are about the same thing is told by
the words, characters, members and meanings they share, by the time and the lines between them and
by the links over that gap, the more surely the longer they are. Those most likely to belong
together are put together first (average linkage). At last every line may move once more.

How long scenes are and when two are about the same thing is a matter of taste. So this is done in
several ways, and lines belong together that do so in most of them (views.py).

All weights are learned from the dev and train logs of eval/sets/review, read by dialogue.py
(eval/bench/review.py --fit): those of links and threads as theirs without meanings, those of scenes
by a logistic regression over every two scenes found in a log. Other encoders' nearness is another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.drafting.review.linkage import Matrix, link
from engine.drafting.review.links import Links, find_links
from engine.drafting.review.reading import Line
from engine.drafting.review.themes import Vector, weigh_people, weigh_words, weighted_vectors
from engine.drafting.review.threads import NOWHERE, Placement, Weights
from engine.drafting.review.views import agree
from engine.playbook.encoders import Vectors

ALONE = (-2.5, -4.0)
"""Logits for a line to be a thread of its own, by which scenes are found one way and another."""
_LEAST = (0.13, 0.2)  # mean chances to belong together from which scenes are put together
_TOGETHER = 0.45  # share of the ways in which lines of a topic belong together, in the mean
_ROUNDS = 4  # in which lines may move between topics
_LONG = 20  # characters of a line that says as much as any
_NO_LINK = -6.0  # logits of a link that counts nothing
_NOTHING = 1e-9  # norm of what a scene says that says nothing
_LINES = 10.0  # between two scenes that are near
_MINUTES = (20.0, 120.0, 1440.0)

NAMES = (
    "words", "characters", "people", "meanings", "soon_20", "soon_120", "soon_1440", "through",
    "near", "link", "bias",
)  # fmt: skip
"""What counts for two scenes to belong together."""


@dataclass(frozen=True, slots=True)
class Taught:
    """Weights learned from logs, in logits."""

    links: tuple[float, ...]
    scenes: Weights
    """For stretches of talk; each of `ALONE` stands in place of its own `alone`."""
    topics: Weights
    """For all that is said about one thing."""
    alike: tuple[tuple[float, ...], ...] = ()
    """In the order of `NAMES`: as they are, times the logarithm of the lines of the shorter scene,
    and of those of the longer one."""


TAUGHT = Taught(
    links=(
        0.6, 0.15, -1.36, 1.01, 2.21, 1.67, 0.35, 0.43, 0.67, 0.54, 0.65, 0.49, 0.56, -0.59, 0.49,
        -3.08, 2.73,
    ),
    scenes=Weights(
        (0.61, 0.52, -0.73, -0.78, 0.34, 0.39, 0.75, 0.14, 2.72),
        (-3.49, -1.94, -0.03, 1.67, -0.7),
        -4.0,
    ),
    topics=Weights(
        (0.66, 0.45, -0.98, -0.85, 0.62, 0.45, 0.74, 0.32, 2.59),
        (-2.62, -1.8, 0.42, 1.6, -0.93),
        -9.0,
    ),
    alike=(
        (-1.4, 4.24, 0.72, 2.67, 1.2, -0.68, 0.32, -1.21, 1.47, 1.02, -2.8),
        (1.12, -0.94, 0.94, 0.04, -0.46, 0.18, -0.32, -0.33, 0.47, -0.26, -0.18),
        (2.53, -0.99, 1.03, 0.63, 0.67, -0.54, -0.15, 0.65, -0.64, 0.31, -0.26),
    ),
)  # fmt: skip


def find_topics(lines: Sequence[Line], meanings: Vectors) -> list[int]:
    """Put lines into topics.

    Args:
        lines: The lines.
        meanings: What each says: float32 (lines, dim), unit norm or zero.
    """
    links = find_links(lines, TAUGHT.links, meanings)
    views: list[list[int]] = []
    for alone in ALONE:
        found = find_scenes(lines, links, replace(TAUGHT.scenes, alone=alone))
        scenes = Scenes(lines, links, meanings, found)
        chances = scenes.chances(TAUGHT.alike)
        views += [_gather(scenes, chances, least) for least in _LEAST]
    return agree(views, _TOGETHER)


def weight(text: str) -> float:
    """What a line counts for what its scene says."""
    return float(np.sqrt(min(_LONG, len(text))))


def find_scenes(lines: Sequence[Line], links: Links, weights: Weights) -> list[int]:
    """Put lines into scenes: for each line the label of its scene, or `NOWHERE`."""
    placement = Placement(lines, links, range(len(lines)))
    placement.settle(weights)
    return placement.labels


class Scenes:
    """The scenes of a log and what every two of them have in common."""

    def __init__(
        self, lines: Sequence[Line], links: Links, meanings: Vectors, labels: Sequence[int]
    ) -> None:
        """Read scenes.

        Args:
            lines: The lines.
            links: Their links.
            meanings: What each line says: float32 (lines, dim), unit norm or zero.
            labels: For each line the label of its scene, or `NOWHERE`.
        """
        places: dict[int, list[int]] = defaultdict(list)
        for i, label in enumerate(labels):
            if label != NOWHERE:
                places[label].append(i)
        self.places = list(places.values())
        """For each scene the places of its lines, in order."""
        self.sizes = np.array([len(own) for own in self.places], float)
        self.lines, self.links, self._meanings = lines, links, meanings

    def chances(self, weights: Sequence[Sequence[float]]) -> Matrix:
        """How likely every two scenes are about the same thing: float64 (n, n), 0 to 1."""
        logits = np.zeros((len(self.places),) * 2)
        fewer, more = self.logarithms()
        for sign, plain, by_fewer, by_more in zip(self.signs(), *weights, strict=True):
            logits += sign * (plain + by_fewer * fewer + by_more * more)
        return np.asarray(1 / (1 + np.exp(-logits)))

    def logarithms(self) -> tuple[Matrix, Matrix]:
        """Of the lines of the shorter and the longer of every two scenes: float64 (n, n)."""
        logs = np.log(self.sizes)
        return np.minimum(logs[:, None], logs), np.maximum(logs[:, None], logs)

    def signs(self) -> Iterator[Matrix]:
        """What counts for every two scenes, in the order of `NAMES`: float64 (n, n) each."""
        said = [[self.lines[i] for i in own] for own in self.places]
        words = [weigh_words(own) for own in said]
        yield _shared([{w: x for w, x in own.items() if not w.startswith("#")} for own in words])
        yield _shared([{w: x for w, x in own.items() if w.startswith("#")} for own in words])
        yield _shared([weigh_people(own) for own in said])
        yield self._nearness()
        seconds = np.array([line.seconds for line in self.lines])
        pause = self._between(seconds)
        for minutes in _MINUTES:
            yield np.exp(-np.maximum(0, pause) / 60 / minutes)
        yield (pause < 0).astype(float)
        yield np.exp(-np.maximum(0, self._between(np.arange(len(seconds), dtype=float))) / _LINES)
        yield self._linked()
        yield np.ones_like(pause)

    def _nearness(self) -> Matrix:
        """Cosines of what scenes say, long lines counting more."""
        weights = np.array([weight(line.text) for line in self.lines])
        sums = np.zeros((len(self.places), self._meanings.shape[1]))
        for total, own in zip(sums, self.places, strict=True):
            total[:] = weights[own] @ self._meanings[own]
        sums /= np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), _NOTHING)
        return np.asarray(sums @ sums.T)

    def _between(self, values: Matrix) -> Matrix:
        """From the end of one scene to the start of another; below 0 where they overlap."""
        first = np.array([values[own[0]] for own in self.places], float)
        last = np.array([values[own[-1]] for own in self.places], float)
        return np.asarray(np.maximum(first[:, None], first) - np.minimum(last[:, None], last))

    def _linked(self) -> Matrix:
        """The best link of a line of one scene to a line of the other, in parts of `_NO_LINK`."""
        best = np.zeros((len(self.places),) * 2)
        scene = {i: n for n, own in enumerate(self.places) for i in own}
        for i, a in scene.items():
            for j, logits in self.links.before[i]:
                if (b := scene.get(j, a)) != a:
                    best[a, b] = best[b, a] = max(best[a, b], 1 - logits / _NO_LINK)
        return best


def _gather(scenes: Scenes, chances: Matrix, least: float) -> list[int]:
    """Put scenes into topics and let lines move: for each line the label of its topic."""
    labels = [NOWHERE] * len(scenes.lines)
    joined = link(chances, list(np.sqrt(scenes.sizes)), least)
    for label, places in zip(joined, scenes.places, strict=True):
        for i in places:
            labels[i] = label
    placement = Placement(scenes.lines, scenes.links, labels)
    placement.settle(TAUGHT.topics, _ROUNDS)
    return placement.labels


def _shared(weights: Sequence[Mapping[str, float]]) -> Matrix:
    """Cosines of weighted items, rare ones counting more: float64 (n, n)."""
    vectors: list[Vector] = weighted_vectors(weights)
    held = Counter(key for own in vectors for key in own)
    places = {key: n for n, key in enumerate(key for key, count in held.items() if count > 1)}
    table = np.zeros((len(vectors), max(1, len(places))))
    for row, own in zip(table, vectors, strict=True):
        for key, x in own.items():
            if (place := places.get(key)) is not None:
                row[place] = x
    return np.asarray(table @ table.T)
