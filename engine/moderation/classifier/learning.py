"""A model and a group's labelled messages in → a model that knows them, and what it cost.

The old model's scores are features of the new one beside the text's own, so a few messages move
its judgement and many teach it words; lines of our corpus are replayed beside them, so that the
rest isn't forgotten. The result is one linear model again. Lines kept aside guard it: a change that
makes it worse on them is refused.
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
from engine.moderation.classifier.model import Classifier, assemble
from engine.moderation.classifier.training import Progress, fit_one_against_rest, macro_f1, matrix
from engine.text import fold_text

TOLERANCE = 0.02
"""How much macro-F1 on the guard set may fall."""

_REPLAYED = 4000  # lines of our corpus that are learned again
_WEIGHT = 10.0  # the most that a row of feedback weighs
_GUARDS = 0.1  # share of our corpus that guards
_COST = 4.0
_SCORES = 0.6  # what the old scores weigh beside the text's own features


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning."""

    classifier: Classifier
    rows: int
    """Labelled messages that were learned."""
    guards: int
    """Lines that guarded the change."""
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
    progress: Progress | None = None,
) -> Learned:
    """Adapt a model to labelled messages.

    Args:
        base: The model so far.
        feedback: A group's messages with what they are.
        own: Our corpus, for replay and guard.
        tolerance: How much macro-F1 on the guard set may fall, 0 to 1.
        progress: Told what is being done.

    Raises:
        InputError: no feedback, or a label that the model doesn't know.
        ModelError: the change harms the guard set, or scikit-learn is not installed.
    """
    began = time.perf_counter()
    report = progress or (lambda stage, done, total: None)
    _refuse_unusable(feedback, base.categories)
    guard = [row for row in own if _draw(row.text, "guard") < _GUARDS]
    pool = [row for row in own if _draw(row.text, "guard") >= _GUARDS]
    replayed = sorted(pool, key=lambda row: _draw(row.text, "replay"))[:_REPLAYED]
    adapted = _fit(base, feedback, replayed, report)
    before, after = macro_f1(base, guard), macro_f1(adapted, guard)
    if before - after > tolerance:
        raise ModelError(
            f"The feedback was not learned: macro-F1 on {len(guard)} guard lines would fall from "
            f"{before:.3f} to {after:.3f}, by more than {tolerance:.3f}. Look for wrong labels in "
            "it, or allow more with --tolerance."
        )
    seconds = time.perf_counter() - began
    notes = base.manifest | {
        "learned": [
            *base.manifest.get("learned", []),
            {"rows": len(feedback), "guard_before": before, "guard_after": after},
        ]
    }
    return Learned(
        replace(adapted, manifest=notes), len(feedback), len(guard), before, after, seconds
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


def _fit(
    base: Classifier, feedback: Sequence[Labelled], replayed: Sequence[Labelled], report: Progress
) -> Classifier:
    """The new model: old scores and features of the text, folded into one set of weights."""
    from scipy.sparse import csr_matrix, hstack

    rows = [*feedback, *replayed]
    design = matrix([prepare(fold_text(row.text)) for row in rows], base.damping)
    known = np.flatnonzero(base.rows)
    used = np.union1d(known, np.unique(design[: len(feedback)].indices)).astype(np.int64)
    old = base.weights[base.rows[used]]  # features that the old model lacks: zeros
    importance = _importance(design, used)
    scores = design[:, used] @ old + base.bias
    inputs = hstack(
        [design[:, used].multiply(importance), csr_matrix(scores * _SCORES)], format="csr"
    )
    weights, bias = fit_one_against_rest(
        inputs, [row.label for row in rows], _weights(rows, len(feedback)), base.categories,
        _COST, report, dual=False,
    )  # fmt: skip
    own, mixing = weights[: len(used)], weights[len(used) :] * _SCORES
    return assemble(
        base.categories,
        used,
        own * importance[:, None] + old @ mixing,
        bias + base.bias @ mixing,
        damping=base.damping,
    )


def _importance(design: Any, used: NDArray[np.int64]) -> NDArray[np.float32]:
    """Inverse document frequency of the used features, mean 1."""
    frequency = np.asarray((design > 0).sum(axis=0)).ravel()[used]
    power = np.log(design.shape[0] / (frequency + 1.0)).clip(0) ** 1.5
    return np.asarray(power / max(float(power.mean()), 1e-9), dtype=np.float32)


def _weights(rows: Sequence[Labelled], fed: int) -> NDArray[np.float64]:
    """The feedback weighs as much as all that is replayed, a row ten times as much at most."""
    weights = np.ones(len(rows))
    weights[:fed] = min(_WEIGHT, max(1.0, (len(rows) - fed) / fed))
    return weights


def _draw(text: str, purpose: str) -> float:
    """A number in [0, 1) that a text keeps for a purpose."""
    return crc32(f"{purpose} {text}".encode("utf-8", "replace")) / 2**32
