"""Average linkage: what is alike in the mean comes together, until nothing is alike enough."""

from __future__ import annotations

import numpy as np
import pytest

from engine.drafting.review.linkage import link

ALIKE = np.array([[1, 0.9, 0.4, 0], [0.9, 1, 0.2, 0], [0.4, 0.2, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("weights", "least", "groups"),
    [
        pytest.param([1, 1, 1, 1], 0.95, 4, id="none alike enough"),
        pytest.param([1, 1, 1, 1], 0.5, 3, id="a pair"),
        pytest.param([1, 1, 1, 1], 0.29, 2, id="the third by the mean of 0.3"),
        pytest.param([1, 1, 1, 1], 0.31, 3, id="not by its best of 0.4"),
        pytest.param([9, 1, 1, 1], 0.35, 2, id="the heavier counts more"),
    ],
)
def test_groups(weights: list[float], least: float, groups: int) -> None:
    assert len(set(link(ALIKE, weights, least))) == groups


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_to_put_together(size: int) -> None:
    assert link(np.ones((size, size)), [1.0] * size, 0.1) == list(range(size))
