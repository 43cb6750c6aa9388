"""Transforms: exact statistics, no warning on any column, states that survive JSON."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.errors import DataError, SpecError
from nnctl.transforms import Encoder, Imputer, Scaler
from nnctl.transforms.divide import Divide
from nnctl.transforms.min_max import MinMax
from nnctl.transforms.one_hot import OneHot
from nnctl.transforms.ordinal import Ordinal
from nnctl.transforms.standardize import Standardize

SCALERS = [cls(**example) for cls in registry.classes("transforms", Scaler) for example in cls.examples]
IMPUTERS = [cls(**example) for cls in registry.classes("transforms", Imputer) for example in cls.examples]
ENCODERS = [cls(**example) for cls in registry.classes("transforms", Encoder) for example in cls.examples]

# Cells of a table whose matrix is float32.
numbers = st.floats(-1e38, 1e38)
columns = st.lists(numbers, min_size=1, max_size=40).map(np.array)
levels = st.lists(st.text(max_size=3), min_size=1, max_size=6, unique=True)


def through_json(state: object) -> object:
    return json.loads(json.dumps(state, allow_nan=False))


def test_every_transform_plays_one_role() -> None:
    roles = [len(registry.classes("transforms", role)) for role in (Scaler, Imputer, Encoder)]
    assert sum(roles) == len(registry.classes("transforms"))


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
@given(x=columns)
def test_inverting_gives_the_values_back(scaler: Scaler, x: np.ndarray) -> None:
    state = scaler.fit(x)
    assert through_json(state) == state
    scaled = scaler.apply(x, state)
    assert scaled.dtype == np.float64
    np.testing.assert_allclose(scaler.invert(scaled, state), x, rtol=1e-12, atol=1e-14 * np.abs(x).max() + 1e-300)


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_missing_cells_stay_missing_and_the_input_is_left_alone(scaler: Scaler) -> None:
    for fitted in ([1.0, 2.0, 4.0], [3.0, 3.0]):
        x = np.array([1.0, math.nan, 4.0])
        scaled = scaler.apply(x, scaler.fit(np.array(fitted)))
        np.testing.assert_array_equal(np.isnan(scaled), [False, True, False])
        np.testing.assert_array_equal(x, [1.0, math.nan, 4.0])


@pytest.mark.parametrize("scaler", [Standardize(), MinMax()], ids=repr)
@given(cell=numbers, rows=st.integers(1, 9))
def test_a_constant_column_becomes_zero(scaler: Scaler, cell: float, rows: int) -> None:
    x = np.full(rows, cell)
    state = scaler.fit(x)
    assert scaler.apply(np.append(x, 5.0), state).tolist() == [0.0] * (rows + 1)
    assert scaler.invert(np.array([0.0, 1.0]), state).tolist() == [cell, cell]


@given(x=st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=20).map(np.array))
def test_mean_and_deviation_are_exact(x: np.ndarray) -> None:
    exact = [Fraction(cell) for cell in x.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((cell - mean) ** 2 for cell in exact) / len(exact)
    state = Standardize().fit(x)
    # What is left is the rounding of x - middle, which is relative to the column's largest value; below 1e-150 the
    # reference itself has no digits left when it becomes a float.
    near = max(4e-16 * np.abs(x).max(), 1e-150)
    assert state["mean"] == pytest.approx(float(mean), rel=1e-15, abs=near)
    assert state["std"] == pytest.approx(math.sqrt(variance), rel=1e-14, abs=near)


def test_a_large_offset_costs_no_digits() -> None:
    state = Standardize().fit(1e15 + np.array([1.0, 2.0, 3.0, 4.0]))
    assert state == {"mean": 1e15 + 2.5, "std": pytest.approx(math.sqrt(1.25), rel=1e-15)}


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_squares_neither_overflow_nor_vanish(scale: float) -> None:
    state = Standardize().fit(scale * np.array([1.0, 2.0, 3.0]))
    assert state["std"] == pytest.approx(scale * math.sqrt(2 / 3), rel=1e-14)


def test_standardize_agrees_with_scikit_learn() -> None:
    x = np.array([1.0, 2.0, 4.0, 9.5])
    expected = [-0.9510448211356669, -0.6467104783722535, -0.03804179284542668, 1.635797092353347]  # 1.9.1
    assert Standardize().apply(x, Standardize().fit(x)).tolist() == pytest.approx(expected, rel=1e-14)


@given(x=columns)
def test_min_max_puts_the_training_rows_in_zero_to_one(x: np.ndarray) -> None:
    scaled = MinMax().apply(x, MinMax().fit(x))
    assert scaled.min() == 0
    assert scaled.max() == (1 if x.min() < x.max() else 0)


def test_min_max_does_not_clip_other_rows() -> None:
    assert MinMax().apply(np.array([-1.0, 5.0]), {"low": 0.0, "high": 2.0}).tolist() == [-0.5, 2.5]


def test_divide_needs_no_rows() -> None:
    assert Divide(by=4.0).apply(np.array([1.0, 8.0]), {}).tolist() == [0.25, 2.0]


@pytest.mark.parametrize("imputer", IMPUTERS, ids=repr)
def test_a_column_that_is_all_missing_is_filled_with_zero(imputer: Imputer) -> None:
    assert imputer.fit(np.full(3, math.nan)) == 0.0
    assert imputer.fit(np.array([])) == 0.0


@pytest.mark.parametrize(("name", "expected"), [("median", 3.5), ("mean", 4.75)])
def test_missing_cells_do_not_count(name: str, expected: float) -> None:
    x = np.array([math.nan, 3.0, 11.0, math.nan, 1.0, 4.0])
    filled = registry.all("transforms", Imputer)[name]().fit(x)
    assert filled == expected
    assert type(filled) is float


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
@given(levels=levels, missing=st.booleans(), data=st.data())
def test_names_width_and_columns_fit_together(
    encoder: Encoder, levels: list[str], missing: bool, data: st.DataObject
) -> None:
    state = encoder.fit(levels, missing=missing, order=None)
    assert through_json(state) == state
    assert state["levels"] == levels
    codes = np.array(data.draw(st.lists(st.integers(-1, len(levels) - 1), max_size=8)), dtype=np.int64)
    matrix = np.full((len(codes), encoder.width(state) + 2), 9.0, dtype=np.float32)
    encoder.apply(codes, state, matrix[:, 1:-1])
    assert len(encoder.feature_names("zip", state)) == encoder.width(state)
    assert (matrix[:, [0, -1]] == 9).all()
    assert ((matrix[:, 1:-1] >= 0) & (matrix[:, 1:-1] <= 1)).all()
    # Equal codes have equal rows, different codes different ones.
    rows = {code: tuple(row) for code, row in zip(codes.tolist(), matrix.tolist(), strict=True)}
    assert [tuple(row) for row in matrix.tolist()] == [rows[code] for code in codes.tolist()]
    assert len(set(rows.values())) == len(rows)


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_the_users_order_wins_and_may_name_more(encoder: Encoder) -> None:
    state = encoder.fit(["high", "low"], missing=False, order=["low", "mid", "high"])
    assert state["levels"] == ["low", "mid", "high"]


@pytest.mark.parametrize("encoder", ENCODERS, ids=repr)
def test_an_order_that_lacks_or_repeats_a_level_is_refused(encoder: Encoder) -> None:
    with pytest.raises(DataError, match="`low`, `top` is missing"):
        encoder.fit(["high", "low", "top"], missing=False, order=["high"])
    with pytest.raises(SpecError, match="`low` more than once"):
        encoder.fit(["low"], missing=False, order=["low", "low"])


def test_one_hot_reserves_a_column_for_missing_cells_of_the_training_rows() -> None:
    state = OneHot().fit(["a", "b"], missing=True, order=None)
    out = np.empty((3, 3))
    OneHot().apply(np.array([1, -1, 0]), state, out)
    assert out.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]
    assert OneHot().feature_names("zip", state) == ["zip=a", "zip=b", "zip=<missing>"]


def test_one_hot_leaves_an_unknown_value_at_zero_without_that_column() -> None:
    state = OneHot().fit(["a", "b"], missing=False, order=None)
    out = np.empty((2, 2))
    OneHot().apply(np.array([-1, 1]), state, out)
    assert out.tolist() == [[0, 0], [0, 1]]


def test_ordinal_spreads_the_levels_over_zero_to_one() -> None:
    state = Ordinal().fit(["s", "m", "l", "xl"], missing=True, order=None)
    out = np.empty((5, 1))
    Ordinal().apply(np.array([0, 1, 2, 3, -1]), state, out)
    assert out.ravel().tolist() == [0.25, 0.5, 0.75, 1.0, 0.0]
    assert Ordinal().feature_names("size", state) == ["size"]


def test_a_column_without_any_level_is_all_zero() -> None:
    out = np.empty((2, 1))
    Ordinal().apply(np.array([-1, -1]), Ordinal().fit([], missing=True, order=None), out)
    assert not out.any()
