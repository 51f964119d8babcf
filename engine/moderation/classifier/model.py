"""Prepared texts in → how likely each category is, and which characters say so.

A linear model over hashed features, one against the rest, in numpy alone. It ships as `model.npz`
with `model.json` beside it, which tells what it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.moderation.classifier.features import BITS, features, located
from engine.moderation.finding import NORMAL

FORMAT = 1
"""Raised whenever features or file change, so that an older model is refused and not misread."""
SHIPPED = Path(__file__).with_name("model.npz")
_BATCH = 512  # texts hashed at a time: a few megabytes of arrays

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Classifier:
    """A trained model.

    Attributes:
        categories: What it tells apart, `normal` included.
        rows: int32 (2^BITS,), the row of `weights` for each bucket; row 0 for those never seen.
        weights: float32 (rows, categories), what a feature adds to each score; row 0 is zero.
        bias: float32 (categories,).
        slope: float32 (categories,) and `shift`: Platt's scaling of the scores (Platt, 1999).
        damping: Added to the number of features before the square root: few features say less.
        manifest: What it was made of and how good it was.
    """

    categories: tuple[str, ...]
    rows: NDArray[np.int32] = field(repr=False)
    weights: Floats = field(repr=False)
    bias: Floats = field(repr=False)
    slope: Floats = field(repr=False)
    shift: Floats = field(repr=False)
    damping: float = 0.0
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def _normal(self) -> int:
        return self.categories.index(NORMAL)

    def scores(self, prepared: Sequence[str]) -> Floats:
        """Scores before calibration: float32 (n, categories)."""
        if 0 < len(prepared) <= _BATCH:
            return self._scores(prepared)
        parts = [
            self._scores(prepared[start : start + _BATCH])
            for start in range(0, len(prepared), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, len(self.categories)), np.float32)

    def chances(self, prepared: Sequence[str]) -> Floats:
        """Calibrated probability of each category by itself: float32 (n, categories), 0 to 1.

        They needn't sum to 1: a text unlike anything learned is hardly likely to be anything.
        """
        return np.asarray(1 / (1 + np.exp(-(self.scores(prepared) * self.slope + self.shift))))

    def probabilities(self, prepared: Sequence[str]) -> Floats:
        """The same scaled to sum to 1 for each text, where a text has to be something."""
        chances = self.chances(prepared)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True), dtype=np.float32)

    def pieces(self, prepared: str, category: str) -> tuple[tuple[int, int], ...]:
        """Which characters of a prepared text speak for a category, against `normal`.

        Returns:
            Spans of the prepared text, best first, three at most.
        """
        buckets, firsts, ends = located(prepared)
        weights = self.weights.take(self.rows.take(buckets), axis=0)
        gains = weights[:, self.categories.index(category)] - weights[:, self._normal]
        gained = [0.0] * len(prepared)
        for gain, first, end in zip(gains.tolist(), firsts, ends, strict=True):
            for place in range(first, end):
                gained[place] += gain / (end - first)
        return _best_spans(gained)

    def save(self, path: Path) -> None:
        """Write the model and its manifest, each whole."""
        buckets = np.flatnonzero(self.rows).astype(np.int32)
        arrays = {
            "buckets": buckets,
            "weights": self.weights[self.rows[buckets]].astype(np.float16),
            "bias": self.bias,
            "slope": self.slope,
            "shift": self.shift,
        }
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        manifest = self.manifest | {
            "format": FORMAT,
            "bits": BITS,
            "categories": list(self.categories),
            "damping": self.damping,
        }
        notes = path.with_suffix(".json.partial")
        notes.write_text(
            json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        partial.replace(path)
        notes.replace(path.with_suffix(".json"))

    @staticmethod
    def load(path: Path = SHIPPED) -> Classifier:
        """Read a model.

        Raises:
            ModelError: it is missing, damaged, or made by another version.
        """
        try:
            manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            if (manifest["format"], manifest["bits"]) != (FORMAT, BITS):
                raise ModelError(
                    f"The model {path} was made by another version of Qunce "
                    f"(format {manifest['format']}, needed {FORMAT}). Make it anew: qunce train."
                )
            whole = BytesIO(path.read_bytes())  # numpy leaves a damaged file open
            with np.load(whole, allow_pickle=False) as data:
                return _assembled(manifest, {name: data[name] for name in data.files})
        except (OSError, KeyError, ValueError, TypeError, BadZipFile) as error:
            raise ModelError(
                f"The model {path} can't be read ({error}). Make one with qunce train, or leave "
                "--model out to use the bundled one."
            ) from error

    def _scores(self, prepared: Sequence[str]) -> Floats:
        found = features(prepared)
        gathered = self.weights.take(self.rows.take(found.buckets), axis=0)
        if len(prepared) == 1:
            sums = gathered.sum(axis=0, keepdims=True)
        else:
            sums = np.add.reduceat(gathered, found.starts, axis=0)
        norms = np.sqrt(found.counts + self.damping).astype(np.float32)
        return np.asarray(sums / norms[:, None] + self.bias, dtype=np.float32)


@cache
def shipped() -> Classifier:
    """The bundled model, read once."""
    return Classifier.load()


def assemble(
    categories: Sequence[str],
    buckets: NDArray[np.int64],
    weights: Floats,
    bias: Floats,
    *,
    damping: float,
    manifest: dict[str, Any] | None = None,
) -> Classifier:
    """A model from trained weights, one row for each bucket; without calibration yet."""
    size = len(categories)
    rows = np.zeros(1 << BITS, dtype=np.int32)
    rows[buckets] = np.arange(1, len(buckets) + 1, dtype=np.int32)
    padded = np.vstack([np.zeros((1, size), np.float32), weights.astype(np.float32)])
    return Classifier(
        tuple(categories),
        rows,
        padded,
        np.asarray(bias, dtype=np.float32),
        np.ones(size, np.float32),
        np.zeros(size, np.float32),
        damping,
        manifest or {},
    )


def _assembled(manifest: dict[str, Any], data: dict[str, NDArray[Any]]) -> Classifier:
    plain = assemble(
        manifest["categories"],
        data["buckets"],
        data["weights"],
        data["bias"],
        damping=float(manifest["damping"]),
        manifest=manifest,
    )
    return Classifier(
        plain.categories,
        plain.rows,
        plain.weights,
        plain.bias,
        data["slope"].astype(np.float32),
        data["shift"].astype(np.float32),
        plain.damping,
        manifest,
    )


def _best_spans(gained: Sequence[float], most: int = 3) -> tuple[tuple[int, int], ...]:
    """The runs of characters that gain half as much as the best one at least, `most` of them."""
    least = max(gained, default=0.0) / 2
    runs: list[tuple[float, int, int]] = []
    total, start = 0.0, 0
    for place, gain in enumerate([*gained, 0.0]):
        if gain >= least > 0:
            start, total = (start, total) if total else (place, 0.0)
            total += gain
        elif total:
            runs.append((-total, start, place))
            total = 0.0
    return tuple((start, end) for _, start, end in sorted(runs)[:most])
