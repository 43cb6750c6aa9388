"""The rows that a seed draws stay those that it drew before: a run of old is repeated, and a sweep compares."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from nnctl.splits import Parts, Rows, Split
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
