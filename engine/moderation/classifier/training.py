"""Labelled texts in → a calibrated classifier (extra `train`: scikit-learn).

One-against-the-rest logistic regression over features weighted by a power of their inverse
document frequency, with disguised copies of our own lines, then Platt's scaling on lines held out.
The same rows and options give the same model.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from engine.errors import InputError, ModelError
from engine.moderation.classifier.augment import disguised
from engine.moderation.classifier.corpus import Labelled
from engine.moderation.classifier.features import BITS, HEARD, features, prepare
from engine.moderation.classifier.meaning import NEEDS_SKLEARN
from engine.moderation.classifier.model import Classifier, assemble
from engine.moderation.finding import NORMAL
from engine.text import fold_text

_BATCH = 512
_FEWEST = 20  # rows that training needs, and two labels among them

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to train; the defaults were chosen on the development halves (eval/bench)."""

    cost: float = 45.0
    """Inverse strength of the L2 penalty."""
    damping: float = 30.0
    """Added to a text's number of features before the square root."""
    power: float = 1.5
    """The exponent of the inverse document frequency."""
    heard: float = 1.25
    """How much more a feature of sounds or shape may weigh than one of characters."""
    fewest: int = 2
    """Texts that a feature must occur in."""
    public_disguises: float = 1.2
    """Disguised copies for each violating row of a public set."""
    disguises: float = 1.7
    """Disguised copies for each violating line."""
    normal_disguises: float = 0.3
    """Disguised copies for each normal line."""
    held_out: float = 0.1
    """Share of our own lines kept back for calibration."""


def train(
    own: Sequence[Labelled],
    public: Sequence[Labelled] = (),
    *,
    options: Options | None = None,
    progress: Progress | None = None,
) -> Classifier:
    """A classifier of the labels that `own` holds.

    Args:
        own: Our lines, or a set's training split.
        public: More rows, of other worlds than our own lines.
        options: How to train.
        progress: Told what is being done.

    Raises:
        InputError: too few rows or labels.
        ModelError: scikit-learn is not installed.
    """
    chosen = options or Options()
    report = progress or (lambda stage, done, total: None)
    labels = [*sorted({row.label for row in own} - {NORMAL}), NORMAL]
    if len(own) < _FEWEST or len({row.label for row in own}) < 2:
        raise InputError(
            f"{len(own)} rows with {len(labels) - 1} kinds of violation are too few to train on. "
            f"Give {_FEWEST} rows at least, normal ones among them."
        )
    kept = [row for row in own if not _is_held_out(row.text, chosen.held_out)]
    held = [row for row in own if _is_held_out(row.text, chosen.held_out)]
    calibrator = _fit(kept, public, labels, chosen, report)
    slope, shift = _platt(calibrator, held, labels)
    checked = replace(calibrator, slope=slope, shift=shift)
    full = _fit(own, public, labels, chosen, report)
    notes = {
        "options": asdict(chosen),
        "held_out": {"rows": len(held), "macro_f1": round(macro_f1(checked, held), 4)},
    }
    return replace(full, slope=slope, shift=shift, manifest=notes)


def macro_f1(model: Classifier, rows: Sequence[Labelled]) -> float:
    """Macro-F1 over the labels of rows, each taken for its likeliest category; 0 to 1."""
    if not rows:
        return 0.0
    chances = model.probabilities([prepare(fold_text(row.text)) for row in rows])
    guessed = [model.categories[at] for at in chances.argmax(axis=1)]
    return f1_of([row.label for row in rows], guessed)


def f1_of(told: Sequence[str], guessed: Sequence[str]) -> float:
    """Macro-F1 of guesses over the labels that there are, one at least; 0 to 1."""
    scores = []
    for label in sorted(set(told)):
        right = sum(a == b == label for a, b in zip(told, guessed, strict=True))
        scores.append(2 * right / (told.count(label) + guessed.count(label)))
    return float(np.mean(scores))


def matrix(prepared: Sequence[str], damping: float) -> Any:
    """The features of prepared texts as a sparse float32 matrix (texts, 2^BITS)."""
    from scipy.sparse import csr_matrix, vstack

    blocks = []
    for start in range(0, len(prepared), _BATCH):
        batch = prepared[start : start + _BATCH]
        found = features(batch)
        values = np.repeat(1 / np.sqrt(found.counts + damping), found.counts).astype(np.float32)
        ends = np.append(found.starts, len(found.buckets))
        blocks.append(csr_matrix((values, found.buckets, ends), shape=(len(batch), 1 << BITS)))
    return vstack(blocks, format="csr")


def with_disguises(
    rows: Sequence[Labelled], violating: float, normal: float = 0.0
) -> list[Labelled]:
    """Disguised copies of rows, so many for each; the same for the same rows."""
    made: list[Labelled] = []
    for row in rows:
        chance = random.Random(crc32(row.text.encode("utf-8", "replace")))  # noqa: S311 - not for secrets
        rate = normal if row.label == NORMAL else violating
        copies = int(rate) + (chance.random() < rate % 1)
        texts = {disguised(row.text, chance) for _ in range(copies)} - {row.text}
        made.extend(Labelled(text, row.label, weight=row.weight) for text in sorted(texts))
    return made


def _fit(
    own: Sequence[Labelled],
    public: Sequence[Labelled],
    labels: Sequence[str],
    options: Options,
    report: Progress,
) -> Classifier:
    """Weights of all labels, uncalibrated."""
    disguises = with_disguises(own, options.disguises, options.normal_disguises)
    elsewhere = [*public, *with_disguises(public, options.public_disguises)]
    rows = [*own, *disguises, *elsewhere]
    report("Reading texts", 0, len(rows))
    design = matrix([prepare(fold_text(row.text)) for row in rows], options.damping)
    report("Reading texts", len(rows), len(rows))
    weight = np.array([row.weight for row in rows])
    importance, used = _importance(design, len(own), options)
    weights, bias = fit_one_against_rest(
        design[:, used].multiply(importance[used]).tocsr(),
        [row.label for row in rows],
        weight,
        labels,
        options.cost,
        report,
    )
    scaled = weights * importance[used][:, None]
    return assemble(labels, used, scaled, bias, damping=options.damping)


def _importance(
    design: Any, own: int, options: Options
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Each feature's power of the inverse document frequency, mean 1, and those that are used.

    Public sets are of other worlds than group chat, so what is frequent is told from our own lines;
    the rest count a twentieth.
    """
    everywhere = np.asarray((design > 0).sum(axis=0)).ravel()
    here = np.asarray((design[:own] > 0).sum(axis=0)).ravel()
    frequency = here + (everywhere - here) / 20
    size = own + (design.shape[0] - own) / 20
    power = np.log(size / (frequency + 1.0)).clip(0) ** options.power
    power /= power[everywhere > 0].mean()
    power[HEARD:] *= options.heard
    return power.astype(np.float32), np.flatnonzero(everywhere >= options.fewest)


def fit_one_against_rest(
    design: Any,
    labels: Sequence[str],
    weight: NDArray[np.float64],
    categories: Sequence[str],
    cost: float,
    report: Progress,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights float32 (features, categories) and bias float32 (categories,)."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise ModelError(NEEDS_SKLEARN) from error
    told = np.array(labels)
    weights, bias = [], []
    for done, category in enumerate(categories):
        report("Fitting categories", done, len(categories))
        model = LogisticRegression(  # with few features a text the dual is solved quicker
            C=cost, solver="liblinear", dual=True, max_iter=300, random_state=0
        )
        model.fit(design, told == category, sample_weight=weight)
        weights.append(model.coef_[0])
        bias.append(model.intercept_[0])
    report("Fitting categories", len(categories), len(categories))
    return np.array(weights, dtype=np.float32).T, np.array(bias, dtype=np.float32)


def _platt(
    model: Classifier, held: Sequence[Labelled], labels: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Slope and shift of each category's score, from rows that the model has not seen."""
    from sklearn.linear_model import LogisticRegression

    slope, shift = np.ones(len(labels), np.float32), np.zeros(len(labels), np.float32)
    if not held:
        return slope, shift
    scores = model.scores([prepare(fold_text(row.text)) for row in held])
    for at, label in enumerate(labels):
        told = np.array([row.label == label for row in held])
        if 5 <= told.sum() <= len(told) - 5:
            line = LogisticRegression(C=1e3).fit(scores[:, at : at + 1], told)
            slope[at], shift[at] = line.coef_[0, 0], line.intercept_[0]
    return slope, shift


def _is_held_out(text: str, share: float) -> bool:
    return crc32(b"held out" + text.encode("utf-8", "replace")) < share * 2**32
