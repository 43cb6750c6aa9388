"""Targets that cannot be learned are refused; those that can have the classes that were meant."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from nnctl.checking import check
from tests.data.dirty.clean import FIRST, LAST, MIDDLE, ROWS, changed, quoted, text, with_column
from tests.data.dirty.conftest import Desk

CLASSES = "data.task=classification"
NUMBERS = "data.task=regression"
CellOf = Callable[[int, str], str]


def log(run: str) -> str:
    return (Path(run) / "log.txt").read_text()


@pytest.mark.parametrize(
    ("cell_of", "task", "says"),
    [
        (lambda row, _: "yes", CLASSES, "`y` has one class, `yes`; a classifier needs two or more"),
        (lambda row, _: "5", CLASSES, "`y` has one class, `5`"),
        (lambda row, _: "yes" if row % 2 else "NA", CLASSES, "`y` has one class, `yes`"),
        (lambda row, _: "", CLASSES, "`y` has no value at all"),
        (lambda row, _: "NA", NUMBERS, "`y` has no value at all"),
        (lambda row, _: "?", "data.task=auto", "`y` has no value at all"),
        (lambda row, _: f"{row * 0.37:.3f}", CLASSES, "`y` has 120 distinct values in 120 rows, too many for classes"),
        (lambda row, _: f"{row * 0.37:.3f}", CLASSES, "write `data.task: regression`"),
        (lambda row, _: f"name {row}", CLASSES, "`y` has 120 distinct values in 120 rows, too many for classes"),
        (lambda row, cell: cell, NUMBERS, "t.csv:2: column `y`: 120 of 120 values are not numbers: "),
        (lambda row, _: "red", NUMBERS, "'red' (line 2)"),
        (lambda row, _: quoted(f"{row},5"), NUMBERS, "set `data.format.decimal`"),
        (lambda row, _: quoted(f"{row},5"), CLASSES, "t.csv:2: column `y`: 120 of 120 values are not numbers: '0,5'"),
    ],
)
def test_target_that_cannot_be_learned_is_refused(desk: Desk, cell_of: CellOf, task: str, says: str) -> None:
    assert says in desk.refusal(text(with_column("y", cell_of)), task)


@pytest.mark.parametrize("cell", ["abc", "inf", "-1e400", "#REF!", "1,5", "5 %", "yes"])
@pytest.mark.parametrize("row", [FIRST, MIDDLE, LAST])
def test_cell_of_a_regression_that_is_no_number_is_named(desk: Desk, cell: str, row: int) -> None:
    rows = with_column("y", lambda place, _: quoted(cell) if place == row else f"{place * 0.37:.3f}")
    message = desk.refusal(text(rows), NUMBERS)
    assert message.startswith(f"t.csv:{row + 2}: column `y`: 1 of 120 values is not a ")
    assert f"'{cell}' (line {row + 2})" in message


@pytest.mark.parametrize(
    "cell_of",
    [
        lambda row, cell: [cell, f" {cell}", f"{cell} ", f"\t{cell}\xa0"][row % 4],
        lambda row, cell: [cell, cell.upper(), cell.title()][row % 3],
        lambda row, cell: [cell, quoted(cell), quoted(f" {cell}")][row % 3],
        lambda row, cell: cell.replace("yes", "true").replace("no", "false"),
        lambda row, cell: {"yes": ["1", "1.0", "01", "1e0"], "no": ["0", "0.0", "-0", "+0"]}[cell][row % 4],
        lambda row, cell: {"yes": "b", "no": "a"}[cell],
        lambda row, cell: {"yes": "-5", "no": "-7"}[cell],
    ],
)
def test_two_classes_in_any_spelling_are_two(desk: Desk, cell_of: CellOf) -> None:
    desk.is_clean(text(with_column("y", cell_of)))
    assert not check("t.yaml").warnings


def test_labels_that_differ_in_case_are_classes_and_warned_of(desk: Desk) -> None:
    rows = with_column("y", lambda row, cell: {"yes": ["Cat", "cat"], "no": ["dog"] * 2}[cell][row % 2])
    run = desk.train(text(rows))
    assert check("t.yaml").classes == ("Cat", "cat", "dog")
    assert "column `y` has the levels 'Cat', 'cat', which differ only in case" in log(run.path)


@pytest.mark.parametrize("token", ["", "NA", "?", "null", " "])
def test_rows_without_a_target_are_counted_and_left_out(desk: Desk, token: str) -> None:
    rows = with_column("y", lambda row, cell: token if row in (8, 18, 28) else cell)
    run = desk.train(text(rows))
    assert "t.csv: 3 of 120 rows have no `y` and are left out" in log(run.path)
    assert run.metrics == desk.train(text([row for place, row in enumerate(rows) if place not in (8, 18, 28)])).metrics
    message = desk.refusal(text(rows), "data.missing_target=error")
    assert "t.csv:10: `y` is missing in 3 rows" in message


@pytest.mark.parametrize("token", ["None", "#N/A", "-", "<NA>"])
def test_label_that_stands_for_a_missing_value_is_warned_of(desk: Desk, token: str) -> None:
    run = desk.train(text(changed(MIDDLE, "y", token)))
    assert f"column `y` has the level '{token}' in 1 row: what stands for a missing value" in log(run.path)


def test_class_of_one_row_does_not_crash_the_split(desk: Desk) -> None:
    run = desk.train(text(changed(MIDDLE, "y", "rare")), "data.split={type: stratified, val: 0.2, test: 0.2}")
    assert all(map(math.isfinite, run.metrics.values()))


@pytest.mark.parametrize("cell", ["5.0", "0", "-1e30"])
def test_target_that_is_one_number_is_warned_of(desk: Desk, cell: str) -> None:
    run = desk.train(text(with_column("y", lambda row, _: cell)), NUMBERS)
    assert f"the target `y` is {float(cell):g} in every row: there is nothing to learn" in log(run.path)
    assert all(map(math.isfinite, run.metrics.values()))


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e15, 1e30, 1e100])
def test_target_of_any_size_leaves_finite_metrics(desk: Desk, size: float) -> None:
    rows = with_column("y", lambda row, _: repr(float(ROWS[row][0]) * size))
    metrics = desk.train(text(rows), NUMBERS).metrics
    assert all(map(math.isfinite, metrics.values()))
    assert metrics["train_r2"] > 0.9
