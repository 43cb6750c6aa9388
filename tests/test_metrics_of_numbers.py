"""Metrics of regression are what their plain definitions say, on any rows."""

from __future__ import annotations

import math
import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.predictions import regression, value

near = pytest.approx
# Multiples of a quarter, few enough that many are equal: sums of these and of their squares are exact.
quarters = st.integers(-12, 12).map(lambda number: number / 4)
pairs = st.lists(st.tuples(quarters, quarters), min_size=1, max_size=20)


@given(pairs)
def test_errors_are_those_of_a_loop(rows: list[tuple[float, float]]) -> None:
    p = regression(*zip(*rows, strict=True))
    errors = [abs(t - y) for t, y in rows]
    assert value("mse", p) == near(statistics.fmean(e * e for e in errors))
    assert value("rmse", p) == near(math.sqrt(statistics.fmean(e * e for e in errors)))
    assert value("mae", p) == near(statistics.fmean(errors))
    assert value("median_ae", p) == statistics.median(errors)
    assert value("max_error", p) == max(errors)
    assert value("mape", p) == near(statistics.fmean(abs(t - y) / max(abs(t), 2.0**-52) for t, y in rows))


@given(pairs, st.floats(0.01, 0.99))
def test_pinball_weighs_both_sides_of_the_truth(rows: list[tuple[float, float]], q: float) -> None:
    p = regression(*zip(*rows, strict=True))
    assert value("pinball", p, q=q) == near(statistics.fmean(max(q * (t - y), (q - 1) * (t - y)) for t, y in rows))
    assert value("pinball", p) == near(value("mae", p) / 2)


@given(pairs)
def test_explained_parts_of_the_variance_are_those_of_a_loop(rows: list[tuple[float, float]]) -> None:
    truth, errors = [t for t, _ in rows], [t - y for t, y in rows]
    p = regression(*zip(*rows, strict=True))
    whole = statistics.pvariance(truth)
    squared = statistics.fmean(e * e for e in errors)
    for name, left in (("r2", squared), ("explained_variance", statistics.pvariance(errors))):
        expected = 1 - left / whole if whole else float(left == 0)
        if name == "r2" and len(rows) == 1:
            expected = math.nan
        assert value(name, p) == near(expected, nan_ok=True, abs=1e-12)


@given(pairs)
def test_pearson_is_the_correlation(rows: list[tuple[float, float]]) -> None:
    truth, said = zip(*rows, strict=True)
    varied = len(set(truth)) > 1 and len(set(said)) > 1
    expected = statistics.correlation(truth, said) if varied else math.nan
    assert value("pearson", regression(truth, said)) == near(expected, nan_ok=True, abs=1e-12)


@given(st.lists(st.tuples(quarters, st.integers(0, 3)), min_size=1, max_size=20))
def test_the_weighted_median_is_that_of_repeated_rows(rows: list[tuple[float, int]]) -> None:
    repeated = [abs(e) for e, times in rows for _ in range(times)]
    expected = statistics.median(repeated) if repeated else math.nan
    for unit in (1, 0.1, 10.1):
        p = regression([0] * len(rows), [e for e, _ in rows], weight=[times * unit for _, times in rows])
        assert value("median_ae", p) == near(expected, nan_ok=True)


def test_the_weighted_median_is_where_half_of_the_weight_is_reached() -> None:
    assert value("median_ae", regression([0, 0, 0], [1, 2, 3], weight=[0.2, 0.3, 0.6])) == 3.0
    assert value("median_ae", regression([0, 0, 0], [3, 1, 2], weight=[1, 1, 2])) == 2.0
    assert value("median_ae", regression([0, 0, 0], [3, 1, 2], weight=[2, 2, 0])) == 2.0


def test_a_target_that_does_not_vary_has_an_r2_of_zero_or_one() -> None:
    tenths = [0.1] * 3  # the mean of these is not 0.1
    assert value("r2", regression(tenths, tenths)) == 1.0
    assert value("r2", regression(tenths, [0.1, 0.1, 0.2])) == 0.0
    assert value("r2", regression(tenths, [0.1, 0.1, math.nan])) == 0.0


@pytest.mark.parametrize("weight", [None, [0.3, 0.7, 1.1], [0.3, 0.7, 0.0]])
def test_rounding_is_no_variance(weight: Any) -> None:
    last = 5.0 if weight and not weight[-1] else 0.1  # what does not count may vary
    truth, shifted = [0.1, 0.1, last], [0.3, 0.3, last + 0.2]
    assert value("r2", regression(truth, shifted, weight)) == 0.0
    assert value("explained_variance", regression([0.1] * 3, [0.3] * 3, weight)) == 1.0
    assert value("explained_variance", regression([0.1] * 3, [0.3, 0.4, 0.5], weight)) == 0.0
    assert math.isnan(value("pearson", regression(truth, [1, 2, 3], weight)))
    assert math.isnan(value("pearson", regression([1, 2, 3], truth, weight)))


def test_r2_of_several_targets_is_the_mean_of_theirs() -> None:
    assert value("r2", regression([[1, 5], [3, 5]], [[1, 5], [3, 6]])) == 0.5


def test_the_mean_error_is_no_loss_of_explained_variance() -> None:
    p = regression([1, 2, 4], [2, 3, 5])
    assert value("explained_variance", p) == 1.0
    assert value("r2", p) < 1


@pytest.mark.parametrize("scale", [1e-200, 1e-3, 1e200])
@pytest.mark.parametrize("shift", [0.0, 1e3])
def test_pearson_knows_no_units(scale: float, shift: float) -> None:
    truth = np.array([1.0, 2, 4, 3])
    p = regression(truth, scale * (np.array([2.0, 3, 5, 5]) + shift))
    assert value("pearson", p) == near(statistics.correlation([1, 2, 4, 3], [2, 3, 5, 5]), rel=1e-12)


def test_pearson_of_a_line_is_not_beyond_one() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        truth = rng.normal(size=7)
        assert 1 - 1e-14 < value("pearson", regression(truth, 0.1 + 0.3 * truth)) <= 1
        assert -1 <= value("pearson", regression(truth, 0.1 - 0.3 * truth)) < -1 + 1e-14


@pytest.mark.parametrize("name", ["mse", "rmse", "mae", "max_error", "mape", "r2", "explained_variance", "pinball"])
@pytest.mark.parametrize("lost", [math.inf, -math.inf, math.nan, 1e200])
def test_lost_predictions_have_an_error_and_no_warning(name: str, lost: float) -> None:
    score = value(name, regression([1, 2, 3], [1, lost, 3]))
    assert not math.isfinite(score) or abs(score) > 1e190


def test_the_largest_error_is_not_that_of_a_row_of_weight_zero() -> None:
    truth, predicted, weight = np.array([1.0, 2, 3]), np.array([9.0, 2.5, 3]), np.array([0.0, 0.1, 2])
    p = regression(truth, predicted, weight=weight)
    assert value("max_error", p) == 0.5
