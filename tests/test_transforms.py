"""Scalers and imputers: exact statistics, no warning on any column, numbers that scikit-learn gives too."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.transforms import DateEncoder, Encoder, Imputer, Scaler
from nnctl.transforms.constant import Constant
from nnctl.transforms.divide import Divide
from nnctl.transforms.log1p import Log1p
from nnctl.transforms.max_abs import MaxAbs
from nnctl.transforms.min_max import MinMax
from nnctl.transforms.quantile_normal import QuantileNormal
from nnctl.transforms.robust import Robust
from nnctl.transforms.sample import Sample
from nnctl.transforms.standardize import Standardize
from nnctl.transforms.yeo_johnson import YeoJohnson

SCALERS = [cls(**example) for cls in registry.classes("transforms", Scaler) for example in cls.examples]
# Sums, products and quotients lose no more than the last digits; the others have a test of their own.
LINEAR = [each for each in SCALERS if not isinstance(each, Log1p | QuantileNormal | YeoJohnson)]
CENTRED = [Standardize(), MinMax(), Robust()]
IMPUTERS = [cls(**example) for cls in registry.classes("transforms", Imputer) for example in cls.examples]

# Cells of a table whose matrix is float32.
numbers = st.floats(-1e38, 1e38)
columns = st.lists(numbers, min_size=1, max_size=40).map(np.array)


def through_json(state: object) -> object:
    return json.loads(json.dumps(state, allow_nan=False))


def test_every_transform_plays_one_role() -> None:
    roles = [len(registry.classes("transforms", role)) for role in (Scaler, Imputer, Encoder, DateEncoder)]
    assert sum(roles) == len(registry.classes("transforms"))


@pytest.mark.parametrize("scaler", LINEAR, ids=repr)
@given(x=columns)
def test_inverting_gives_the_values_back(scaler: Scaler, x: np.ndarray) -> None:
    state = scaler.fit(Sample.of(x))
    assert through_json(state) == state
    scaled = scaler.apply(x, state)
    assert scaled.dtype == np.float64
    np.testing.assert_allclose(scaler.invert(scaled, state), x, rtol=1e-12, atol=1e-14 * np.abs(x).max() + 1e-300)


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_missing_cells_stay_missing_and_the_input_is_left_alone(scaler: Scaler) -> None:
    for fitted in ([1.0, 2.0, 4.0], [3.0, 3.0]):
        x = np.array([1.0, math.nan, 4.0])
        scaled = scaler.apply(x, scaler.fit(Sample.of(np.array(fitted))))
        np.testing.assert_array_equal(np.isnan(scaled), [False, True, False])
        np.testing.assert_array_equal(x, [1.0, math.nan, 4.0])


@pytest.mark.parametrize("scaler", CENTRED, ids=repr)
@given(cell=numbers, rows=st.integers(1, 9))
def test_a_constant_column_becomes_zero(scaler: Scaler, cell: float, rows: int) -> None:
    x = np.full(rows, cell)
    state = scaler.fit(Sample.of(x))
    assert scaler.apply(np.append(x, 5.0), state).tolist() == [0.0] * (rows + 1)
    assert scaler.invert(np.array([0.0, 1.0]), state).tolist() == [cell, cell]


@given(x=st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=20).map(np.array))
def test_mean_and_deviation_are_exact(x: np.ndarray) -> None:
    exact = [Fraction(cell) for cell in x.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((cell - mean) ** 2 for cell in exact) / len(exact)
    state = Standardize().fit(Sample.of(x))
    # What is left is the rounding of x - middle, which is relative to the column's largest value; below 1e-150 the
    # reference itself has no digits left when it becomes a float.
    near = max(4e-16 * np.abs(x).max(), 1e-150)
    assert state["mean"] == pytest.approx(float(mean), rel=1e-15, abs=near)
    assert state["std"] == pytest.approx(math.sqrt(variance), rel=1e-14, abs=near)


def test_a_large_offset_costs_no_digits() -> None:
    state = Standardize().fit(Sample.of(1e15 + np.array([1.0, 2.0, 3.0, 4.0])))
    assert state == {"mean": 1e15 + 2.5, "std": pytest.approx(math.sqrt(1.25), rel=1e-15)}


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_squares_neither_overflow_nor_vanish(scale: float) -> None:
    state = Standardize().fit(Sample.of(scale * np.array([1.0, 2.0, 3.0])))
    assert state["std"] == pytest.approx(scale * math.sqrt(2 / 3), rel=1e-14)


def test_standardize_agrees_with_scikit_learn() -> None:
    x = np.array([1.0, 2.0, 4.0, 9.5])
    expected = [-0.9510448211356669, -0.6467104783722535, -0.03804179284542668, 1.635797092353347]  # 1.9.1
    assert Standardize().apply(x, Standardize().fit(Sample.of(x))).tolist() == pytest.approx(expected, rel=1e-14)


@given(x=columns)
def test_min_max_puts_the_training_rows_in_zero_to_one(x: np.ndarray) -> None:
    scaled = MinMax().apply(x, MinMax().fit(Sample.of(x)))
    assert scaled.min() == 0
    assert scaled.max() == (1 if x.min() < x.max() else 0)


def test_min_max_does_not_clip_other_rows() -> None:
    assert MinMax().apply(np.array([-1.0, 5.0]), {"low": 0.0, "high": 2.0}).tolist() == [-0.5, 2.5]


def test_divide_needs_no_rows() -> None:
    assert Divide(by=4.0).apply(np.array([1.0, 8.0]), {}).tolist() == [0.25, 2.0]


@pytest.mark.parametrize("name", ["median", "mean", "most_frequent"])
def test_a_column_that_is_all_missing_is_filled_with_zero(name: str) -> None:
    imputer = registry.all("transforms", Imputer)[name]()
    assert imputer.fit(Sample.of(np.full(3, math.nan))) == 0.0
    assert imputer.fit(Sample.of(np.array([]))) == 0.0


@pytest.mark.parametrize(("name", "expected"), [("median", 3.5), ("mean", 4.75), ("most_frequent", 1.0)])
def test_missing_cells_do_not_count(name: str, expected: float) -> None:
    x = np.array([math.nan, 3.0, 11.0, math.nan, 1.0, 4.0])
    filled = registry.all("transforms", Imputer)[name]().fit(Sample.of(x))
    assert filled == expected
    assert type(filled) is float


def test_the_most_frequent_number_is_the_smallest_of_several() -> None:
    assert (
        registry.all("transforms", Imputer)["most_frequent"]().fit(Sample.of(np.array([7.0, 2, 5, math.nan, 7, 5])))
        == 5
    )


def test_a_constant_imputer_looks_at_nothing() -> None:
    assert Constant(value=-3.5).fit(Sample.of(np.full(2, math.nan))) == -3.5


@pytest.mark.parametrize("scaler", [Log1p(), QuantileNormal(), YeoJohnson()], ids=repr)
@given(x=st.lists(st.floats(-0.5, 1e6), min_size=1, max_size=40).map(np.array))
def test_inverting_a_curve_gives_the_values_back(scaler: Scaler, x: np.ndarray) -> None:
    state = scaler.fit(Sample.of(x))
    assert through_json(state) == state
    # yeo_johnson keeps seven digits of the standard deviation at least, the others nearly all.
    np.testing.assert_allclose(scaler.invert(scaler.apply(x, state), state), x, rtol=1e-8, atol=1e-8 * np.abs(x).max())


# What scikit-learn 1.9.1 gives for SKEWED.
SKEWED = np.array([-1.5, -0.2, 0.0, 0.4, 0.4, 1.1, 2.5, 7.0, 30.0])
EXPECTED = {
    "robust": [-0.76, -0.24000000000000005, -0.16, 0.0, 0.0, 0.28, 0.8400000000000001, 2.6399999999999997, 11.84],
    "max_abs": [
        -0.05,
        -0.006666666666666667,
        0.0,
        0.013333333333333334,
        0.013333333333333334,
        0.03666666666666667,
        0.08333333333333333,
        0.23333333333333334,
        1.0,
    ],
    "quantile_normal": [
        -5.199337582605575,
        -1.1503493803760079,
        -0.6744897501960817,
        -0.1573106846101707,
        -0.1573106846101707,
        0.31863936396437514,
        0.6744897501960817,
        1.1503493803760079,
        5.19933758270342,
    ],
    "yeo_johnson": [
        -1.986028161646248,
        -0.5306859223364278,
        -0.39492590980857234,
        -0.18528285342369413,
        -0.18528285342369413,
        0.07077572175238989,
        0.39878770518944373,
        0.9426836002396908,
        1.8699586734571116,
    ],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_scalers_agree_with_scikit_learn(name: str) -> None:
    scaler = registry.all("transforms", Scaler)[name]()
    scaled = scaler.apply(SKEWED, scaler.fit(Sample.of(SKEWED)))
    # Both find lambda to about 1e-8 only; the end scores differ by how scikit-learn rounds 1e-7.
    np.testing.assert_allclose(scaled, EXPECTED[name], rtol=1e-7 if name == "yeo_johnson" else 1e-9, atol=1e-12)


def test_robust_divides_by_one_where_the_quartiles_are_equal() -> None:
    x = np.array([0.0, 0, 0, 0, 8])
    assert Robust().apply(x, Robust().fit(Sample.of(x))).tolist() == [0, 0, 0, 0, 8]  # as scikit-learn


def test_max_abs_leaves_zero_where_it_is() -> None:
    x = np.array([-4.0, 0.0, 2.0])
    assert MaxAbs().apply(x, MaxAbs().fit(Sample.of(x))).tolist() == [-1, 0, 0.5]
    assert MaxAbs().apply(np.array([3.0]), MaxAbs().fit(Sample.of(np.zeros(2)))).tolist() == [3]


def test_normal_scores_are_those_of_the_ranks() -> None:
    x = np.random.default_rng(0).lognormal(size=501)
    scores = QuantileNormal().apply(x, QuantileNormal().fit(Sample.of(x)))
    ranks = np.argsort(np.argsort(x)) / 500
    exact = [NormalDist().inv_cdf(min(max(rank, 1e-7), 1 - 1e-7)) for rank in ranks.tolist()]
    np.testing.assert_allclose(scores, exact, rtol=1e-9, atol=1e-12)


def test_many_equal_numbers_share_the_middle_of_their_ranks() -> None:
    x = np.array([-1.0] + [0.0] * 60 + list(range(1, 40)))
    scores = QuantileNormal().apply(x, QuantileNormal().fit(Sample.of(x)))
    assert scores[1] == pytest.approx(NormalDist().inv_cdf((1 + 60) / 2 / 99), abs=1e-12)
    assert QuantileNormal().invert(scores[:2], QuantileNormal().fit(Sample.of(x))).tolist() == [-1, 0]


def test_equal_numbers_at_an_end_have_the_end_score() -> None:
    x = np.array([0.0, 0, 0, 1, 2, 2])  # as scikit-learn
    state = QuantileNormal().fit(Sample.of(x))
    scores = QuantileNormal().apply(x, state)
    np.testing.assert_allclose(scores[[0, 1, 2, 4, 5]], 5.199337582187471 * np.array([-1, -1, -1, 1, 1]), rtol=1e-9)
    assert QuantileNormal().invert(scores, state).tolist() == pytest.approx(x.tolist(), rel=1e-13)


def test_quantiles_are_bounded_in_number() -> None:
    x = np.random.default_rng(0).normal(size=5000)
    assert len(QuantileNormal().fit(Sample.of(x))["quantiles"]) == 1000
    assert len(QuantileNormal(quantiles=7).fit(Sample.of(x))["quantiles"]) == 7
    assert len(QuantileNormal().fit(Sample.of(x[:30]))["quantiles"]) == 30


def test_no_score_leads_out_of_the_training_rows() -> None:
    x = np.array([1.0, 2.0, 5.0])
    state = QuantileNormal().fit(Sample.of(x))
    assert QuantileNormal().apply(np.array([-9.0, 9.0]), state).tolist() == pytest.approx([-5.199337, 5.199337])
    assert QuantileNormal().invert(np.array([-99.0, -6.0, 6.0, math.inf]), state).tolist() == [1, 1, 5, 5]


@pytest.mark.parametrize(("made", "power"), [(np.expm1, 0.0), (np.asarray, 1.0), (lambda u: u * u / 4 + u, 0.5)])
def test_the_power_undoes_what_made_a_column(made: Callable[[np.ndarray], np.ndarray], power: float) -> None:
    normal = np.random.default_rng(1).normal(4.0, 1.0, 20_000)
    assert YeoJohnson().fit(Sample.of(made(np.abs(normal))))["lambda"] == pytest.approx(power, abs=0.03)


def test_years_keep_their_digits() -> None:
    # The likeliest power of these is near -100, where all of them would be the same number.
    years = np.array([2000.0, 2001, 2002, 2003, 2004, 2050])
    state = YeoJohnson().fit(Sample.of(years))
    np.testing.assert_allclose(YeoJohnson().invert(YeoJohnson().apply(years, state), state), years, rtol=1e-9)


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_scores_of_a_network_that_diverges_give_no_warning(scaler: Scaler) -> None:
    state = scaler.fit(Sample.of(np.array([0.5, 1.0, 2.0, 700.0])))
    values = scaler.invert(np.array([-1e30, -800.0, 800.0, 1e30]), state)
    assert not np.isnan(values).any()


def test_log1p_takes_nothing_at_or_below_minus_one() -> None:
    assert Log1p().outside(np.array([-2.0, -1.0, -0.999, 0.0, math.nan])).tolist() == [True, True, False, False, False]
    assert not Standardize().outside(np.array([-2.0, math.nan])).any()
