"""Vectors of texts in → how much speaks for each category, by what the texts mean.

The classifier knows words and sounds. What is said in words that it never met may still be near in
meaning to what was learned: a network with one hidden layer over an encoder's vectors tells. It is
asked about doubtful messages alone, for a vector takes a hundred times as long as all the rest of a
verdict.

It ships within the classifier's file, learned from lines of our corpus. What follows the hidden
layer is a softmax regression, which a group's feedback moves from there (maximum a posteriori: what
is learned costs the more, the farther it lies from before).
"""

from __future__ import annotations

import warnings
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
_HIDDEN = 256  # units of the layer
_DECAY, _EPOCHS = 0.01, 15  # what its weights cost, rounds over the rows
_STRENGTH = 7e-4  # what weights after it cost for each row, when learned from nothing,
_STRENGTH_FROM = 1.0  # and in all when they move away from those before
_STEPS = 200  # of the solver
_FURTHEST = 10.0  # odds, in logits, beyond which a meaning is as sure as can be
_LINES = {NORMAL: 20_000, "politics": 8_000, "religion": 8_000}
"""How many lines of a category are learned from at most: many of what is told by its meaning,"""
_FEW = 2_000  # and of any other, which words tell

NEEDS_SKLEARN = "Learning needs scikit-learn. Install it with `pip install 'qunce[train]'`."

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Meaning:
    """A hidden layer over vectors, and a softmax regression over its units and the vectors.

    Attributes:
        encoder: Name of the encoder whose vectors it reads.
        mean: float32 (dim,), what all vectors have in common.
        layer: float32 (dim + 1, units), the last row for the bias.
        weights: float32 (units + dim + 1, categories), the last row for the bias.
        share: What the odds of a meaning count beside the classifier's, 0 to 1.
    """

    encoder: str
    mean: Vectors = field(repr=False)
    layer: Vectors = field(repr=False)
    weights: Vectors = field(repr=False)
    share: float = _SHARE

    def odds(self, vectors: Vectors) -> Floats:
        """Logits of each category against all others: float64 (n, categories), -10 to 10.

        Args:
            vectors: float32 (n, dim), unit norm.
        """
        likely = _softmax(self.weighed(vectors) @ self.weights.astype(np.float64))
        least = np.exp(-_FURTHEST)
        return np.asarray(np.log(np.maximum(likely, least) / np.maximum(1 - likely, least)))

    def weighed(self, vectors: Vectors) -> Floats:
        """What the regression weighs: float64 (n, units + dim + 1), the last column of ones.

        Vectors stand beside the units that are made of them, for a group may speak of what the
        units were never taught to tell apart.
        """
        inputs = _inputs(vectors, self.mean)
        return np.hstack((np.maximum(inputs @ self.layer.astype(np.float64), 0), inputs))

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
        rows: Texts with their categories, of two at least.
        categories: What to tell apart, in this order.

    Raises:
        ModelError: scikit-learn is not installed.
        EncoderError: the encoder doesn't answer.
    """
    vectors = encoder.queries([plain(fold_text(row.text)) for row in rows])
    told = _places(rows, categories)
    mean = vectors.mean(axis=0)
    layer = _layer(_inputs(vectors, mean)[:, :-1], told)
    nothing = np.zeros((layer.shape[1] + layer.shape[0], len(categories)), np.float32)
    begun = Meaning(encoder.name, mean, layer, nothing)
    return _moved(begun, vectors, told, strength=_STRENGTH * len(rows))


def adapt_meaning(
    before: Meaning, encoder: Encoder, rows: Sequence[Labelled], categories: Sequence[str]
) -> Meaning:
    """What texts mean to a group that labelled some.

    Args:
        before: What they meant so far, as the same encoder tells it.
        encoder: Makes the vectors.
        rows: The group's texts with their categories.
        categories: What to tell apart, those of `before` in their order.

    Raises:
        ModelError: scipy is not installed.
        EncoderError: the encoder doesn't answer.
    """
    vectors = encoder.queries([plain(fold_text(row.text)) for row in rows])
    return _moved(before, vectors, _places(rows, categories), strength=_STRENGTH_FROM)


def sampled(rows: Sequence[Labelled]) -> list[Labelled]:
    """Some lines of each category: what meanings are learned from."""
    taken: dict[str, int] = {}
    chosen = []
    for row in shuffled(rows):
        taken[row.label] = taken.get(row.label, 0) + 1
        if taken[row.label] <= _LINES.get(row.label, _FEW):
            chosen.append(row)
    return chosen


def shuffled(rows: Sequence[Labelled]) -> list[Labelled]:
    """Rows in an order of chance, always the same."""
    return sorted(rows, key=lambda row: crc32(row.text.encode("utf-8", "replace")))


def _inputs(vectors: Vectors, mean: Vectors) -> Floats:
    """Vectors without what they have in common, and a column of ones: (n, dim + 1)."""
    told = (vectors - mean).astype(np.float64) * _SCALE
    return np.hstack((told, np.ones((len(told), 1))))


def _places(rows: Sequence[Labelled], categories: Sequence[str]) -> NDArray[np.int64]:
    return np.array([categories.index(row.label) for row in rows], dtype=np.int64)


def _layer(inputs: Floats, told: NDArray[np.int64]) -> Vectors:
    """The hidden layer of a network that tells the places: float32 (dim + 1, units)."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPClassifier
    except ImportError as error:
        raise ModelError(NEEDS_SKLEARN) from error
    network = MLPClassifier(
        (_HIDDEN,), alpha=_DECAY, max_iter=_EPOCHS, batch_size=min(256, len(inputs)), random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is stopped early on purpose
        network.fit(inputs, told)
    return np.vstack((network.coefs_[0], network.intercepts_[0])).astype(np.float32)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _moved(
    before: Meaning, vectors: Vectors, told: NDArray[np.int64], *, strength: float
) -> Meaning:
    """The meaning with weights under which the labels are likely and which lie near its own."""
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ModelError(NEEDS_SKLEARN) from error
    inputs, weights_before = before.weighed(vectors), before.weights.astype(np.float64)
    at = np.arange(len(told))

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(weights_before.shape)
        likely = _softmax(inputs @ weights)
        apart = weights - weights_before
        loss = -float(np.log(np.maximum(likely[at, told], 1e-12)).sum())
        likely[at, told] -= 1
        slope = inputs.T @ likely + strength * apart
        return loss + strength / 2 * float((apart**2).sum()), slope.ravel()

    options = {"maxiter": _STEPS}
    found = minimize(cost, weights_before.ravel(), jac=True, method="L-BFGS-B", options=options)
    weights = np.asarray(found.x, dtype=np.float32).reshape(weights_before.shape)
    return replace(before, weights=weights)
