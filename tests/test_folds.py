"""Folds: how each type of split cuts them, and what it refuses."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import DataError, SpecError
from nnctl.network.members import stream
from nnctl.splits import DrawnSplit, Parts, Rows, Split
from nnctl.splits.auto import Auto
from nnctl.splits.column import Column
from nnctl.splits.group import Group
from nnctl.splits.none import NoSplit
from nnctl.splits.random import Random
from nnctl.splits.stratified import Stratified
from nnctl.splits.time import Time

counts_of_classes = st.lists(st.integers(1, 30), min_size=2, max_size=8)


def rows_of(counts: list[int], seed: int = 5) -> Rows:
    """Shuffled rows with so many of each class, and of each group."""
    code = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    return Rows(len(code), code, [f"g{each}" for each in code.tolist()])


def folds_of(cls: type[DrawnSplit], folds: int, rows: Rows, *, seed: int = 0, **options: Any) -> list[Parts]:
    return [cls(folds=folds, fold=fold, **options).divide(rows, stream(seed, "split")) for fold in range(1, folds + 1)]


@given(counts=counts_of_classes, folds=st.integers(2, 12), test=st.sampled_from([0, 0.2]), seed=st.integers(0, 5))
def test_stratified_folds_and_their_classes_differ_by_one_row_at_most(
    counts: list[int], folds: int, test: float, seed: int
) -> None:
    rows = rows_of(counts)
    assert rows.classes is not None
    tested = round(test * rows.count)
    if tested > rows.count - len(counts):
        return  # refused without folds, too
    left = Counter(rows.classes[Stratified(val=0, test=test).cut(rows, stream(seed, "split")).train].tolist())
    count, most = left.total(), max(left.values())
    if count < folds or count - most == 1 or (most == 1 and count - -(-count // folds) == 1):
        with pytest.raises(DataError, match=r"need as many rows|would train on one class"):
            folds_of(Stratified, folds, rows, seed=seed, test=test)
        return
    found = folds_of(Stratified, folds, rows, seed=seed, test=test)
    assert np.ptp([len(parts.val) for parts in found]) <= 1
    for code in range(len(counts)):
        assert np.ptp([(rows.classes[parts.val] == code).sum() for parts in found]) <= 1


@given(count=st.integers(2, 60), folds=st.integers(2, 12))
def test_random_folds_differ_by_one_row_at_most(count: int, folds: int) -> None:
    if count < folds:
        with pytest.raises(
            DataError, match=f"{folds} folds need as many rows that are no test rows, there are {count}"
        ):
            folds_of(Random, folds, Rows(count))
        return
    assert np.ptp([len(parts.val) for parts in folds_of(Random, folds, Rows(count))]) <= 1


def test_as_many_folds_as_rows_leave_one_out() -> None:
    found = folds_of(Stratified, 10, rows_of([5, 5]))
    assert sorted(parts.val.tolist() for parts in found) == [[row] for row in range(10)]
    with pytest.raises(DataError, match=r"data.split.folds: 9 folds need .* there are 8; ask for fewer folds"):
        folds_of(Stratified, 9, rows_of([5, 5]), test=2)


@given(counts=st.lists(st.integers(1, 30), min_size=5, max_size=40), seed=st.integers(0, 5))
def test_groups_stay_together_in_folds_as_even_as_the_largest_group_lets_them(counts: list[int], seed: int) -> None:
    rows = Rows(sum(counts), column=rows_of(counts).column)
    found = folds_of(Group, 5, rows, seed=seed, column="g")
    assert rows.column is not None
    names = [{rows.column[row] for row in parts.val.tolist()} for parts in found]
    assert sum(map(len, names)) == len(counts)
    sizes = [len(parts.val) for parts in found]
    # Each group went to the emptiest fold: before its last one, the fullest was no fuller than any other is now.
    assert max(sizes) - min(sizes) <= max(counts)


def test_equal_groups_are_drawn_and_fill_the_folds_evenly() -> None:
    rows = Rows(40, column=rows_of([4] * 10).column)
    found = [folds_of(Group, 5, rows, seed=seed, column="g") for seed in range(4)]
    assert all(len(parts.val) == 8 for folds in found for parts in folds)
    assert len({tuple(folds[0].val.tolist()) for folds in found}) > 1


def test_fewer_groups_than_folds_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        folds_of(Group, 4, Rows(9, column=rows_of([3, 3, 3]).column), column="who")
    assert str(caught.value) == (
        "data.split.folds: `who` makes 3 groups of the rows that are no test rows, 4 folds need a group each; ask for "
        "fewer folds"
    )


@pytest.mark.parametrize("cls", [Random, Stratified])
def test_the_test_rows_are_those_of_a_single_run(cls: type[DrawnSplit]) -> None:
    rows = rows_of([40, 30, 3, 1])
    single = cls(val=0.3, test=0.25).cut(rows, stream(0, "split")).test.tolist()
    found = folds_of(cls, 4, rows, test=0.25, val=0.1)
    assert all(parts.test.tolist() == single for parts in found)
    val = np.concatenate([parts.val for parts in found])
    assert sorted([*val.tolist(), *single]) == list(range(74))


def test_classes_of_one_row_validate_once_and_crash_nothing() -> None:
    rows = rows_of([30, 1, 1, 2])
    found = folds_of(Stratified, 5, rows)
    assert rows.classes is not None
    assert [sum(int((rows.classes[parts.val] == code).sum()) for parts in found) for code in range(4)] == [30, 1, 1, 2]


@pytest.mark.parametrize("cls", [Random, Stratified])
def test_a_fold_that_would_train_on_one_class_is_refused_by_all(cls: type[DrawnSplit]) -> None:
    rows = rows_of([30, 1])
    for fold in range(1, 6):
        with pytest.raises(DataError, match=r"data.split.folds: fold \d would train on one class: all rows of others"):
            cls(folds=5, fold=fold).divide(rows, stream(0, "split"))
    folds_of(cls, 5, rows_of([30]))  # one class in all: what is wrong is the target


def test_one_class_in_each_of_two_folds_is_refused() -> None:
    rows = Rows(4, np.array([0, 1, 1, 0]), ["a", "b", "b", "a"])
    with pytest.raises(DataError, match=r"fold \d would train on one class"):
        Group(column="g", folds=2, fold=1).divide(rows, stream(0, "split"))


def test_no_split_is_auto_without_test_rows_once_there_are_folds() -> None:
    assert NoSplit(folds=4, fold=2).resolved("binary") == Stratified(folds=4, fold=2)
    assert NoSplit(folds=4).resolved("regression") == Random(folds=4)
    assert Auto(folds=3, fold=3, test=2).resolved("multiclass") == Stratified(folds=3, fold=3, test=2)
    assert NoSplit().resolved("binary") == NoSplit()


@pytest.mark.parametrize(
    ("split", "key", "message"),
    [
        (Time(folds=3), "folds", "must be null: all folds but the last would train on rows that come later"),
        (Column(column="part", folds=3), "folds", "must be null: the column says which rows validate"),
        (Random(fold=3), "fold", "must be null, or beside it `folds` be given"),
        (Random(folds=3, fold=4), "fold", "must be one of the 3 folds, got 4"),
    ],
)
def test_contradictions_are_named(split: Split, key: str, message: str) -> None:
    ((name, what),) = split.contradictions()
    assert name == key
    assert what.startswith(message)


def test_a_fraction_of_test_rows_is_still_checked() -> None:
    with pytest.raises(SpecError, match=r"data.split.test: must be < 1 as a fraction"):
        folds_of(Random, 3, Rows(30), test=1.0)


# --- the same on every machine ---

SPLITS = [Random(test=0.2, folds=4), Stratified(test=0.2, folds=4), Group(column="g", test=0.2, folds=4)]
EXPECTED = {"random": "0cd4cde005aca94d", "stratified": "89a7619db3141f80", "group": "955cd8aa989ead3b"}
PRINTS = "from tests.test_folds import digests; print(digests())"


def digests() -> dict[str, str]:
    """What stands for the rows of every fold of 200 rows in 12 classes and groups, cut with the seed 7."""
    rows = rows_of([40, 31, 29, 22, 20, 17, 13, 11, 8, 6, 2, 1])
    found = {}
    for split in SPLITS:
        text = ""
        for fold in range(1, 5):
            parts = type(split)(**{**vars(split), "fold": fold}).divide(rows, stream(7, "split"))
            text += ";".join(",".join(map(str, part.tolist())) for part in (parts.train, parts.val, parts.test)) + "\n"
        found[split.name] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return found


def test_the_folds_of_a_seed_are_those_of_every_machine() -> None:
    """A change here gives every user other folds for the same seed: say so in the changelog."""
    assert digests() == EXPECTED


@pytest.mark.parametrize("salt", ["1", "2"])
def test_the_folds_do_not_depend_on_the_process(salt: str) -> None:
    from tests.cli.conftest import ROOT

    done = subprocess.run(
        [sys.executable, "-c", PRINTS],
        env={"PYTHONHASHSEED": salt, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(EXPECTED)


def test_the_folds_depend_on_the_order_of_the_rows_alone() -> None:
    rows = rows_of([20, 10])
    assert rows.classes is not None
    swapped = Rows(rows.count, 7 - rows.classes)  # other codes, in another order, for the same rows
    one, other = folds_of(Random, 3, rows), folds_of(Random, 3, swapped)
    assert [a.val.tolist() for a in one] == [b.val.tolist() for b in other]
    assert Counter(len(parts.val) for parts in folds_of(Stratified, 3, swapped)) == Counter({10: 3})
