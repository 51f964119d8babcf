"""Scenes of a chat → topics: scenes about the same thing put together.

A group comes back to a thing hours or days later. Scenes are alike by the telling words and the
members they share, weighed against how many scenes have them, and a little by nearness in time.
The two most alike are put together first, until none are alike enough (agglomerative clustering,
average linkage). At last every line may move once more between topics.

A cluster is the sum of its scenes' vectors, whose inner products are the average linkage. Above
250 clusters this is done in blocks one after another and again over what they leave, so that time
grows with the lines and not with their square.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.drafting.review.linkage import Matrix, link
from engine.drafting.review.links import Links, rarities
from engine.drafting.review.reading import Line
from engine.drafting.review.threads import NOWHERE, TOPICS, Placement

_PEOPLE = 0.3  # what shared members count beside shared words
_NEAR_MINUTES = 20.0
_PARTED = 3  # lines of scenes that run through each other and were told apart for a reason
_CHARACTERS = 0.5  # what a character of a word counts beside the word
_ROUNDS = 4  # in which lines may move between topics
_BLOCK = 250  # clusters that are compared with each other

Vector = dict[str, float]


@dataclass(frozen=True, slots=True)
class Measures:
    """By which a chat is put in order."""

    alone: float
    """Logits for a line to be a thread of its own; the lower, the longer are scenes."""
    alike: float
    """Similarity from which scenes are put together."""
    near: float
    """What nearness in time counts for scenes of one line; less for longer ones."""


@dataclass(slots=True, eq=False)
class Cluster:
    """Scenes that were put together."""

    scenes: list[int]
    total: Vector
    """Sum of the scenes' vectors, each of norm 1 times its weight."""
    weight: float
    """Sum of the scenes' weights: square roots of their numbers of lines."""
    lines: int
    first: float
    """When it starts, in seconds."""
    last: float


def gather(
    lines: Sequence[Line], links: Links, scenes: Sequence[int], measures: Measures
) -> list[int]:
    """Put scenes together: for each line the label of its topic, or `NOWHERE`.

    Args:
        lines: The lines.
        links: Their links.
        scenes: For each line the label of its scene.
        measures: When scenes are put together.
    """
    clusters = _join_all(_clusters(lines, scenes), measures)
    topic_of = {scene: n for n, cluster in enumerate(clusters) for scene in cluster.scenes}
    placement = Placement(lines, links, [topic_of.get(scene, NOWHERE) for scene in scenes])
    placement.settle(TOPICS, _ROUNDS)
    return placement.labels


def _clusters(lines: Sequence[Line], scenes: Sequence[int]) -> list[Cluster]:
    """Each scene as a cluster of its own, in order of time."""
    members: dict[int, list[Line]] = defaultdict(list)
    for line, scene in zip(lines, scenes, strict=True):
        if scene != NOWHERE:
            members[scene].append(line)
    words = weighted_vectors([weigh_words(own) for own in members.values()])
    people = weighted_vectors([weigh_people(own) for own in members.values()])
    clusters = []
    for (scene, own), said, spoke in zip(members.items(), words, people, strict=True):
        weight = math.sqrt(len(own))
        joint = said | {f"@{name}": x * math.sqrt(_PEOPLE) for name, x in spoke.items()}
        total = {key: x * weight for key, x in _normed(joint).items()}
        clusters.append(Cluster([scene], total, weight, len(own), own[0].seconds, own[-1].seconds))
    return clusters


def weigh_words(lines: Iterable[Line]) -> Vector:
    """Words by how much they tell and, logarithmically, by how often they are said.

    Their characters count as well, so that 下雨 and 雨衣 are alike.
    """
    weights: Vector = {}
    counts: Counter[str] = Counter()
    for line in lines:
        for word, weight in line.terms.items():
            counts[word] += 1
            weights[word] = max(weights.get(word, 0.0), weight)
    vector = {word: weight * (1 + math.log(counts[word])) for word, weight in weights.items()}
    for word, weight in list(vector.items()):
        for character in word if len(word) > 1 and not word.isascii() else "":
            key = f"#{character}"
            vector[key] = max(vector.get(key, 0.0), _CHARACTERS * weight)
    return vector


def weigh_people(lines: Iterable[Line]) -> Vector:
    """Members, logarithmically by how often they speak."""
    counts = Counter(line.sender for line in lines)
    return {person: 1 + math.log(n) for person, n in counts.items()}


def weighted_vectors(weights: Sequence[Mapping[str, float]]) -> list[Vector]:
    """Vectors of norm 1, items weighed by their rarity among all."""
    rarity = rarities(weights)
    return [_normed({key: x * rarity[key] for key, x in own.items()}) for own in weights]


def _normed(vector: Mapping[str, float]) -> Vector:
    norm = math.sqrt(sum(x * x for x in vector.values()))
    return {key: x / norm for key, x in vector.items() if x > 0} if norm else {}


def _join_all(clusters: list[Cluster], measures: Measures) -> list[Cluster]:
    """Put clusters together, in blocks while there are too many."""
    while len(clusters) > _BLOCK:
        blocks = [clusters[i : i + _BLOCK] for i in range(0, len(clusters), _BLOCK)]
        joined = [c for block in blocks for c in _join(block, measures)]
        if len(joined) > 0.9 * len(clusters):
            return joined
        clusters = sorted(joined, key=lambda c: c.first)
    return _join(clusters, measures)


def _similarities(clusters: Sequence[Cluster], nearness: float) -> Matrix:
    """Average similarity of every two clusters, nearness in time included: float64 (n, n)."""
    held = Counter(key for cluster in clusters for key in cluster.total)
    shared = (key for key, n in held.items() if n > 1)
    places = {key: place for place, key in enumerate(shared)}
    sums = np.zeros((len(clusters), max(1, len(places))))
    for i, cluster in enumerate(clusters):
        for key, x in cluster.total.items():
            if (place := places.get(key)) is not None:
                sums[i, place] = x / cluster.weight
    first = np.array([c.first for c in clusters])
    last = np.array([c.last for c in clusters])
    pause = np.maximum(first[:, None], first) - np.minimum(last[:, None], last)
    size = np.array([c.lines for c in clusters])
    near = np.exp(-np.maximum(0, pause) / 60 / _NEAR_MINUTES)
    fewest = np.minimum(size[:, None], size)
    near /= np.sqrt(fewest)
    near[(pause < 0) & (fewest >= _PARTED)] = 0
    return np.asarray(sums @ sums.T + nearness * near)


def _join(clusters: Sequence[Cluster], measures: Measures) -> list[Cluster]:
    """Put those together that are alike enough."""
    similarities = _similarities(clusters, measures.near)
    labels = link(similarities, [cluster.weight for cluster in clusters], measures.alike)
    joined: dict[int, Cluster] = {}
    for label, cluster in zip(labels, clusters, strict=True):
        joined[label] = _sum(joined[label], cluster) if label in joined else cluster
    return list(joined.values())


def _sum(a: Cluster, b: Cluster) -> Cluster:
    total = dict(a.total)
    for key, x in b.total.items():
        total[key] = total.get(key, 0.0) + x
    times = min(a.first, b.first), max(a.last, b.last)
    return Cluster([*a.scenes, *b.scenes], total, a.weight + b.weight, a.lines + b.lines, *times)
