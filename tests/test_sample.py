"""Samples: what is said of a column too large for memory is what NumPy says of one that is not."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.transforms import selection
from nnctl.transforms.most_frequent import MostFrequent
from nnctl.transforms.sample import KEPT, SHOWN, Sample
from nnctl.transforms.selection import by_rank

finite = st.floats(allow_nan=False, allow_infinity=False)
few = st.sampled_from([-1.5, -0.0, 0.0, 0.1, 5e-324, 1.7976931348623157e308, -1.7976931348623157e308])
columns = st.lists(st.one_of(finite, few, st.integers(-9, 9).map(float)), min_size=1, max_size=120).map(np.array)
ROWS = 200_000


def blocks_of(x: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (x[start : start + size] for start in range(0, len(x), size))


def streamed(x: np.ndarray, size: int = 7) -> Sample:
    return Sample(lambda: blocks_of(x, size), kept=0)


def many() -> Iterator[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(4)
    place = np.arange(ROWS, dtype=np.float64)
    yield "ascending", place
    yield "descending", -place
    yield "zigzag", np.where(place % 2 == 0, place, -place)
    yield "periodic", place % 97
    yield "uniform", rng.random(ROWS)
    yield "all scales", np.ldexp(rng.normal(size=ROWS), rng.integers(-1000, 1000, ROWS))
    yield "far from zero", 1e12 + rng.random(ROWS)
    yield "mostly one", np.where(rng.random(ROWS) < 0.9, 0.1, rng.normal(size=ROWS))
    yield "neighbours", np.nextafter(1.0, np.where(rng.random(ROWS) < 0.5, 0.0, 2.0))


MANY = dict(many())


@pytest.mark.parametrize("collected", [1, 10])
@given(x=columns, size=st.integers(1, 50))
def test_numbers_by_rank_are_those_of_sorting(collected: int, x: np.ndarray, size: int) -> None:
    before, selection.COLLECTED = selection.COLLECTED, collected
    try:
        found = by_rank(lambda: blocks_of(x, size), np.arange(len(x)))
    finally:
        selection.COLLECTED = before
    np.testing.assert_array_equal(found, np.sort(x))


@pytest.mark.parametrize("x", MANY.values(), ids=MANY)
def test_no_order_and_no_distribution_costs_a_digit(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "COLLECTED", 1000)
    sample, shares = streamed(x, 4096), np.linspace(0, 1, 1000)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(sample.quantiles(shares), np.quantile(x, shares))
    assert sample.median == np.median(x)
    assert (sample.low, sample.high) == (x.min(), x.max())


@pytest.mark.parametrize("x", MANY.values(), ids=MANY)
def test_few_passes_are_made(x: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "COLLECTED", 1000)
    passes = 0

    def blocks() -> Iterator[np.ndarray]:
        nonlocal passes
        passes += 1
        return blocks_of(x, 4096)

    by_rank(blocks, np.array([ROWS // 2]))
    assert passes <= 1 + 4
    passes = 0
    by_rank(blocks, np.linspace(0, ROWS - 1, 2000).astype(np.int64))
    assert passes <= 1 + 11


@given(x=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60).map(np.array), size=st.integers(1, 9))
def test_mean_and_deviation_of_blocks_are_exact(x: np.ndarray, size: int) -> None:
    exact = [Fraction(cell) for cell in x.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((cell - mean) ** 2 for cell in exact) / len(exact)
    near = max(4e-16 * np.abs(x).max(), 1e-150)  # as for one array: tests/test_transforms.py
    sample = streamed(x, size)
    assert sample.mean == pytest.approx(float(mean), rel=1e-15, abs=near)
    assert sample.std == pytest.approx(math.sqrt(variance), rel=1e-14, abs=near)


def test_an_offset_costs_no_digits_in_blocks_either() -> None:
    x = 1e15 + np.arange(1001.0)
    sample = streamed(x)
    assert sample.mean == 1e15 + 500
    assert sample.std == pytest.approx(math.sqrt((1001**2 - 1) / 12), rel=1e-14)
    assert streamed(np.full(30, 0.3)).std == 0.0


@pytest.mark.parametrize("kept", [0, 1000])
def test_missing_numbers_are_counted_and_left_out(kept: int) -> None:
    x = np.array([math.nan, 3.0, 1.0, math.nan, math.nan, 8.0])
    sample = Sample(lambda: blocks_of(x, 2), kept=kept)
    assert (sample.count, sample.missing, sample.low, sample.high, sample.median) == (3, 3, 1, 8, 3)
    assert sample.values.tolist() == ([3, 1, 8] if kept else [1, 3, 8])
    assert sample.mapped(np.sqrt).high == math.sqrt(8)
    nothing = Sample(lambda: blocks_of(x[:1], 1), kept=kept)
    assert (nothing.count, nothing.missing, nothing.values.size) == (0, 1, 0)


def test_many_rows_are_shown_by_the_middles_of_equal_shares() -> None:
    x = np.random.default_rng(0).permutation(10 * SHOWN).astype(np.float64)
    assert np.array_equal(streamed(x, 4096).values, np.arange(SHOWN) * 10.0 + 5)


def test_up_to_a_million_numbers_are_kept() -> None:
    x = np.random.default_rng(0).random(KEPT + 1)
    assert Sample(lambda: blocks_of(x[1:], 2**16)).whole
    assert not Sample(lambda: blocks_of(x, 2**16)).whole
    one, other = Sample.of(x), Sample(lambda: blocks_of(x, 2**16))
    assert np.array_equal(one.quantiles([0.1, 0.75]), other.quantiles([0.1, 0.75]))
    assert (one.mean, one.std) == pytest.approx((other.mean, other.std), rel=1e-15)


@given(x=st.lists(st.integers(0, 5).map(float), min_size=1, max_size=60).map(np.array), size=st.integers(1, 9))
def test_the_most_frequent_number_of_blocks_is_exact(x: np.ndarray, size: int) -> None:
    assert MostFrequent().fit(streamed(x, size)) == MostFrequent().fit(Sample.of(x))


def test_a_frequent_number_is_found_among_more_than_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.transforms.most_frequent.HELD", 20)
    rng = np.random.default_rng(1)
    rare = 10 + rng.random(2000)
    x = rng.permutation(np.concatenate([rare, np.full(120, 7.0), np.full(121, 8.0)]))  # more than 2241 / 21 rows
    assert MostFrequent().fit(streamed(x, 64)) == 8.0
    assert MostFrequent().fit(streamed(rare[:640], 64)) == rare[:640].min()  # as of few: every number is there once


def test_memory_does_not_grow_with_the_rows() -> None:
    def blocks() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(0)
        return (rng.lognormal(size=2**16) for _ in range(40))

    tracemalloc.start()
    sample = Sample(blocks)
    assert sample.count == 40 * 2**16
    sample.quantiles(np.linspace(0, 1, 1000))
    assert sample.median + sample.mean + sample.std > 0
    MostFrequent().fit(sample)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * sample.count  # of one array of all of them
