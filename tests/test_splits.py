"""Splits: exact sizes, no row lost or in two parts, and refusals that say what to do."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.errors import DataError, Place, SpecError
from nnctl.splits import Parts, Rows, SizedSplit, Split
from nnctl.splits.auto import Auto
from nnctl.splits.column import Column
from nnctl.splits.group import Group
from nnctl.splits.none import NoSplit
from nnctl.splits.random import Random
from nnctl.splits.stratified import Stratified
from nnctl.splits.time import Time

SPLITS = registry.classes("splits", Split)
SIZED = [cls for cls in registry.classes("splits", SizedSplit) if cls not in (Auto, Group)]
DRAWN = [Random, Stratified]
sizes = st.one_of(st.integers(0, 30), st.floats(0, 0.6))
labels = st.lists(st.integers(0, 6), min_size=1, max_size=120)


def rows_of(classes: list[int]) -> Rows:
    cells = [("train", "train", "val", "test")[row % 4] for row in range(len(classes))]
    return Rows(count=len(classes), classes=np.array(classes, dtype=np.int64), column=cells)


def cut(split: Split, rows: Rows, seed: int = 0) -> Parts:
    return split.cut(rows, np.random.default_rng(seed))


def lengths(parts: Parts) -> tuple[int, int, int]:
    return len(parts.train), len(parts.val), len(parts.test)


def same(a: Parts, b: Parts) -> bool:
    return all(np.array_equal(getattr(a, part), getattr(b, part)) for part in ("train", "val", "test"))


@pytest.mark.parametrize("cls", SPLITS, ids=lambda cls: cls.name)
@given(classes=labels, seed=st.integers(0, 9))
def test_every_row_is_in_exactly_one_part(cls: type[Split], classes: list[int], seed: int) -> None:
    assume(len(classes) > 2)
    for example in cls.examples:
        rows = rows_of(classes)
        try:
            parts = cut(cls(**example).resolved("multiclass"), rows, seed)
        except DataError:
            continue
        together = np.concatenate([parts.train, parts.val, parts.test])
        assert sorted(together.tolist()) == list(range(rows.count))
        for part in (parts.train, parts.val, parts.test):
            assert part.dtype == np.int32
            assert (np.diff(part) > 0).all()
        assert same(parts, cut(cls(**example).resolved("multiclass"), rows, seed))


def test_auto_takes_every_key_of_the_documented_default() -> None:
    assert Auto(val=0.2, test=0.0, column=None, seed=None, folds=None, fold=None) == Auto()


@pytest.mark.parametrize(
    ("task", "chosen"), [("binary", Stratified), ("multiclass", Stratified), ("regression", Random)]
)
def test_auto_becomes_the_split_that_fits_the_task(task: str, chosen: type[SizedSplit]) -> None:
    assert Auto(val=3, test=0.1, seed=4).resolved(task) == chosen(val=3, test=0.1, seed=4)
    with pytest.raises(AssertionError):
        cut(Auto(), rows_of([0, 1] * 5))


def test_the_other_types_resolve_to_themselves() -> None:
    assert Time().resolved("binary") == Time()


def test_what_cannot_split_a_target_or_by_a_column_is_refused() -> None:
    with pytest.raises(SpecError, match=r"data.split.type: stratified needs a target with classes"):
        Stratified().resolved("regression")
    with pytest.raises(SpecError, match=r"data.split.column: auto looks at no column; write `type: group`"):
        Auto(column="patient").resolved("binary")


def test_a_seed_of_its_own_replaces_the_root_seed() -> None:
    assert Random(seed=7).seed_or(1) == 7
    assert Random(seed=0).seed_or(1) == 0
    assert Random().seed_or(1) == Time().seed_or(1) == 1


@pytest.mark.parametrize("cls", SIZED, ids=lambda cls: cls.name)
@given(val=sizes, test=sizes, classes=labels)
def test_parts_have_the_sizes_asked_for(
    cls: type[SizedSplit], val: int | float, test: int | float, classes: list[int]
) -> None:
    asked = [
        size if isinstance(size, int) else (size > 0 and max(1, round(size * len(classes)))) for size in (val, test)
    ]
    try:
        parts = cut(cls(val=val, test=test), rows_of(classes))
    except DataError:
        counts = Counter(classes).values()
        spare = sum(count - 1 for count in counts) + sum(count == 1 for count in counts)
        assert sum(asked) >= len(classes) or (cls is Stratified and sum(asked) > spare)
    else:
        assert [len(parts.val), len(parts.test)] == asked


@pytest.mark.parametrize("cls", SIZED, ids=lambda cls: cls.name)
def test_fractions_are_of_all_rows_and_mix_with_numbers(cls: type[SizedSplit]) -> None:
    rows = rows_of([0, 1] * 10)
    assert lengths(cut(cls(val=0.25, test=0.25), rows)) == (10, 5, 5)
    assert lengths(cut(cls(val=0.01, test=3), rows)) == (16, 1, 3)
    assert lengths(cut(cls(val=0, test=0.0), rows)) == (20, 0, 0)


@pytest.mark.parametrize("cls", SIZED, ids=lambda cls: cls.name)
def test_a_fraction_of_one_or_more_is_wrong_in_the_yaml(cls: type[SizedSplit]) -> None:
    with pytest.raises(SpecError) as caught:
        cut(cls(val=1.0, test=2.5), rows_of([0, 1] * 10))
    assert [problem.key for problem in caught.value.problems] == ["data.split.val", "data.split.test"]
    assert "must be < 1 as a fraction, got 1.0" in str(caught.value)


@pytest.mark.parametrize("cls", SIZED, ids=lambda cls: cls.name)
@pytest.mark.parametrize(
    ("val", "test", "count"), [(0.2, 0.0, 1), (2, 2, 4), (0.2, 0.0, 0), (0.5, 0.5, 10), (99, 0, 3)]
)
def test_too_few_rows_are_refused_with_what_was_asked(
    cls: type[SizedSplit], val: int | float, test: int | float, count: int
) -> None:
    with pytest.raises(DataError) as caught:
        cut(cls(val=val, test=test), rows_of([0] * count))
    assert caught.value.problems[0].key == "data.split"
    for part in (f"{count} row", f"val: {val}", f"test: {test}", "`split: none`"):
        assert part in str(caught.value)


@pytest.mark.parametrize("cls", DRAWN, ids=lambda cls: cls.name)
def test_another_seed_draws_other_rows(cls: type[SizedSplit]) -> None:
    rows = rows_of([0, 1] * 50)
    assert not same(cut(cls(), rows, seed=0), cut(cls(), rows, seed=1))


@pytest.mark.parametrize("cls", DRAWN, ids=lambda cls: cls.name)
@given(val=st.integers(0, 20), classes=st.lists(st.integers(0, 4), min_size=60, max_size=80))
def test_the_test_rows_do_not_depend_on_the_validation_rows(
    cls: type[SizedSplit], val: int, classes: list[int]
) -> None:
    rows = rows_of(classes)
    alone, beside = cut(cls(val=0, test=0.3), rows), cut(cls(val=val, test=0.3), rows)
    np.testing.assert_array_equal(alone.test, beside.test)


@given(st.lists(st.integers(10, 40), min_size=1, max_size=8), st.integers(0, 9))
def test_classes_share_a_part_in_proportion(counts: list[int], seed: int) -> None:
    classes = [code for code, count in enumerate(counts) for _ in range(count)]
    parts = cut(Stratified(val=0.2, test=0.25), rows_of(classes), seed)
    for part in (parts.val, parts.test):
        given_rows = Counter(np.array(classes)[part].tolist())
        for code, count in enumerate(counts):
            assert abs(given_rows[code] - len(part) * count / len(classes)) < 1


@given(classes=labels, val=st.floats(0, 0.5), test=st.floats(0, 0.4), seed=st.integers(0, 9))
def test_every_class_of_two_rows_keeps_one_for_training(classes: list[int], val: float, test: float, seed: int) -> None:
    try:
        parts = cut(Stratified(val=val, test=test), rows_of(classes), seed)
    except DataError:
        return
    trained = set(np.array(classes)[parts.train].tolist())
    assert trained >= {code for code, count in Counter(classes).items() if count > 1}


def test_ties_go_to_the_class_with_more_rows_left_then_to_the_lower_code() -> None:
    # Each class is due 2 / 3 of a row in each part: the test takes from classes 0 and 1, then 2 has the most left.
    classes = np.array([0] * 4 + [1] * 4 + [2] * 4)
    parts = cut(Stratified(val=2, test=2), rows_of(classes.tolist()))
    assert sorted(classes[parts.test].tolist()) == [0, 1]
    assert sorted(classes[parts.val].tolist()) == [0, 2]


def test_a_class_of_one_row_trains_while_others_can_give() -> None:
    classes = np.array([0] * 4 + [1, 2, 3, 4])
    for seed in range(20):
        parts = cut(Stratified(val=3), rows_of(classes.tolist()), seed)
        assert classes[parts.val].tolist() == [0, 0, 0]


def test_classes_of_one_row_fill_a_part_that_no_other_can() -> None:
    drawn = [cut(Stratified(val=2, test=2), rows_of([0, 1, 2, 3, 4, 5]), seed).val.tolist() for seed in range(40)]
    assert {row for rows in drawn for row in rows} == set(range(6))


def test_a_class_that_would_lose_all_its_rows_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        cut(Stratified(val=2, test=1), rows_of([0, 0, 1, 1]))
    assert "4 rows of 2 classes" in str(caught.value)
    assert "`type: random`" in str(caught.value)


def test_class_codes_need_not_be_dense() -> None:
    classes = [-1, -1, 900, 900, 900, 900]
    assert lengths(cut(Stratified(val=2), rows_of(classes))) == (4, 2, 0)


def test_time_keeps_the_order_of_the_file() -> None:
    parts = cut(Time(val=2, test=0.3), Rows(count=10))
    assert [part.tolist() for part in (parts.train, parts.val, parts.test)] == [[0, 1, 2, 3, 4], [5, 6], [7, 8, 9]]


def test_no_split_trains_on_all_rows() -> None:
    parts = cut(NoSplit(), Rows(count=4))
    assert parts.train.tolist() == [0, 1, 2, 3]
    assert lengths(parts) == (4, 0, 0)
    with pytest.raises(DataError, match="0 rows"):
        cut(NoSplit(), Rows(count=0))


def test_a_column_says_where_each_row_goes() -> None:
    parts = cut(Column(column="part"), Rows(count=5, column=["val", "train", "test", "train", "val"]))
    assert [part.tolist() for part in (parts.train, parts.val, parts.test)] == [[1, 3], [0, 4], [2]]
    assert lengths(cut(Column(column="part"), Rows(count=2, column=["train", "train"]))) == (2, 0, 0)


def test_every_unknown_word_of_a_column_is_named_once_with_its_line() -> None:
    cells = ["train", "dev", "Test", "dev", ""]
    rows = Rows(count=5, column=cells, place_of=lambda row: Place("data/a.csv", row + 2))
    with pytest.raises(DataError) as caught:
        cut(Column(column="part"), rows)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert lines[0] == ("data/a.csv:3: data.split.column: column `part` must say train, val or test, got `dev`")
    assert "got `Test`" in lines[1]
    assert "got ``" in lines[2]


def test_a_column_without_training_rows_is_refused() -> None:
    with pytest.raises(DataError, match="no row is left for training: of 3 rows, column `part` says 2 val and 1 test"):
        cut(Column(column="part"), Rows(count=3, column=["val", "val", "test"]))
