"""Rows that stand in two parts are counted."""

from __future__ import annotations

import numpy as np

from nnctl.audit.rows import looked_at
from nnctl.network.members import stream

ROWS = 200


def table(seed: int, rows: int = ROWS) -> dict[str, list]:
    rng = stream(seed, "duplicates")
    town = [("Ulm", "Bonn", "Kiel", "")[place] for place in rng.integers(0, 4, rows)]
    number = ["" if rng.random() < 0.2 else round(float(value), 3) for value in rng.standard_normal(rows)]
    return {"town": town, "a": number, "b": rng.random(rows).tolist(), "y": rng.integers(0, 2, rows).tolist()}


def copied(found) -> list[str]:
    return [text for text in found if "cop" in text]


def planted(places: list[int]) -> dict[str, list]:
    """A table whose first rows are those of the training table at some places; its towns come in another order."""
    train, other = table(0), table(1, 100)
    for name, cells in other.items():
        cells[: len(places)] = [train[name][place] for place in places]
    other["town"][-1] = "Aachen"
    return other


def test_rows_of_another_file_are_counted_with_their_lines(audited) -> None:
    (found,) = copied(audited(table(0), val=planted([150, 3, 3])))
    assert found == (
        "3 of 100 validation rows (3.0 %) are copies of training rows in `y` and all features (line 2 is like line "
        "152 of train.csv): a validation score on them shows memory; remove them from val.csv"
    )


def test_missing_cells_are_equal_and_zero_has_no_sign(audited) -> None:
    train, other = table(0), table(1)
    train["a"][7], other["a"][0] = "", "NA"
    train["b"][7], other["b"][0] = 0, "-0.0"
    for name in ("town", "y"):
        other[name][0] = train[name][7]
    (found,) = copied(audited(train, test=other))
    assert found.startswith("1 of 200 test rows (0.5 %) is a copy of a training row in `y` and all features")


def test_a_row_with_another_target_is_no_copy(audited) -> None:
    other = planted([150])
    other["y"][0] = 1 - other["y"][0]
    assert not copied(audited(table(0), val=other))


def test_rows_of_one_file_that_stand_twice_are_found(audited) -> None:
    train = {name: cells * 2 for name, cells in table(0).items()}
    (found,) = copied(audited(train, split={"type": "time", "val": ROWS}))
    assert found.startswith("200 of 200 validation rows (100.0 %) are copies of training rows")
    assert "(line 202 is like line 2)" in found
    assert "`data.split: {type: group, column: ...}`" in found


def test_a_row_number_hides_no_copy(audited) -> None:
    train = {"id": list(range(2 * ROWS)), **{name: cells * 2 for name, cells in table(0).items()}}
    (found,) = copied(audited(train, split={"type": "time", "val": ROWS}))
    assert "are copies of training rows in `y` and all features but `id`" in found


def test_few_possible_rows_repeat_by_themselves(audited) -> None:
    rng = stream(0, "flags")
    flags = {name: rng.integers(0, 2, ROWS) for name in "abcdy"}
    assert not copied(audited(flags))


def test_rows_of_weight_0_are_not_learned_from(audited) -> None:
    train = {**table(0), "w": [float(place != 150) for place in range(ROWS)]}
    other = {**planted([150, 3]), "w": [1.0] * 100}
    (found,) = copied(audited(train, val=other, weight="w"))
    assert found.startswith("1 of 100 validation rows")


def test_a_copy_of_numbers_to_predict_counts_for_all_of_them(audited) -> None:
    train, other = table(0), planted([5])
    train["z"], other["z"] = [0.25 * each for each in range(ROWS)], [1.25] * 100
    assert len(copied(audited(train, val=other, target=["y", "z"], task="regression"))) == 1
    other["z"][0] = 0.5
    assert not copied(audited(train, val=other, target=["y", "z"], task="regression"))


def test_all_training_rows_count_though_few_are_looked_at(audited, prepared, monkeypatch) -> None:
    monkeypatch.setattr("nnctl.audit.rows.MOST_ROWS", 10)
    monkeypatch.setattr("nnctl.audit.duplicates.BLOCK", 7)
    found = copied(audited(table(0), val=planted([150, 3, 3])))
    assert found[0].startswith(
        "1 of 10 validation rows (evenly spaced ones of 100) (10.0 %) is a copy of a training row"
    )
    sample = looked_at(prepared(table(0), val=planted([150]))).train
    assert sample.rows.tolist() == list(range(0, ROWS, 20))
    assert np.array_equal(sample.truth, np.array(table(0)["y"])[::20])
