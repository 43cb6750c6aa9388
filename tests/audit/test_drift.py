"""Random splits practically never warn; a column that a part shows otherwise does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.audit.drift import drifting, shift_of_levels, shift_of_numbers
from nnctl.audit.rows import looked_at
from nnctl.experiment import open_experiment
from nnctl.network.members import stream

CONFIGS = Path(__file__).parent.parent.parent / "configs"
ROWS = 400


def table(seed: int, rows: int = ROWS) -> dict:
    rng = stream(seed, "drift")
    return {
        "a": rng.standard_normal(rows),
        "town": rng.choice(["Bonn", "Kiel", "Ulm"], rows),
        "flag": rng.choice(["yes", "no"], rows),
        "y": rng.integers(0, 2, rows),
    }


def drifted(found) -> list[str]:
    return [text for text in found if " differs between " in text]


@pytest.mark.parametrize("name", ["iris", "penguins", "auto_mpg"])
def test_random_splits_do_not_warn(name) -> None:
    for seed in range(20):
        split = f"data.split={{type: random, val: 0.2, test: 0.2, seed: {seed}}}"
        assert drifting(looked_at(open_experiment(CONFIGS / f"{name}.yaml", [split]).prepared)) == []


def test_files_that_are_alike_do_not_warn(audited) -> None:
    assert not drifted(audited(table(0), val=table(1, 200), test=table(2, 100)))


def test_numbers_levels_and_missing_cells_that_lie_otherwise_are_told(audited) -> None:
    val = table(1, 200)
    val["a"] = 2.54 * val["a"] + 1
    val["town"] = np.where(np.arange(200) % 2, "Rome", val["town"])
    val["flag"] = np.where(np.arange(200) % 2, "", val["flag"])
    val["y"] = (np.arange(200) % 10 > 0).astype(int)
    found = drifted(audited(table(0), val=val))
    assert sorted(text.split("`")[1] for text in found) == ["a", "flag", "town", "y"]
    by_name = {text.split("`")[1]: text for text in found}
    start = "differs between training and validation rows: 0.0 % are"
    assert by_name["town"].startswith(f"column `town` {start} `Rome` in training, 50.0 % here (distance ")
    assert by_name["flag"].startswith(f"column `flag` {start} missing in training, 50.0 % here (distance ")
    for name in ("a", "town", "flag"):
        assert by_name[name].endswith(
            "; see that val.csv has it in the same unit and coding, or list it in `data.drop`"
        )
    assert by_name["y"].startswith("target `y` differs ")
    assert by_name["y"].endswith("; see that val.csv has it in the same unit and coding")


def test_a_split_by_time_tells_what_time_moves(audited) -> None:
    train = table(0)
    train["trend"] = np.round(np.arange(ROWS) / 10 + train["a"], 3)
    (found,) = drifted(audited(train, split={"type": "time", "val": 80}))
    assert found.startswith("column `trend` differs between training and validation rows: ")
    assert found.endswith("or, if new rows will not be like the validation rows, write `data.split: random`")


def test_dates_are_told_as_dates(audited) -> None:
    train = {**table(0), "day": [f"20{10 + place // 40}-01-{1 + place % 28:02}" for place in range(ROWS)]}
    (found,) = drifted(audited(train, split={"type": "time", "val": 80}, columns={"day": {"type": "date"}}))
    assert "100.0 % are up to 2017-01-28 in training, 0.0 % here (distance 1.00" in found


def test_what_differs_by_little_is_not_told_however_sure_it_is(audited) -> None:
    train, val = table(0, 20_000), table(1, 20_000)
    val["a"] = val["a"] + 0.2  # a distance of 0.08, four times what chance gives
    assert not drifted(audited(train, val=val))


def test_the_distance_of_numbers_is_the_largest_gap_of_their_shares() -> None:
    shift = shift_of_numbers(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6, 7]), 0.05)
    assert (shift.distance, shift.what, shift.train, shift.other) == (0.6, "<= 4", 1.0, 0.4)
    assert shift.chance == pytest.approx(np.sqrt((1 / 4 + 1 / 5) * np.log(2 / 0.05) / 2))


def test_the_distance_of_levels_is_half_of_what_their_shares_differ_by() -> None:
    shift = shift_of_levels(np.array([0, 0, 1, 1]), np.array([0, 2, 2, 2]), ["a", "b", "c"], 0.05)
    assert (shift.distance, shift.what, shift.train, shift.other) == (0.75, "`c`", 0.0, 0.75)


@pytest.mark.parametrize(("n", "m", "levels"), [(120, 30, 2), (500, 100, 20), (300, 300, 150)])
def test_chance_stays_below_its_bound_as_often_as_it_says(n, m, levels) -> None:
    rng, alpha, over = stream(n, "chance"), 0.05, np.zeros(2)
    for _ in range(400):
        codes = rng.integers(0, levels, n + m)
        names = [f"{code}" for code in range(levels)]
        level, number = (
            shift_of_levels(codes[:n], codes[n:], names, alpha),
            shift_of_numbers(codes[:n], codes[n:], alpha),
        )
        over += level.distance > level.chance, number.distance > number.chance
    assert (over / 400 <= alpha).all()
