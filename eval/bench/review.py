"""What a review finds in chat logs with known truth, and how fast, printed.

OMP_NUM_THREADS=1 python eval/bench/review.py FOLDER [--only 'dev-*'] [--speed] [--fit] [--words]

Quality: precision, recall and F1 of topics, to-dos, unanswered and answered questions of each log
and of all, and how far the best topic found overlaps a true one in the mean; what lines mean
counts, unless --words. Speed: the logs of the folder repeated month after month up to 10,000 and
100,000 messages. --fit learns the weights of links, threads and scenes anew from the logs and
prints them as they stand in engine/drafting/review, and what they score on each log when learned
from the others: only ever run it on logs that nothing else is measured on ('[dt][er][va]*' are the
dev and train logs).
What makes a question, an answer or a promise is learned by eval/bench/review_learn.py.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import product
from pathlib import Path
from unittest.mock import patch

import numpy as np
from machine import heading
from numpy.typing import NDArray

from engine.chatlog import open_log
from engine.chatlog.message import ChatMessage
from engine.drafting.review import alike, links, noise, threads
from engine.drafting.review.alike import Scenes, Taught
from engine.drafting.review.analysis import analyse
from engine.drafting.review.dialogue import Dialogue
from engine.drafting.review.links import Links
from engine.drafting.review.meanings import Encoder, read_meanings
from engine.drafting.review.reading import Line, read
from engine.drafting.review.structure import Analysis
from engine.drafting.review.threads import NOWHERE, Placement, Weights
from engine.evaluation.review import LISTS, LogScore, ReviewReport, evaluate
from engine.evaluation.tally import Tally
from engine.evaluation.truth import Case, read_cases
from engine.moderation.vectors import CachedEncoder
from engine.playbook.encoders import Vectors

Vector = NDArray[np.float64]

SIZES = (400, 1_000, 10_000, 100_000)
REMEMBERED = 100_000  # texts that are encoded once
PAUSE, BETWEEN = 3600.0, 25  # what parts two scenes of a topic: seconds, lines
NOWHERE_PENALTY = -1.0  # leaving all threads is a little worse than the logs say
SIZE_FACTOR = 0.6  # large topics draw a little less than the logs say
BRAKE = 1e-4  # what large weights of scenes cost


@dataclass(frozen=True, slots=True)
class Lesson:
    """A log with its truth by line."""

    case: Case
    lines: list[Line]
    topics: list[int]
    scenes: list[int]
    meanings: Vectors | None


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--only", default="*", help="names of logs, e.g. 'dev-*'")
    options.add_argument("--speed", action="store_true")
    options.add_argument("--fit", action="store_true")
    options.add_argument("--words", action="store_true", help="without an encoder")
    given = options.parse_args()
    print(heading())
    cases = list(read_cases(given.folder, lambda path: list(open_log(path)), given.only))
    encoder = None if given.words else Dialogue()
    known = None if given.words else Dialogue(partial(CachedEncoder, size=REMEMBERED))
    overlaps: list[float] = []
    show(measured(cases, known, overlaps), overlaps)
    if given.fit:
        fit(cases, known)
    if given.speed:
        speed([message for case in cases for message in case.messages], encoder)


def measured(cases: Sequence[Case], encoder: Encoder | None, overlaps: list[float]) -> ReviewReport:
    """Score logs, and note for every true topic how far the best one found overlaps it."""
    truths = iter([None, *(case.truth for case in cases)])  # the first log is there to warm up

    def analysed(messages: Sequence[ChatMessage]) -> Analysis:
        analysis = analyse(messages, encoder=encoder)
        if truth := next(truths):
            found = [{message.id for message in topic.messages} for topic in analysis.topics]
            wanted = [set(topic.messages) for topic in truth.topics if not topic.minor]
            overlaps.extend(best_overlap(own, found) for own in wanted)
        return analysis

    return evaluate(cases, analysed, "logs")


def best_overlap(wanted: set[str], found: Sequence[set[str]]) -> float:
    """F1 of a true topic and the one found that is most like it."""
    return max((2 * len(wanted & own) / (len(wanted) + len(own)) for own in found), default=0.0)


def show(report: ReviewReport, overlaps: Sequence[float] = ()) -> None:
    """Print a table: a log a line."""
    print(f"{'':24}" + "".join(f"{name:>24}" for name in LISTS))
    for log in report.logs:
        print(f"{log.name:24}" + "".join(_figures(log.lists[name]) for name in LISTS))
    print(f"{'all':24}" + "".join(_figures(report.lists[name]) for name in LISTS))
    if overlaps:
        print(f"mean best overlap of {len(overlaps)} true topics: {np.mean(overlaps):.3f}")


def _figures(tally: Tally) -> str:
    return f"{tally.precision.value:>10.2f} {tally.recall.value:.2f} {tally.f1:.2f}    "


def speed(messages: Sequence[ChatMessage], encoder: Encoder | None) -> None:
    """Print the time of logs of several sizes."""
    analyse(messages[:20])  # loads jieba
    for size in SIZES:
        log = repeated(messages, size)
        start = time.perf_counter()
        analyse(log, encoder=encoder)
        seconds = time.perf_counter() - start
        print(f"{size:>8,} messages: {seconds:6.1f} s, {1e6 * seconds / size:6.0f} µs a message")


def repeated(messages: Sequence[ChatMessage], size: int) -> list[ChatMessage]:
    """A log of so many messages: the given ones month after month."""
    log: list[ChatMessage] = []
    month = 0
    while len(log) < size:
        later = timedelta(days=31 * month)
        for m in sorted(messages, key=lambda m: m.time):
            reply = f"{month}-{m.reply_to}" if m.reply_to else ""
            log.append(replace(m, id=f"{month}-{m.id}", time=m.time + later, reply_to=reply))
        month += 1
    return log[:size]


def fit(cases: Sequence[Case], encoder: Encoder | None) -> None:
    """Print weights learned from all logs and the figures of each learned from the others."""
    lessons = [lesson(case, encoder) for case in cases]
    logs: list[LogScore] = []
    overlaps: list[float] = []
    for held in lessons:
        others = [one for one in lessons if one is not held]
        if others:
            logs += with_taught(teach(others), held.case, encoder, overlaps).logs
    print("each log by what was learned from the others:")
    show(ReviewReport("held out", tuple(logs)), overlaps)
    taught = teach(lessons)
    if encoder:
        print(f"alike.TAUGHT = {taught}")
        return
    for name, weights in (
        ("links.WEIGHTS", taught.links),
        ("threads.SCENES", (taught.scenes.thread, taught.scenes.nowhere)),
        ("threads.TOPICS", (taught.topics.thread, taught.topics.nowhere)),
    ):
        print(f"{name} = {weights}")


def with_taught(
    taught: Taught, case: Case, encoder: Encoder | None, overlaps: list[float]
) -> ReviewReport:
    """The figures of a log analysed with other weights."""
    if encoder:
        with patch("engine.drafting.review.alike.TAUGHT", taught):
            return measured([case], encoder, overlaps)
    linked = partial(links.find_links, weights=taught.links)
    with (
        patch("engine.drafting.review.analysis.find_links", linked),
        patch("engine.drafting.review.threads.SCENES", taught.scenes),
        patch("engine.drafting.review.themes.TOPICS", taught.topics),
    ):
        return measured([case], None, overlaps)


def lesson(case: Case, encoder: Encoder | None) -> Lesson:
    """Read a log and give its lines the labels of their true topics and scenes."""
    lines = [line for line in read(case.messages) if not noise.is_noise(line)]
    of = {i: n for n, topic in enumerate(case.truth.topics) for i in topic.messages}
    topics = [of.get(line.message.id, NOWHERE) for line in lines]
    scenes: list[int] = []
    last: dict[int, int] = {}
    for i, topic in enumerate(topics):
        before = last.get(topic, -1)
        parted = before < 0 or (
            lines[i].seconds - lines[before].seconds > PAUSE or i - before > BETWEEN
        )
        scenes.append(NOWHERE if topic == NOWHERE else i if parted else scenes[before])
        last[topic] = i
    meanings = read_meanings(lines, [], encoder) if encoder else None
    return Lesson(case, lines, topics, scenes, meanings.told if meanings else None)


def teach(lessons: Sequence[Lesson]) -> Taught:
    """Learn all weights."""
    weights = teach_links(lessons)
    found = [links.find_links(one.lines, weights, one.meanings) for one in lessons]
    both = list(zip(lessons, found, strict=True))
    scenes = teach_threads((one.lines, link, one.scenes) for one, link in both)
    topics = teach_threads((one.lines, link, one.topics) for one, link in both)
    names = (*threads.NAMES, "meanings")
    smaller = (SIZE_FACTOR if name == "size" else 1 for name in names)
    kept = tuple(round(w * f, 2) for w, f in zip(topics[0], smaller, strict=False))
    meant = all(one.meanings is not None for one in lessons)
    known = alike.TAUGHT.scenes if meant else threads.SCENES
    in_scenes = Weights(*_lowered(scenes), known.alone)
    return Taught(
        weights,
        in_scenes,
        Weights(kept, _lowered(topics)[1], threads.TOPICS.alone),
        teach_alike(both, in_scenes) if meant else (),
    )


def teach_alike(
    logs: Sequence[tuple[Lesson, Links]], weights: Weights
) -> tuple[tuple[float, ...], ...]:
    """Logistic regression: are two scenes found in a log about the same topic?"""
    rows, same, counts = [], [], []
    for (one, found), alone in product(logs, alike.ALONE):
        labels = alike.find_scenes(one.lines, found, replace(weights, alone=alone))
        if one.meanings is None:
            continue
        scenes = Scenes(one.lines, found, one.meanings, labels)
        signs = np.stack(list(scenes.signs()), axis=-1)
        fewer, more = (x[..., None] for x in scenes.logarithms())
        all_signs = np.concatenate([signs, signs * fewer, signs * more], axis=-1)
        i, j = np.tril_indices(len(scenes.places), -1)
        topic = np.array([_usual([one.topics[n] for n in own]) for own in scenes.places])
        rows.append(all_signs[i, j])
        same.append((topic[i] == topic[j]) & (topic[i] != NOWHERE))
        counts.append(np.sqrt(scenes.sizes[i] * scenes.sizes[j]))
    x, y, count = np.concatenate(rows), np.concatenate(same).astype(float), np.concatenate(counts)
    spread = np.sqrt((x * x).mean(axis=0))
    x, count = x / spread, count / count.sum()

    def slope(w: Vector) -> Vector:
        return np.asarray(x.T @ (count * (_sigmoid(x @ w) - y)) + BRAKE * w)

    learned = descend(slope, np.zeros(x.shape[1]), 1500, 0.05) / spread
    return tuple(_rounded(part) for part in np.split(learned, 3))


def _usual(labels: Sequence[int]) -> int:
    return Counter(labels).most_common(1)[0][0]


def _lowered(
    weights: tuple[tuple[float, ...], tuple[float, ...]],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    thread, nowhere = weights
    return thread, (round(nowhere[0] + NOWHERE_PENALTY, 2), *nowhere[1:])


def teach_links(lessons: Sequence[Lesson]) -> tuple[float, ...]:
    """Logistic regression: do two lines belong to the same scene?"""
    rows, same = [], []
    for one in lessons:
        near = links.read_signs(one.lines, links.rare_characters(one.lines), one.meanings)
        for i, signs in enumerate(near):
            for j, own in signs:
                if NOWHERE not in (one.scenes[i], one.scenes[j]):
                    rows.append(own)
                    same.append(one.scenes[i] == one.scenes[j])
    x, y = np.array(rows, float), np.array(same, float)

    def slope(w: Vector) -> Vector:
        return np.asarray(x.T @ (_sigmoid(x @ w) - y) / len(y) + 1e-3 * w)

    return _rounded(descend(slope, np.zeros(x.shape[1]), 500, 0.05))


def teach_threads(
    logs: Iterable[tuple[Sequence[Line], Links, Sequence[int]]],
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Softmax regression: which thread does a line belong to while all others stand right?"""
    rows: list[tuple[Vector, int]] = []
    signs_each, empty = len(threads.NAMES), [0.0] * len(threads.NOWHERE_NAMES)
    for lines, found, labels in logs:
        placement = Placement(lines, found, labels)
        signs_each = len(threads.NAMES) + (found.meanings is not None)
        empty_thread = [0.0] * signs_each
        for i, label in enumerate(labels):
            options = placement.options(i)
            if any(signs is None for _, signs in options):
                continue
            places = [*(place for place, _ in options), NOWHERE]
            if label in places:
                signs = [[*s, *empty] for _, s in options if s is not None]
                nowhere = [*empty_thread, *placement.nowhere(i)]
                rows.append((np.array([*signs, nowhere], float), places.index(label)))

    x = np.concatenate([signs for signs, _ in rows])
    sizes = [len(signs) for signs, _ in rows]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    of = np.repeat(np.arange(len(rows)), sizes)
    chosen = starts + [place for _, place in rows]

    def slope(w: Vector) -> Vector:
        z = x @ w
        p = np.exp(z - np.maximum.reduceat(z, starts)[of])
        p /= np.add.reduceat(p, starts)[of]
        p[chosen] -= 1
        return np.asarray(p @ x / len(rows) + 3e-3 * w)

    w = _rounded(descend(slope, np.zeros(signs_each + len(empty)), 300, 0.1))
    return w[:signs_each], w[signs_each:]


def descend(slope: Callable[[Vector], Vector], w: Vector, steps: int, rate: float) -> Vector:
    """Gradient descent by Adam (Kingma and Ba 2015)."""
    mean, square = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, steps + 1):
        g = slope(w)
        mean, square = 0.9 * mean + 0.1 * g, 0.99 * square + 0.01 * g * g
        w = w - rate * mean / (1 - 0.9**step) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    return w


def _sigmoid(z: Vector) -> Vector:
    return np.asarray(1 / (1 + np.exp(-z)))


def _rounded(w: Vector) -> tuple[float, ...]:
    return tuple(round(float(x), 2) for x in w)


if __name__ == "__main__":
    main()
