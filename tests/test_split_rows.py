"""The rows that a seed draws stay those that it drew before: a run of old is repeated, and a sweep compares."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import DataError
from nnctl.splits import Parts, Rows, Split, drawn
from nnctl.splits.cells import Cells
from nnctl.splits.column import Column
from nnctl.splits.group import Group
from nnctl.splits.random import Random
from nnctl.splits.stratified import Stratified
from nnctl.splits.time import Time

SPLITS = [
    Random(val=0.25, test=2),
    Stratified(val=0.25, test=2),
    Group(column="g", val=0.25, test=2),
    Time(column="t", val=0.25, test=2),
    Column(column="c"),
]
# Written down when the tables still had to fit into memory.
FEW = {
    "random": ([0, 2, 10], [7, 11]),
    "stratified": ([0, 10, 11], [2, 7]),
    "group": ([1, 3, 11], [2, 5]),
    "time": ([2, 7, 10], [5, 8]),
    "column": ([], [3, 9]),
}
MANY = {
    "random": "b36c40e0cb28af10",
    "stratified": "10da73a5bbf3bebe",
    "group": "762300371c53a065",
    "time": "bca668419f01cb9b",
    "column": "9b32a1bf895400c7",
}


def rows_for(split: Split, count: int) -> Rows:
    place = np.arange(count)
    classes = (place * place + place // 7) % 5 % 3
    classes[count // 2] = 9  # a class of one row
    cells = {
        "group": [f"g{(row * row + 3) % 41}" for row in range(count)],
        "column": [("train", "train", "val", "test")[row * row // 3 % 4] for row in range(count)],
    }
    times = (place * 37 % 101) / 4 if split.name == "time" else None
    return Rows(count, classes, cells.get(split.name), times)


def cut(split: Split, count: int) -> Parts:
    return split.cut(rows_for(split, count), np.random.default_rng(3))


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.name)
def test_few_rows_go_where_they_went(split: Split) -> None:
    parts = cut(split, 12)
    assert (parts.val.tolist(), parts.test.tolist()) == FEW[split.name]


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.name)
def test_many_rows_go_where_they_went(split: Split) -> None:
    found = hashlib.sha256()
    parts = cut(split, 70_001)
    for part in (parts.train, parts.val, parts.test):
        found.update(part.astype("<i8").tobytes() + b"|")
    assert found.hexdigest()[:16] == MANY[split.name]


def reference(split: Stratified, classes: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """The stratified parts, with every row sorted at once."""
    val, test = split.sizes(len(classes))
    _, code, counts = np.unique(classes, return_inverse=True, return_counts=True)
    to_test, to_val = split._shares(counts, test, val)
    drawn = rng.permutation(len(classes))
    alone = drawn[counts[code[drawn]] == 1]
    spare_test, spare_val = test - to_test.sum(), val - to_val.sum()
    drawn = drawn[np.argsort(code[drawn], kind="stable")]
    rank = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    part = np.empty(len(classes), np.int64)
    part[drawn] = (rank >= np.repeat(to_test, counts)).astype(np.int64) + (rank >= np.repeat(to_test + to_val, counts))
    part[alone[:spare_test]] = 0
    part[alone[spare_test : spare_test + spare_val]] = 1
    return [np.flatnonzero(part == which) for which in (2, 1, 0)]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnctl.blocks.BLOCK", 7)


@pytest.mark.usefixtures("small")
@given(
    classes=st.lists(st.sampled_from([-1, 0, 1, 2, 5, 900]), min_size=3, max_size=90).map(np.array),
    val=st.one_of(st.integers(0, 9), st.floats(0, 0.5)),
    test=st.floats(0, 0.4),
    seed=st.integers(0, 5),
)
def test_block_by_block_the_same_rows_are_drawn(classes: np.ndarray, val: int | float, test: float, seed: int) -> None:
    split = Stratified(val=val, test=test)
    try:
        parts = split.cut(Rows(len(classes), classes), np.random.default_rng(seed))
    except DataError:
        return
    expected = reference(split, classes, np.random.default_rng(seed))
    for found, rows in zip((parts.train, parts.val, parts.test), expected, strict=True):
        assert np.array_equal(found, rows)


@pytest.mark.usefixtures("small")
@given(
    times=st.lists(st.sampled_from([-1.5, -0.0, 0.0, 2.0, 7.0]), min_size=1, max_size=60).map(np.array),
    val=st.integers(0, 20),
    test=st.integers(0, 20),
)
def test_times_are_cut_where_a_stable_sort_cuts_them(times: np.ndarray, val: int, test: int) -> None:
    count = len(times)
    if val + test >= count:
        return
    parts = Time(column="t", val=val, test=test).cut(Rows(count, times=times), np.random.default_rng(0))
    expected = np.split(np.argsort(times, kind="stable"), [count - test - val, count - test])
    for found, rows in zip((parts.train, parts.val, parts.test), expected, strict=True):
        assert np.array_equal(found, np.sort(rows))


@pytest.mark.parametrize("count", [0, 1, 2, 255, 256, 257, 65_537, 1_000_003])
def test_narrow_rows_are_drawn_like_wide_ones(count: int) -> None:
    one, other = np.random.default_rng(count), np.random.default_rng(count)
    order = drawn(count, one)
    assert order.dtype == np.int32
    assert np.array_equal(order, other.permutation(count))
    assert one.integers(2**60) == other.integers(2**60)  # and leave the generator where it is


def test_cells_are_texts_by_their_codes() -> None:
    cells = Cells.of(["b", "a", "b"])
    assert Cells.of(cells) is cells
    assert (list(cells), cells[1], len(cells)) == (["b", "a", "b"], "a", 3)
    assert list(cells[::-1]) == ["b", "a", "b"]
    assert list(cells.only(np.array([1, 2]))) == ["a", "b"]
    assert list(Cells(("x", ""), np.array([0, -1], np.int8))) == ["x", ""]  # what is missing is the last name
