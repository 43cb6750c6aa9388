"""Classes that a part lacks are named, and targets that never vary."""

from __future__ import annotations

import numpy as np

from nnctl.network.members import stream

ROWS = 300


def columns(y) -> dict:
    a, b = stream(0, "classes").random((2, len(y)))
    return {"a": a, "b": b, "y": y}


def about_target(found) -> list[str]:
    return [text for text in found if text.startswith("target") and "differs" not in text]


def test_a_class_with_few_training_rows_is_named(audited) -> None:
    y = np.where(np.arange(ROWS) < 5, "c", np.where(np.arange(ROWS) % 2, "a", "b"))
    found = about_target(audited(columns(y), split="none"))
    assert found == [
        "target `y`: class `c` has fewer than 10 rows (5) among the 300 training rows, and is hardly learned; collect "
        "more of it, leave its rows out of the file, or merge it with another class"
    ]


def test_an_even_share_of_few_rows_is_not_rare(audited) -> None:
    assert not about_target(audited(columns([0, 1, 2] * 4), split="none"))


def test_classes_that_a_part_lacks_are_named(audited) -> None:
    y = ["a", "b"] * 100 + ["a", "c"] * 50
    found = about_target(audited(columns(y), split={"type": "time", "val": 100}))
    assert found == [
        "target `y`: class `c` has no row among the 200 training rows, and cannot be learned; collect more of it, "
        "leave its rows out of the file, or merge it with another class",
        "target `y`: class `b` has no row among the 100 validation rows: no score there says anything about it; make "
        "it larger (`data.split.val`), or split by `type: stratified`",
    ]


def test_a_file_that_lacks_classes_is_named(audited) -> None:
    found = about_target(audited(columns(["a", "b", "c", "d"] * 50), test=columns(["a", "b"] * 20)))
    assert found == [
        "target `y`: each of the classes `c`, `d` has no row among the 40 test rows: no score there says anything "
        "about it; put such rows into `data.test_path`"
    ]


def test_each_label_of_several_is_counted(audited) -> None:
    data = columns([0, 1] * 150)
    data["z"] = ["yes" if place < 6 else "no" for place in range(ROWS)]
    found = about_target(audited(data, target=["y", "z"], task="multilabel", split={"type": "time", "val": 100}))
    assert len(found) == 2
    assert found[0].startswith("target `z`: class `yes` has fewer than 10 rows (6) among the 200 training rows")
    assert found[1].startswith("target `z`: class `yes` has no row among the 100 validation rows")


def test_rows_of_weight_0_are_none(audited) -> None:
    data = {**columns(["a", "b", "c"] * 100), "w": [1.0, 1.0, 0.0] * 100}
    (found,) = about_target(audited(data, weight="w", split="none"))
    assert found.startswith("target `y`: class `c` has no row among the 200 training rows")


def test_a_number_that_does_not_vary_in_training_is_told(audited) -> None:
    y = [5.5] * 200 + [6.5] * 100
    found = about_target(audited(columns(y), task="regression", split={"type": "time", "val": 100}))
    assert found == [
        "target `y` is 5.5 in all 200 training rows: there is nothing to learn; take other rows for training "
        "(`data.split`)"
    ]


def test_a_target_that_never_varies_has_a_warning_already(audited) -> None:
    assert not about_target(audited(columns([5.5] * ROWS), task="regression", split="none"))
