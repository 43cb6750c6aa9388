"""Labels and distinct values, found block by block: those that NumPy finds in the whole column, in narrow types."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl import blocks as module
from nnctl.blocks import blocks, counted, place_type, taken, where
from nnctl.data.labels import distinct_values, labels
from nnctl.data.refusals import places
from nnctl.data.table import Column

cells = st.lists(st.sampled_from([np.nan, -2.5, -0.0, 0.0, 1.0, 7.0, 1e300]), max_size=40).map(np.array)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 7)
    monkeypatch.setattr("nnctl.data.labels.BLOCK", 7)


def number(values: np.ndarray) -> Column:
    return Column("a", "number", np.asarray(values, np.float64))


@given(values=cells)
def test_labels_are_the_distinct_values_in_their_order(values: np.ndarray) -> None:
    found = labels(number(values))
    present = ~np.isnan(values)
    expected, codes = np.unique(values[present], return_inverse=True)
    assert [float(name) for name in found.names] == expected.tolist()
    assert found.codes[present].tolist() == codes.tolist()
    assert (found.codes[~present] == -1).all()
    assert found.codes.dtype == np.int8


@given(values=cells, most=st.integers(1, 8))
def test_enough_distinct_values_are_found_to_say_that_there_are_more(values: np.ndarray, most: int) -> None:
    expected = np.unique(values[~np.isnan(values)])
    found = distinct_values(number(values), most)
    assert min(len(found), most + 1) == min(len(expected), most + 1)
    assert set(found.tolist()) <= set(expected.tolist())
    if len(expected) <= most:
        assert found.tolist() == expected.tolist() == distinct_values(number(values)).tolist()


def test_distinct_values_of_a_category_are_codes() -> None:
    column = Column("a", "category", np.array([3, -1, 0, 3] * 9, np.int32), levels=("a", "b", "c", "d"))
    assert distinct_values(column).tolist() == distinct_values(column, 1).tolist() == [0, 3]


def test_many_distinct_values_are_found_in_any_order() -> None:
    values = np.random.default_rng(0).permutation(5000).astype(np.float64)
    assert np.array_equal(distinct_values(number(values)), np.arange(5000))
    assert len(distinct_values(number(values), 20)) in range(21, 40)


@pytest.mark.parametrize(("count", "kind"), [(1, np.int8), (128, np.int8), (129, np.int16), (40_000, np.int32)])
def test_codes_are_as_narrow_as_they_can_be(count: int, kind: type) -> None:
    found = labels(number(np.append(np.arange(count), np.nan)))
    assert found.codes.dtype == kind
    assert found.codes.tolist() == [*range(count), -1]


def test_no_block_is_made_of_nothing_and_none_is_left_out() -> None:
    assert list(blocks(0)) == []
    assert [(rows.start, rows.stop) for rows in blocks(15)] == [(0, 7), (7, 14), (14, 15)]


@given(st.lists(st.integers(-1, 5), max_size=50).map(lambda some: np.array(some, np.int8)))
def test_codes_are_counted_and_taken_as_numpy_does(codes: np.ndarray) -> None:
    places = np.flatnonzero(codes % 2 == 0).astype(np.int32)
    assert counted(codes, 6).tolist() == [int(np.sum(codes == code)) for code in range(6)]
    assert counted(codes, 6, places).tolist() == [int(np.sum(codes[places] == code)) for code in range(6)]
    table = np.arange(14.0).reshape(7, 2)  # entry -1 is the last one
    assert np.array_equal(taken(table, codes), table[codes])
    mask = codes > 2
    assert where(mask).tolist() == np.flatnonzero(mask).tolist()
    assert where(mask).dtype == np.int32


def test_places_beyond_two_billion_need_the_wider_type() -> None:
    assert place_type(2**31 - 1) == np.int32
    assert place_type(2**31) == np.int64


def test_labels_of_a_long_column_need_little_more_than_their_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 2**16)
    monkeypatch.setattr("nnctl.data.labels.BLOCK", 2**16)
    column = number(np.arange(2_000_000) % 300)
    tracemalloc.start()
    found = labels(column)
    counts = counted(found.codes, 300)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts.min() >= 6666
    assert found.codes.nbytes == 4_000_000
    assert peak < 4_000_000 + 8_000_000  # half of the column itself


def test_in_no_rows_nothing_is_found() -> None:
    assert places(lambda rows: np.ones(rows.stop - rows.start, bool), 0).tolist() == []
    assert places(lambda rows: np.arange(rows.start, rows.stop) % 5 == 0, 15).tolist() == [0, 5, 10]
