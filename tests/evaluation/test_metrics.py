"""Metrics against values worked out by hand or given in the literature."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.metrics import mean, ndcg, proportion, reciprocal_rank


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none"),
        pytest.param(10, 10, 0.7225, 1.0, id="all"),
        pytest.param(15, 148, 0.0624, 0.1605, id="newcombe-1998-table-1"),
    ],
)
def test_wilson_interval(successes: int, n: int, low: float, high: float) -> None:
    estimate = proportion(successes, n)
    assert estimate.value == successes / n
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=5e-4)


def test_nothing_scored_is_not_zero() -> None:
    assert math.isnan(proportion(0, 0).value)
    assert math.isnan(mean([]).value)


@pytest.mark.parametrize(
    ("relevant", "depth", "expected"),
    [
        ([True, False], 10, 1.0),
        ([False, False, True], 10, 1 / 3),
        ([False, True], 1, 0.0),
        ([], 10, 0.0),
    ],
)
def test_reciprocal_rank(relevant: list[bool], depth: int, expected: float) -> None:
    assert reciprocal_rank(relevant, depth) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("relevant", "total", "expected"),
    [
        pytest.param([True, True], 2, 1.0, id="perfect"),
        pytest.param([False, True], 1, 1 / math.log2(3), id="second"),
        pytest.param([True, False, True], 2, 1.5 / (1 + 1 / math.log2(3)), id="first-and-third"),
        pytest.param([False, False], 3, 0.0, id="missed"),
        pytest.param([False], 0, 0.0, id="nothing-to-find"),
    ],
)
def test_ndcg(relevant: list[bool], total: int, expected: float) -> None:
    assert ndcg(relevant, total) == pytest.approx(expected)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_mean_lies_in_its_interval_and_is_repeatable(values: list[float]) -> None:
    estimate = mean(values)
    assert estimate == mean(values)
    assert min(values) - 1e-9 <= estimate.value <= max(values) + 1e-9
    assert min(values) - 1e-9 <= estimate.low <= estimate.high <= max(values) + 1e-9
