"""Vectors of texts in → how much speaks for each category, by what the texts mean.

The classifier knows words and sounds. What is said in words that it never met may still be near in
meaning to what was learned: a softmax regression over an encoder's vectors tells. It is asked about
doubtful messages alone, for a vector takes a hundred times as long as all the rest of a verdict.

It ships within the classifier's file, learned from lines of our corpus; a group's feedback moves it
from there (maximum a posteriori: what is learned costs the more, the farther it lies from before).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.finding import NORMAL
from engine.moderation.vectors import Encoder, Vectors
from engine.text import fold_text

LONGEST = 150
"""Characters of a folded text that are encoded: an encoder's time grows with them."""

_SHARE = 0.5  # what the odds of a meaning count beside the classifier's
_SCALE = 8.0  # vectors of e5 less their mean are short: this makes them about 3 long
_STRENGTH = 0.5  # what weights cost when learned from nothing,
_STRENGTH_FROM = 1.0  # and when they move away from those before
_STEPS = 200  # of the solver
_FURTHEST = 10.0  # odds, in logits, beyond which a meaning is as sure as can be
_LINES = {NORMAL: 20_000, "politics": 8_000, "religion": 8_000}
"""How many lines of a category are learned from at most: many of what is told by its meaning,"""
_FEW = 2_000  # and of any other, which words tell

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Meaning:
    """A softmax regression over vectors.

    Attributes:
        encoder: Name of the encoder whose vectors it reads.
        mean: float32 (dim,), what all vectors have in common.
        weights: float32 (dim + 1, categories), the last row for the bias.
        share: What the odds of a meaning count beside the classifier's, 0 to 1.
    """

    encoder: str
    mean: Vectors = field(repr=False)
    weights: Vectors = field(repr=False)
    share: float = _SHARE

    def odds(self, vectors: Vectors) -> Floats:
        """Logits of each category against all others: float64 (n, categories), -10 to 10.

        Args:
            vectors: float32 (n, dim), unit norm.
        """
        likely = _softmax(_inputs(vectors, self.mean) @ self.weights.astype(np.float64))
        least = np.exp(-_FURTHEST)
        return np.asarray(np.log(np.maximum(likely, least) / np.maximum(1 - likely, least)))

    def joined(self, chances: Floats, vectors: Vectors) -> Floats:
        """Chances of categories, 0 to 1, once what the vectors tell is added: (n, categories)."""
        return chances / (chances + (1 - chances) * np.exp(-self.share * self.odds(vectors)))


def plain(folded: str) -> str:
    """What an encoder gets of a folded text: its start, with single blanks."""
    return " ".join(folded.split())[:LONGEST]


def learn_meaning(encoder: Encoder, rows: Sequence[Labelled], categories: Sequence[str]) -> Meaning:
    """Learn what texts of each category mean: 10 to 20 ms a row.

    Args:
        encoder: Makes the vectors.
        rows: Texts with their categories; at most some thousands of each category are read.
        categories: What to tell apart, in this order.

    Raises:
        ModelError: scikit-learn's companion scipy is not installed.
        EncoderError: the encoder doesn't answer.
    """
    chosen = _sample(rows)
    vectors = encoder.queries([plain(fold_text(row.text)) for row in chosen])
    mean = vectors.mean(axis=0)
    before = np.zeros((vectors.shape[1] + 1, len(categories)))
    weights = _regressed(
        _inputs(vectors, mean), _places(chosen, categories), before, strength=_STRENGTH
    )
    return Meaning(encoder.name, mean, weights.astype(np.float32))


def adapt_meaning(
    before: Meaning, encoder: Encoder, rows: Sequence[Labelled], categories: Sequence[str]
) -> Meaning:
    """What texts mean to a group that labelled some; arguments and errors as above."""
    vectors = encoder.queries([plain(fold_text(row.text)) for row in rows])
    weights = _regressed(
        _inputs(vectors, before.mean),
        _places(rows, categories),
        before.weights.astype(np.float64),
        strength=_STRENGTH_FROM,
    )
    return replace(before, weights=weights.astype(np.float32))


def _sample(rows: Sequence[Labelled]) -> list[Labelled]:
    """Some lines of each category, always the same."""
    taken: dict[str, int] = {}
    chosen = []
    for row in sorted(rows, key=lambda row: crc32(row.text.encode("utf-8", "replace"))):
        taken[row.label] = taken.get(row.label, 0) + 1
        if taken[row.label] <= _LINES.get(row.label, _FEW):
            chosen.append(row)
    return chosen


def _inputs(vectors: Vectors, mean: Vectors) -> Floats:
    """Vectors without what they have in common, and a column of ones: (n, dim + 1)."""
    told = (vectors - mean).astype(np.float64) * _SCALE
    return np.hstack((told, np.ones((len(told), 1))))


def _places(rows: Sequence[Labelled], categories: Sequence[str]) -> NDArray[np.int64]:
    return np.array([categories.index(row.label) for row in rows], dtype=np.int64)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _regressed(
    inputs: Floats, told: NDArray[np.int64], before: Floats, *, strength: float
) -> Floats:
    """Weights under which the labels are likely and which lie near those before."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ModelError(
            "Learning needs scikit-learn. Install it with `pip install 'qunce[train]'`."
        ) from error
    at = np.arange(len(told))

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(before.shape)
        likely = _softmax(inputs @ weights)
        apart = weights - before
        loss = -float(np.log(np.maximum(likely[at, told], 1e-12)).sum())
        likely[at, told] -= 1
        slope = inputs.T @ likely + strength * apart
        return loss + strength / 2 * float((apart**2).sum()), slope.ravel()

    found = minimize(cost, before.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x).reshape(before.shape)
