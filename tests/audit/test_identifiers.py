"""Columns that number the rows are named; counts and quantities are not."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.network.members import stream

ROWS = 120
RNG = stream(0, "identifiers")
A = RNG.random(ROWS)
Y = RNG.integers(0, 2, ROWS)
SHUFFLED = RNG.permutation(ROWS)
FAR = RNG.permutation(10_000_000)[:ROWS]  # all distinct, without an order


def named(found) -> list[str]:
    return [text.split("`")[1] for text in found if " numbers the rows: " in text]


@pytest.mark.parametrize(
    "name_and_cells",
    [
        ("No", np.arange(1, ROWS + 1)),
        ("x", SHUFFLED + 5000),
        ("x", np.arange(ROWS) * 1009),
        ("x", -(np.arange(ROWS) ** 2)),
        ("customerID", FAR),
        ("user_id", FAR),
        ("Unnamed: 0", FAR),
    ],
    ids=["counter", "shuffled", "rising", "falling", "customerID", "user_id", "unnamed"],
)
def test_row_numbers_are_named(audited, name_and_cells) -> None:
    name, cells = name_and_cells
    assert named(audited({name: cells, "a": A, "y": Y})) == [name]


@pytest.mark.parametrize(
    "cells",
    [FAR, np.arange(ROWS) // 2, A * ROWS, [*range(ROWS - 9), *[""] * 9]],
    ids=["quantity", "pairs", "fractions", "gaps"],
)
def test_other_numbers_are_not(audited, cells) -> None:
    assert not named(audited({"x": cells, "a": A, "y": Y}))


def test_few_rows_are_left_alone(audited) -> None:
    assert not named(audited({"x": range(19), "a": A[:19], "y": [0, 1] * 9 + [0]}))


def test_what_numbers_the_rows_does_not_drift(audited) -> None:
    (found,) = audited({"place": range(ROWS), "a": A, "y": Y}, split={"type": "time", "val": 60})
    assert found == (
        "column `place` numbers the rows: 120 distinct whole numbers from 0 to 119 in 120 rows, rising from row to "
        "row; a network can learn the file by heart with it, and new rows have other numbers: list it in `data.id` or "
        "`data.drop`"
    )
    assert not audited({"place": range(ROWS), "a": A, "y": Y}, split={"type": "time", "val": 60}, id=["place"])
