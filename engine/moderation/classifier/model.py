"""Prepared texts in → how likely each category is, and which characters say so.

A linear model over hashed features, one against the rest, in numpy alone. It ships as `model.npz`
with `model.json` beside it, which tells what it was made of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from io import BytesIO
from itertools import accumulate, pairwise
from math import sqrt, tanh
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from engine.errors import ModelError
from engine.moderation.classifier.features import BITS, FEW, features, grams, grams_of
from engine.moderation.classifier.meaning import Meaning
from engine.moderation.finding import NORMAL

FORMAT = 2
"""Raised whenever features or file change, so that an older model is refused and not misread."""
SHIPPED = Path(__file__).with_name("model.npz")
_BATCH = 512  # texts hashed at a time: a few megabytes of arrays

Floats = NDArray[np.float32]
Spans = tuple[tuple[int, int], ...]


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
        meaning: What tells the same categories by vectors of an encoder; None: nothing does.
    """

    categories: tuple[str, ...]
    rows: NDArray[np.int32] = field(repr=False)
    weights: Floats = field(repr=False)
    bias: Floats = field(repr=False)
    slope: Floats = field(repr=False)
    shift: Floats = field(repr=False)
    damping: float = 0.0
    manifest: dict[str, Any] = field(default_factory=dict, repr=False)
    meaning: Meaning | None = None

    @property
    def learned(self) -> bool:
        """Whether it learned what somebody's labelled messages mean, and not our corpus alone."""
        return any(note.get("meaning") for note in self.manifest.get("learned", ()))

    @property
    def _normal(self) -> int:
        return self.categories.index(NORMAL)

    def scores(self, prepared: Sequence[str], cut: Sequence[Sequence[str]] | None = None) -> Floats:
        """Scores before calibration: float32 (n, categories).

        Args:
            prepared: Texts as `engine.moderation.classifier.features.prepare` returns them.
            cut: The words of each, where they are known already.
        """
        parts = [
            sums / np.sqrt(counts + self.damping)[:, None] + self.bias
            for sums, counts in self._sums(prepared, cut)
        ]
        empty = np.empty((0, len(self.categories)))
        return np.concatenate(parts or [empty], dtype=np.float32, casting="same_kind")

    def chances(
        self, prepared: Sequence[str], cut: Sequence[Sequence[str]] | None = None
    ) -> list[list[float]]:
        """Calibrated probability of each category by itself, a row for each text, 0 to 1.

        They needn't sum to 1: a text unlike anything learned is hardly likely to be anything.
        Arguments as for `scores`.
        """
        chances: list[list[float]] = []
        for sums, counts in self._sums(prepared, cut):
            chances += self._calibrated(sums, counts)
        return chances

    def probabilities(self, prepared: Sequence[str]) -> Floats:
        """The same scaled to sum to 1 for each text, where a text has to be something."""
        chances = np.array(self.chances(prepared)).reshape(-1, len(self.categories))
        return np.asarray(chances / chances.sum(axis=1, keepdims=True), dtype=np.float32)

    def pieces(self, prepared: Sequence[str], categories: Sequence[str]) -> list[Spans]:
        """Which characters of each prepared text speak for its category, against `normal`.

        Args:
            prepared: Texts, none to many.
            categories: The category of each.

        Returns:
            For each text spans of it, best first, three at most.
        """
        if sum(map(len, prepared)) <= FEW:
            return [
                _best_spans(self._gained_in(text, name))
                for text, name in zip(prepared, categories, strict=True)
            ]
        gained = self._gained(prepared, categories).tolist()
        edges = accumulate([len(text) + 2 for text in prepared], initial=0)
        return [_best_spans(gained[start + 1 : end - 1]) for start, end in pairwise(edges)]

    def _gained(self, prepared: Sequence[str], categories: Sequence[str]) -> NDArray[np.float64]:
        """What each character of the texts, framed and laid end to end, says for the category.

        An n-gram's weight is shared by the characters it covers.
        """
        found = grams(prepared)
        columns = np.array([self.categories.index(name) for name in categories])
        rows = self.rows.take(found.buckets)
        gains = self.weights[rows, columns[found.texts]] - self.weights[rows, self._normal]
        shares = np.repeat(gains / np.maximum(found.sizes, 1), found.sizes)
        before = np.cumsum(found.sizes) - found.sizes
        places = np.arange(len(shares)) + np.repeat(found.firsts - before, found.sizes)
        size = sum(map(len, prepared)) + 2 * len(prepared)
        return np.asarray(np.bincount(places, shares, size), dtype=np.float64)

    def _gained_in(self, prepared: str, category: str) -> list[float]:
        """The same for one short text, without its frame."""
        size = len(prepared)
        if not size:
            return []
        buckets, heard = grams_of(prepared)
        weights = self.weights.take(self.rows.take(buckets), axis=0)
        column = weights[:, self.categories.index(category)]
        gains = iter((column - weights[:, self._normal]).tolist())
        gained = [0.0] * (size + 2)
        for place in (*range(size + 2), *heard):
            gained[place] += next(gains)
        for inside in (range(1, size + 1), heard[1:-1]):
            for first, last in pairwise((1, *inside, size)):  # the frame takes no share
                share = next(gains) / (last - first + 1)
                for place in range(first, last + 1):
                    gained[place] += share
        return gained[1:-1]

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
        if self.meaning:
            meaning = self.meaning
            arrays |= {"mean": meaning.mean, "layer": meaning.layer, "meant": meaning.weights}
        partial = path.with_name(path.name + ".partial")
        with partial.open("wb") as file:
            # Not compressed: a fifth larger (11 MB), and read in 10 ms instead of 50.
            np.savez(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        known = {key: x for key, x in self.manifest.items() if key not in ("encoder", "share")}
        manifest = known | {
            "format": FORMAT,
            "bits": BITS,
            "categories": list(self.categories),
            "damping": self.damping,
        }
        if self.meaning:
            manifest |= {"encoder": self.meaning.encoder, "share": self.meaning.share}
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

    def _sums(
        self, prepared: Sequence[str], cut: Sequence[Sequence[str]] | None
    ) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        """The weights of each text's features added up, and how many it has, batch by batch."""
        for start in range(0, len(prepared), _BATCH):
            end = start + _BATCH
            found = features(prepared[start:end], cut and cut[start:end])
            weights = self.weights.take(self.rows.take(found.buckets), axis=0)
            yield np.add.reduceat(weights, found.starts, axis=0), found.counts

    def _calibrated(self, sums: Floats, counts: NDArray[np.int64]) -> list[list[float]]:
        """A chance for each sum of weights, by the number of features of the text.

        The logistic function is (1 + tanh(x / 2)) / 2, which never overflows. One text takes 2 µs
        in Python, with numpy's calls 5 and more.
        """
        slopes, shifts = self._halves
        if len(sums) > 1:
            norms = np.sqrt(counts + self.damping)[:, None]
            chances: list[list[float]] = (
                0.5 + 0.5 * np.tanh(sums * slopes / norms + shifts)
            ).tolist()
            return chances
        norm = sqrt(int(counts[0]) + self.damping)
        totals = zip(sums[0].tolist(), slopes, shifts, strict=True)
        return [[0.5 + 0.5 * tanh(total * slope / norm + shift) for total, slope, shift in totals]]

    @cached_property
    def _halves(self) -> tuple[list[float], list[float]]:
        """Half of the slope of each category, and of its shift with the bias in it."""
        shifts = self.bias * self.slope + self.shift
        return (self.slope / 2).tolist(), (shifts / 2).tolist()


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
    padded = np.empty((len(buckets) + 1, size), dtype=np.float32)
    padded[0], padded[1:] = 0, weights
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
        _meaning(manifest, data),
    )


def _meaning(manifest: dict[str, Any], data: dict[str, NDArray[Any]]) -> Meaning | None:
    """What a file holds of meaning; None: nothing."""
    if not (encoder := manifest.get("encoder")):
        return None
    mean, layer, weights = (data[name].astype(np.float32) for name in ("mean", "layer", "meant"))
    rows, units = layer.shape
    if rows != len(mean) + 1 or weights.shape != (units + rows, len(manifest["categories"])):
        raise ValueError(f"its weights of meaning have the shapes {layer.shape}, {weights.shape}")
    return Meaning(encoder, mean, layer, weights, float(manifest["share"]))


def _best_spans(gained: Sequence[float], most: int = 3) -> Spans:
    """The runs of characters that gain half as much as the best one at least, `most` of them."""
    least = max(gained, default=0.0) / 2
    if least <= 0:
        return ()
    runs: list[tuple[float, int, int]] = []  # what it gains, negative; where it starts and ends
    for place in [place for place, gain in enumerate(gained) if gain >= least]:
        total, start, end = runs.pop() if runs and runs[-1][2] == place else (0.0, place, place)
        runs.append((total - gained[place], start, end + 1))
    return tuple((start, end) for _, start, end in sorted(runs)[:most])
