"""Ranks of the first right answers in → hit rates, MRR and nDCG with confidence intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z95 = 1.959963984540054
_RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over cases with its 95% confidence interval."""

    value: float
    low: float
    high: float


def proportion(successes: int, n: int) -> Estimate:
    """Share of successes with Wilson's score interval (Wilson 1927)."""
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    share = successes / n
    spread = 1 + _Z95**2 / n
    centre = (share + _Z95**2 / (2 * n)) / spread
    half = _Z95 * math.sqrt(share * (1 - share) / n + _Z95**2 / (4 * n**2)) / spread
    return Estimate(share, max(0.0, centre - half), min(1.0, centre + half))


def mean(values: Sequence[float], seed: int = 0) -> Estimate:
    """Mean with a percentile bootstrap interval (Efron 1979), 1,000 resamples, fixed seed."""
    import numpy as np

    if not values:
        return Estimate(math.nan, math.nan, math.nan)
    data = np.asarray(values, dtype=np.float64)
    picks = np.random.default_rng(seed).integers(0, len(data), (_RESAMPLES, len(data)))
    low, high = np.percentile(data[picks].mean(axis=1), [2.5, 97.5])
    return Estimate(float(data.mean()), float(low), float(high))


def reciprocal_rank(relevant: Sequence[bool], depth: int = 10) -> float:
    """1 / rank of the first relevant result within `depth`, 0 when there is none (MRR@depth)."""
    for rank, hit in enumerate(relevant[:depth], start=1):
        if hit:
            return 1 / rank
    return 0.0


def ndcg(relevant: Sequence[bool], total: int, depth: int = 10) -> float:
    """Normalised discounted cumulative gain at `depth`, binary gains (Järvelin & Kekäläinen 2002).

    Args:
        relevant: for each result in order, whether it is relevant.
        total: how many relevant items the collection holds.
        depth: how many results count.
    """
    gain = sum(1 / math.log2(rank + 1) for rank, hit in enumerate(relevant[:depth], 1) if hit)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(total, depth) + 1))
    return gain / best if best else 0.0
