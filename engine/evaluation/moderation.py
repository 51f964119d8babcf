"""Labelled messages and whatever gives verdicts in → how far the two agree, with intervals.

A row's label is a category, `normal`, or `any` for a violation of unknown kind. A verdict predicts
its category where it flags the message (review or block), and `normal` where it lets it pass.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import InputError
from engine.evaluation.metrics import Estimate, proportion
from engine.moderation.classifier.corpus import ANY, Labelled, read_labelled
from engine.moderation.finding import CATEGORIES, NORMAL
from engine.moderation.verdict import Verdict

if TYPE_CHECKING:
    from engine.playbook.build import Progress

_BINS = 10
_RESAMPLES = 1000
_ORDER = (*CATEGORIES, ANY, NORMAL)
_BATCH = 256  # messages between two reports of progress


class Checks(Protocol):
    """What gives verdicts; `engine.moderation.moderator.Moderator` does."""

    def check_many(self, messages: Iterable[str], /) -> Iterator[Verdict]:
        """One verdict for each message, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Score:
    """One row and what was made of it."""

    row: Labelled
    predicted: str
    """The verdict's category where it flags the message, else `normal`."""
    violation: float
    """How likely a violation is by the verdict, 0 to 1."""

    @classmethod
    def of(cls, row: Labelled, verdict: Verdict) -> Score:
        """A row with its verdict."""
        named = verdict.category != NORMAL
        return cls(
            row,
            verdict.category if verdict.flagged else NORMAL,
            verdict.confidence if named else 1 - verdict.confidence,
        )

    @property
    def violates(self) -> bool:
        """Whether the row is a violation."""
        return self.row.label != NORMAL

    @property
    def flagged(self) -> bool:
        """Whether it was taken for one."""
        return self.predicted != NORMAL


@dataclass(frozen=True, slots=True)
class LabelReport:
    """How one label of the set fares."""

    precision: Estimate
    """Of what was taken for it, the share that is it; nan when nothing was."""
    recall: Estimate
    f1: float
    n: int
    """Rows that bear the label."""
    taken_for: tuple[tuple[str, int], ...]
    """What else its rows were taken for, and how often, the most frequent first."""


@dataclass(frozen=True, slots=True)
class ModerationReport:
    """A whole set, scored."""

    name: str
    scores: tuple[Score, ...]
    microseconds: float
    """Time per message, all checked in one go."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the set holds."""
        held = {score.row.label for score in self.scores}
        return tuple(sorted(held, key=lambda label: (_rank(label), label)))

    @property
    def _pairs(self) -> Counter[tuple[str, str]]:
        """(label, prediction in the words of the set) → how many rows."""
        labels = self.labels
        return Counter((score.row.label, _reading(score, labels)) for score in self.scores)

    @property
    def metrics(self) -> dict[str, Estimate]:
        """What can't be computed is nan; where there is no interval, its ends are.

        macro_f1: mean F1 of the set's own labels; a prediction outside them is wrong.
        accuracy: share of right rows; violation against normal where the set has two labels.
        recall: share of violations that are flagged, as whatever category.
        false_alarm_rate: share of normal rows that are flagged.
        calibration_error: how far the probability of a violation is from its frequency.
        """
        labels, pairs = self.labels, self._pairs
        if len(labels) == 2 and NORMAL in labels:
            right = sum(score.violates == score.flagged for score in self.scores)
        else:
            right = sum(count for (label, reading), count in pairs.items() if label == reading)
        likelihoods = [(score.violation, score.violates) for score in self.scores]
        return {
            "macro_f1": macro_f1(pairs, labels),
            "accuracy": proportion(right, len(self.scores)),
            **_flagging(self.scores),
            "calibration_error": _bare(calibration_error(likelihoods)),
            "microseconds_per_message": _bare(self.microseconds),
        }

    @property
    def by_category(self) -> dict[str, LabelReport]:
        """Each label of the set, `normal` and `any` too."""
        pairs = self._pairs
        return {label: _label_report(label, pairs) for label in self.labels}

    @property
    def by_variant(self) -> dict[str, tuple[dict[str, Estimate], int]]:
        """Each variant's `recall` or `false_alarm_rate`, as its rows allow, and how many it has."""
        rows: dict[str, list[Score]] = {}
        for score in self.scores:
            if score.row.variant:
                rows.setdefault(score.row.variant, []).append(score)
        return {
            variant: (
                {name: r for name, r in _flagging(scores).items() if not math.isnan(r.value)},
                len(scores),
            )
            for variant, scores in rows.items()
        }

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data for JSON; what can't be computed is None."""
        metrics = self.metrics
        return {
            "set": self.name,
            "n": len(self.scores),
            "metrics": {name: _plain(value.value) for name, value in metrics.items()},
            "intervals": {
                name: [_plain(value.low), _plain(value.high)]
                for name, value in metrics.items()
                if not math.isnan(value.low)
            },
            "by_category": {
                label: {
                    "precision": _plain(report.precision.value),
                    "recall": _plain(report.recall.value),
                    "f1": _plain(report.f1),
                    "n": report.n,
                }
                for label, report in self.by_category.items()
            },
            "by_variant": {
                variant: {name: _plain(rate.value) for name, rate in rates.items()} | {"n": n}
                for variant, (rates, n) in self.by_variant.items()
            },
        }


def read_set(path: Path) -> list[Labelled]:
    """The rows of a set, `{"text", "label"[, "variant"]}` one a line.

    Raises:
        InputError: the file can't be read, a line is malformed or there is none.
    """
    rows = read_labelled(path)
    if not rows:
        raise InputError(f'{path} holds no rows. Write lines {{"text": "…", "label": "ad"}}.')
    return rows


def evaluate(
    checks: Checks, rows: Sequence[Labelled], name: str, progress: Progress | None = None
) -> ModerationReport:
    """Check every row and score the verdicts; what is loaded on first use is not timed."""
    texts = [row.text for row in rows]
    list(checks.check_many(texts[:1]))
    started = time.perf_counter()
    verdicts: list[Verdict] = []
    stream = checks.check_many(texts)
    while batch := list(islice(stream, _BATCH)):
        verdicts += batch
        if progress:
            progress("Checking messages", len(verdicts), len(texts))
    elapsed = time.perf_counter() - started
    scores = tuple(Score.of(row, verdict) for row, verdict in zip(rows, verdicts, strict=True))
    return ModerationReport(name, scores, elapsed * 1e6 / len(rows) if rows else math.nan)


def macro_f1(pairs: Mapping[tuple[str, str], int], labels: Sequence[str]) -> Estimate:
    """Mean F1 of some labels with a percentile bootstrap interval over rows, fixed seed.

    Args:
        pairs: (label, prediction) → how many rows; a prediction outside `labels` is just wrong.
        labels: Each has a row at least.
    """
    import numpy as np

    if not pairs:
        return _bare(math.nan)
    counts = np.array(list(pairs.values()), dtype=np.float64)
    told = np.array([[label == each for each, _ in pairs] for label in labels])
    read = np.array([[label == each for _, each in pairs] for label in labels])

    def means(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Samples (m, pairs) → their macro-F1 (m,); a label that a sample lacks is left out."""
        owed = samples @ told.T + samples @ read.T
        f1 = 2 * (samples @ (told & read).T) / np.where(owed == 0, 1, owed)
        return np.asarray(f1.sum(axis=1) / (owed > 0).sum(axis=1))

    n = int(counts.sum())
    samples = np.random.default_rng(0).multinomial(n, counts / n, _RESAMPLES)
    low, high = np.percentile(means(samples), [2.5, 97.5])
    return Estimate(float(means(counts[None])[0]), float(low), float(high))


def calibration_error(likelihoods: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error over ten bins of equal width (Naeini et al. 2015).

    Args:
        likelihoods: Each a probability, 0 to 1, and whether the thing happened.
    """
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, happened in likelihoods:
        place = min(int(probability * _BINS), _BINS - 1)
        bins.setdefault(place, []).append((probability, happened))
    gaps = (abs(sum(p for p, _ in held) - sum(h for _, h in held)) for held in bins.values())
    return sum(gaps) / len(likelihoods) if likelihoods else math.nan


def _reading(score: Score, labels: Sequence[str]) -> str:
    """The prediction in the words of the set: `any` is every violation that has no other label."""
    if ANY not in labels or not score.flagged:
        return score.predicted
    return ANY if score.row.label == ANY or score.predicted not in labels else score.predicted


def _flagging(scores: Sequence[Score]) -> dict[str, Estimate]:
    """Recall and false alarm rate."""
    violations = [score.flagged for score in scores if score.violates]
    normal = [score.flagged for score in scores if not score.violates]
    return {
        "recall": proportion(sum(violations), len(violations)),
        "false_alarm_rate": proportion(sum(normal), len(normal)),
    }


def _label_report(label: str, pairs: Mapping[tuple[str, str], int]) -> LabelReport:
    right = pairs.get((label, label), 0)
    n = sum(count for (told, _), count in pairs.items() if told == label)
    taken = sum(count for (_, read), count in pairs.items() if read == label)
    others = Counter(
        {read: count for (told, read), count in pairs.items() if told == label != read}
    )
    return LabelReport(
        proportion(right, taken),
        proportion(right, n),
        2 * right / (n + taken),
        n,
        tuple(others.most_common()),
    )


def _rank(label: str) -> int:
    return _ORDER.index(label) if label in _ORDER else len(CATEGORIES)


def _bare(value: float) -> Estimate:
    """A figure without an interval."""
    return Estimate(value, math.nan, math.nan)


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
