"""A model and a group's labelled messages in → a model that knows them, and what it cost.

The new scores are a share of the old ones plus what the feedback teaches: weights for its own
features and for the old scores. What was surely told apart stays so, what was doubtful is the
feedback's to say. Lines of our corpus are replayed beside it, and count only where they would be
taken for something else: they hold on to what they are, not to how surely, so the probabilities
become those of the group. The result is one linear model again. Lines kept aside guard it: as much
of the change is made as they bear, and none where they bear too little of it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError, ModelError
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.features import prepare
from engine.moderation.classifier.meaning import NEEDS_SKLEARN, Meaning, adapt_meaning, plain
from engine.moderation.classifier.model import Classifier, assemble
from engine.moderation.classifier.training import Progress, f1_of, macro_f1, matrix
from engine.moderation.finding import NORMAL
from engine.moderation.vectors import Encoder
from engine.text import fold_text

TOLERANCE = 0.02
"""How much macro-F1 on the guard set may fall."""

_GUARDS = 0.1  # share of our corpus that guards
_SHARES = (1.0, 0.95, 0.9, 0.85, 0.8)  # of the change that may be made, the most first
_KEPT = 0.2  # share of a category's old score that stays whatever is learned
_ENOUGH = 20  # rows of a category that leave no more of its score than that
_SCORES = 0.1  # what an old score weighs beside the text's own features
_COST = 3.0  # inverse strength of the L2 penalty
_REPLAY = 0.1  # what a replayed line counts
_MARGIN = 0.1  # by how much a replayed line's score must lead
_STEPS = 100  # of the solver
_MEANT, _MEANT_GUARDS = 1000, 600  # rows whose meaning is learned, and lines that guard it
_MEANT_SHARES = (0.3, 0.25, 0.2, 0.15, 0.1)  # of the meaning beside the words, the most first

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning."""

    classifier: Classifier
    rows: int
    """Labelled messages that were learned."""
    guards: int
    """Lines that guarded the change."""
    share: float
    """How much of what the feedback teaches was taken over, as the guard lines bear it; 0 to 1."""
    before: float
    """Macro-F1 of the old model on the guard set."""
    after: float
    """Macro-F1 of the new one."""
    seconds: float


def learn(
    base: Classifier,
    feedback: Sequence[Labelled],
    own: Sequence[Labelled],
    *,
    tolerance: float = TOLERANCE,
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Learned:
    """Adapt a model to labelled messages.

    Args:
        base: The model so far.
        feedback: A group's messages with what they are.
        own: Our corpus, for replay and guard; lines of categories that the model lacks are left
            out.
        tolerance: How much macro-F1 on the guard set may fall, 0 to 1.
        encoder: Lets the model learn what the messages mean as well, where the model was made with
            the same one; None: it learns words alone.
        progress: Told what is being done.

    Raises:
        InputError: no feedback, or a label that the model doesn't know.
        ModelError: the change harms the guard set, or scikit-learn is not installed.
    """
    began = time.perf_counter()
    report = progress or (lambda stage, done, total: None)
    _refuse_unusable(feedback, base.categories)
    known = [row for row in own if row.label in base.categories]
    guard = [row for row in known if _draw(row.text) < _GUARDS]
    change = _change(base, feedback, [row for row in known if _draw(row.text) >= _GUARDS], report)
    report("Guarding the rest", 0, 1)
    before = macro_f1(base, guard)
    adapted, share, after = _borne(change, guard, before - tolerance)
    report("Guarding the rest", 1, 1)
    if before - after > tolerance:
        raise ModelError(
            f"The feedback was not learned: macro-F1 on {len(guard)} guard lines would fall from "
            f"{before:.3f} to {after:.3f}, by more than {tolerance:.3f}. Look for wrong labels in "
            "it, or allow more with --tolerance."
        )
    meaning = _meaning(adapted, base.meaning, feedback, guard, tolerance, encoder, report)
    note = {
        "rows": len(feedback),
        "share": share,
        "guard_before": before,
        "guard_after": after,
        "meaning": meaning is not base.meaning,
    }
    notes = base.manifest | {"learned": [*base.manifest.get("learned", []), note]}
    seconds = time.perf_counter() - began
    model = replace(adapted, manifest=notes, meaning=meaning)
    return Learned(model, len(feedback), len(guard), share, before, after, seconds)


@dataclass(frozen=True, slots=True)
class _Change:
    """A calibrated model as weights, and what is to be added to them."""

    base: Classifier
    buckets: NDArray[np.int64]
    """(n,), the features that have weights in the one or the other."""
    old: Floats
    """(n, categories)."""
    old_bias: Floats
    """(categories,)."""
    added: Floats
    added_bias: Floats

    def made(self, share: float) -> Classifier:
        """The model with so much of the change, 0 to 1."""
        return assemble(
            self.base.categories,
            self.buckets,
            np.asarray(self.old + share * self.added, dtype=np.float32),
            np.asarray(self.old_bias + share * self.added_bias, dtype=np.float32),
            damping=self.base.damping,
        )


def _refuse_unusable(feedback: Sequence[Labelled], categories: Sequence[str]) -> None:
    """Raise an InputError unless there is feedback, with labels that the model knows."""
    unknown = sorted({row.label for row in feedback} - set(categories))
    if not feedback or unknown:
        raise InputError(
            f"Nothing can be learned from {len(feedback)} rows"
            + (f" with the label {unknown[0]!r}" if unknown else "")
            + f". Give labelled messages; labels: {', '.join(categories)}."
        )


def _borne(
    change: _Change, guard: Sequence[Labelled], least: float
) -> tuple[Classifier, float, float]:
    """The model with the largest share of the change that leaves the guard lines a macro-F1 of
    `least`, or else with the smallest; that share, and the macro-F1."""
    for share in _SHARES:
        model = change.made(share)
        after = macro_f1(model, guard)
        if after >= least:
            break
    return model, share, after


def _meaning(
    model: Classifier,
    before: Meaning | None,
    feedback: Sequence[Labelled],
    guard: Sequence[Labelled],
    tolerance: float,
    encoder: Encoder | None,
    report: Progress,
) -> Meaning | None:
    """What the feedback means, learned from some of it.

    It counts as much as some of the guard lines bear; where they bear none, nothing is learned.
    """
    if not (before and encoder and encoder.name == before.encoder):
        return before
    report("Reading meanings", 0, 1)
    learned = adapt_meaning(before, encoder, _some(feedback, _MEANT), model.categories)
    lines = _some(guard, _MEANT_GUARDS)
    vectors = encoder.queries([plain(fold_text(row.text)) for row in lines])
    known = np.array(model.chances([prepare(fold_text(row.text)) for row in lines]))
    report("Reading meanings", 1, 1)

    def told(meaning: Meaning) -> float:
        likeliest = meaning.joined(known, vectors).argmax(axis=1)
        return f1_of([row.label for row in lines], [model.categories[at] for at in likeliest])

    shares = [replace(learned, share=share) for share in _MEANT_SHARES]
    least = told(replace(before, share=_MEANT_SHARES[0])) - tolerance
    return next((meaning for meaning in shares if told(meaning) >= least), before)


def _some(rows: Sequence[Labelled], most: int) -> Sequence[Labelled]:
    """At most so many rows, always the same."""
    return sorted(rows, key=lambda row: _draw(row.text))[:most]


def _change(
    base: Classifier, feedback: Sequence[Labelled], replayed: Sequence[Labelled], report: Progress
) -> _Change:
    """What the feedback changes in the model, replayed lines held in their places."""
    from scipy.sparse import csr_matrix, hstack

    report("Reading texts", 0, 1)
    said = _design(feedback, base.damping)
    known = _design(replayed, base.damping)
    report("Reading texts", 1, 1)
    used = np.unique(said.indices).astype(np.int64)
    buckets = np.union1d(np.flatnonzero(base.rows), used).astype(np.int64)
    old = base.weights[base.rows[buckets]].astype(np.float64) * base.slope
    bias = np.asarray(base.bias * base.slope + base.shift, dtype=np.float64)
    importance = _importance(known, used)
    kept = _kept([row.label for row in feedback], base.categories)

    def problem(design: Any, rows: Sequence[Labelled]) -> _Rows:
        scores = design[:, buckets] @ old + bias
        extra = np.hstack((scores * _SCORES, np.ones((len(rows), 1))))
        inputs = hstack(
            [design[:, used].multiply(importance), csr_matrix(extra)], format="csr"
        ).astype(np.float64)
        told = np.array([base.categories.index(row.label) for row in rows], dtype=np.int64)
        return _Rows(inputs, inputs.T.tocsr(), scores * kept, told)

    normal = base.categories.index(NORMAL)
    weights = _solve(problem(said, feedback), problem(known, replayed), normal, report)
    size = len(used)
    mixing = weights[size:-1] * _SCORES - np.diag(1 - kept)
    added = old @ mixing
    added[np.searchsorted(buckets, used)] += weights[:size] * importance[:, None]
    return _Change(base, buckets, old, bias, added, bias @ mixing + weights[-1])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Texts to learn from."""

    inputs: Any
    """Sparse (n, features)."""
    turned: Any
    """The same transposed, (features, n)."""
    offsets: Floats
    """(n, categories), what their scores are before anything is learned."""
    told: NDArray[np.int64]
    """(n,), the column of each one's category."""


def _solve(feedback: _Rows, replayed: _Rows, normal: int, report: Progress) -> Floats:
    """Weights (features, categories) that make what they cost least.

    Feedback costs its logistic loss, one category against the rest; a replayed line the square of
    what its category's score lacks in leading each other one (Crammer and Singer, 2001).
    """
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise ModelError(NEEDS_SKLEARN) from error
    shape = (feedback.inputs.shape[1], feedback.offsets.shape[1])

    counts = _counts(feedback, normal)

    def cost(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(shape)
        mistaken, slope = _logistic(feedback, weights, counts)
        lacking, pull = _lack(replayed, weights)
        total = mistaken + lacking + float(flat @ flat) / (2 * _COST)
        return total, (slope + pull + weights / _COST).ravel()

    report("Fitting", 0, 1)
    start = np.zeros(shape[0] * shape[1])
    options = {"maxiter": _STEPS, "ftol": 1e-5, "gtol": 1e-3}
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options=options)
    report("Fitting", 1, 1)
    return np.asarray(found.x, dtype=np.float64).reshape(shape)


def _counts(rows: _Rows, normal: int) -> Floats:
    """What each row's distance from each category counts, (n, categories).

    Violations of one kind say nothing of kinds that the feedback doesn't hold; normal rows do.
    """
    counts = np.ones_like(rows.offsets)
    held = np.isin(np.arange(counts.shape[1]), rows.told)
    counts[(rows.told != normal)[:, None] & ~held] = 0
    return counts


def _logistic(rows: _Rows, weights: Floats, counts: Floats) -> tuple[float, Floats]:
    """The logistic loss of rows and its gradient."""
    sign = np.full(rows.offsets.shape, -1.0)
    sign[np.arange(len(sign)), rows.told] = 1.0
    against = -sign * (rows.offsets + rows.inputs @ weights)
    loss = float((counts * np.logaddexp(0, against)).sum())
    likely = 0.5 + 0.5 * np.tanh(against / 2)
    return loss, rows.turned @ (-sign * counts * likely)


def _lack(rows: _Rows, weights: Floats) -> tuple[float, Floats]:
    """What replayed lines lack in the lead of their category, squared, and the gradient."""
    scores = rows.offsets + rows.inputs @ weights
    at = np.arange(len(scores))
    lack = np.maximum(scores - scores[at, rows.told][:, None] + _MARGIN, 0)
    lack[at, rows.told] = 0
    loss = _REPLAY / 2 * float((lack**2).sum())
    lack[at, rows.told] = -lack.sum(axis=1)
    return loss, _REPLAY * (rows.turned @ lack)


def _design(rows: Sequence[Labelled], damping: float) -> Any:
    """The features of texts, sparse (n, 2^BITS)."""
    return matrix([prepare(fold_text(row.text)) for row in rows], damping)


def _kept(labels: Sequence[str], categories: Sequence[str]) -> Floats:
    """How much of each category's old score stays, (categories,), by the rows there are of it."""
    rows = np.array([labels.count(category) for category in categories])
    return np.asarray(np.maximum(_KEPT, 1 - (1 - _KEPT) * rows / _ENOUGH), dtype=np.float64)


def _importance(design: Any, used: NDArray[np.int64]) -> Floats:
    """Inverse document frequency of the used features."""
    frequency = np.asarray((design > 0).sum(axis=0)).ravel()[used]
    return np.asarray(np.log(design.shape[0] / (frequency + 1.0)).clip(0), dtype=np.float64)


def _draw(text: str) -> float:
    """A number in [0, 1) that a text keeps: whether it guards."""
    return crc32(f"guard {text}".encode("utf-8", "replace")) / 2**32
