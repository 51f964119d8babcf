"""How alike items are, two by two → groups, by average linkage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def link(similarities: Matrix, weights: Sequence[float], least: float) -> list[int]:
    """Put the two most alike together until none are alike enough.

    Args:
        similarities: float64 (n, n), symmetric, none below 0.
        weights: What each item counts in the mean of its group, (n,).
        least: The mean similarity from which two groups are put together; above 0.

    Returns:
        For each item the place of one item of its group, the same for the whole group.
    """
    size = len(weights)
    labels, weight = np.arange(size), np.array(weights, dtype=float)
    sums = similarities * np.outer(weight, weight)  # so that sums add up when two are joined
    current = similarities.copy()
    np.fill_diagonal(current, -1)
    while size > 1:
        a, b = divmod(int(current.argmax()), size)
        if current[a, b] < least:
            break
        sums[a] += sums[b]
        sums[:, a] += sums[:, b]
        weight[a] += weight[b]
        labels[labels == b] = a
        current[b] = current[:, b] = -1
        row = np.where(current[a] < 0, -1, sums[a] / (weight[a] * weight))
        current[a] = current[:, a] = row
    return [int(label) for label in labels]
