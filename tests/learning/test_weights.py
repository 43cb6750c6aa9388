"""The weights of rows and classes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import nnctl
from nnctl.errors import DataError
from nnctl.training.trainer import Trainer
from tests.learning.helpers import predicted, prepared, trained
from tests.tables import write_csv


def test_a_weight_of_two_is_two_rows_in_training_loss_and_metrics(folder: Path) -> None:
    with (folder / "table.csv").open() as file:
        header, *rows = csv.reader(file)
    write_csv(folder / "copies.csv", header, [row for row in rows for _ in range(int(row[-1]))])
    plain = ("data.numeric.scale=none", "train.batch_size=full")  # no statistics of rows without weights
    once = trained("ripe", "data.weight=w", *plain, also=("w",))
    copies = trained("ripe", "data.path=copies.csv", *plain)
    for name, value in copies.metrics.items():
        assert once.metrics[name] == pytest.approx(value, rel=1e-9), name
    judged = nnctl.evaluate(once, "table.csv")
    assert judged.metrics["loss"] == pytest.approx(nnctl.evaluate(copies, "copies.csv").metrics["loss"], rel=1e-9)


def test_rows_of_weight_zero_leave_a_batch_without_a_step_and_no_nan(folder: Path) -> None:
    with (folder / "table.csv").open() as file:
        header, *rows = csv.reader(file)
    write_csv(folder / "late.csv", header, [[*row[:-1], int(place > 50)] for place, row in enumerate(rows)])
    job = prepared("size", "data.path=late.csv", "data.weight=w", "train.shuffle=false", also=("w",)).job
    trainer = Trainer(job)
    events = list(trainer.run())
    assert np.isfinite(trainer.arena.theta).all()
    assert events[-1].stop.status == "completed"  # type: ignore[union-attr]


def test_the_column_of_weights_is_no_feature() -> None:
    assert prepared("ripe", "data.weight=w", also=("w",)).features.names == ("a", "b")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("-1", r"table\.csv:4: data\.weight: column `w` is -1; a weight must be a number >= 0"),
        ("", r"table\.csv:4: data\.weight: column `w` is missing; a weight must be a number >= 0"),
        ("much", r"w"),
    ],
)
def test_a_wrong_weight_is_refused_with_its_line(folder: Path, cell: str, message: str) -> None:
    lines = (folder / "table.csv").read_text().splitlines()
    lines[3] = lines[3].rpartition(",")[0] + "," + cell
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError, match=message):
        prepared("ripe", "data.weight=w", also=("w",))


def test_missing_and_negative_weights_are_two_faults(folder: Path) -> None:
    lines = (folder / "table.csv").read_text().splitlines()
    for place, cell in ((3, "-1"), (4, ""), (5, "-2"), (6, ""), (7, "")):
        lines[place] = lines[place].rpartition(",")[0] + "," + cell
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(DataError) as caught:
        prepared("ripe", "data.weight=w", also=("w",))
    assert [problem.message.partition(";")[0] for problem in caught.value.problems] == [
        "column `w` is missing (and 2 more rows like it)",
        "column `w` is -1 (and 1 more rows like it)",
    ]


def test_a_judged_table_without_the_weights_is_told_what_it_has(folder: Path) -> None:
    run = trained("ripe", "data.weight=w", also=("w",))
    text = (folder / "table.csv").read_text()
    (folder / "new.csv").write_text(text.replace(",w\n", ",W\n", 1))
    with pytest.raises(DataError, match="has no column `w`, the weights of the rows, did you mean `W`"):
        nnctl.evaluate(run, "new.csv")
    (folder / "new.csv").write_text(text.replace(",ripe,", ",Ripe,", 1))
    with pytest.raises(DataError, match=r"has no column `ripe`, the target .*, did you mean `Ripe`"):
        nnctl.evaluate(run, "new.csv")


def test_weights_that_are_all_zero_are_refused(folder: Path) -> None:
    text = (folder / "table.csv").read_text().splitlines()
    zeros = [text[0], *(line.rpartition(",")[0] + ",0" for line in text[1:])]
    (folder / "table.csv").write_text("\n".join(zeros) + "\n")
    with pytest.raises(DataError, match="`w` is 0 in all 60 rows"):
        prepared("ripe", "data.weight=w", also=("w",))


def test_a_judged_table_needs_the_weights(folder: Path) -> None:
    run = trained("ripe", "data.weight=w", also=("w",))
    lines = (folder / "table.csv").read_text().splitlines()
    (folder / "new.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
    with pytest.raises(DataError, match="has no column `w`, the weights of the rows"):
        nnctl.evaluate(run, "new.csv")
    assert len(nnctl.load(run).predict({"a": [1.0], "b": [2.0]})) == 1


def test_balanced_classes_weigh_as_in_scikit_learn() -> None:
    found = prepared("sort", "loss.class_weight=balanced")
    codes = found.examples["train"].truth
    counts = np.bincount(codes)
    assert found.target.class_weights == pytest.approx((60 / (3 * counts)).tolist())
    np.testing.assert_allclose(found.examples["train"].w, (60 / (3 * counts))[codes])
    assert found.examples["train"].weight is None


def test_class_weights_go_by_label_and_multiply_with_the_row() -> None:
    found = prepared("sort", "loss.class_weight={fig: 3, apple: 0.5}", "data.weight=w", also=("w",))
    rows = found.examples["train"]
    assert found.target.class_weights == (0.5, 3.0, 1.0)
    assert rows.w is not None
    assert rows.weight is not None
    np.testing.assert_allclose(rows.w, np.array([0.5, 3, 1])[rows.truth] * rows.weight)


def test_class_weights_are_part_of_the_evaluated_loss_and_not_of_metrics() -> None:
    run = trained("ripe", "loss.class_weight={yes: 4}", also=())
    model = nnctl.load(run)
    table = model.table({name: [float(row[name]) for row in predicted(run)] for name in "ab"})
    p = np.clip(model.target.probability(model.outputs(table)[0])[:, 1], 1e-12, 1 - 1e-12)
    t = np.array([row["ripe"] == "yes" for row in predicted(run)])
    losses, w = -np.log(np.where(t, p, 1 - p)), np.where(t, 4.0, 1.0)
    judged = nnctl.evaluate(run, "table.csv").metrics
    assert judged["loss"] == pytest.approx((w * losses).sum() / w.sum(), rel=1e-9)
    assert judged["accuracy"] == pytest.approx(np.mean((p > 0.5) == t))


CATEGORIES = "data.columns={sort: {encode: one_hot}, sweet: {type: category, encode: frequency}}"


@pytest.mark.parametrize("target", ["size", "ripe"])
@pytest.mark.parametrize("scale", ["standardize", "min_max"])
def test_a_training_row_of_weight_zero_is_as_good_as_absent(folder: Path, target: str, scale: str) -> None:
    with (folder / "table.csv").open() as file:
        header, *rows = csv.reader(file)
    strays = [["", "1e3", "1e4", "7", "quince", "no", "off", "0"], ["-1e3", "-1e3", "-1e4", "7", "", "no", "on", "0"]]
    write_csv(folder / "without.csv", header, [row for row in rows if row[-1] != "0"])
    write_csv(folder / "with.csv", header, [*strays, *(row for row in rows if row[-1] != "0"), *strays])
    wanted = (CATEGORIES, f"data.numeric={{scale: {scale}, missing: mean, indicator: true}}", "data.weight=w")
    wanted += ("train.batch_size=full", "data.target_scale=" + (scale if target == "size" else "auto"))
    wanted += ("loss.class_weight=" + ("none" if target == "size" else "balanced"),)
    runs = [
        trained(target, f"data.path={name}", *wanted, also=("w", "sort", "sweet"))
        for name in ("without.csv", "with.csv")
    ]
    one, other = (nnctl.load(run) for run in runs)
    assert one.features == other.features
    assert one.target == other.target
    assert runs[0].metrics == pytest.approx(runs[1].metrics, rel=1e-9)


def test_a_class_of_rows_of_weight_zero_is_not_seen_in_training(folder: Path) -> None:
    with (folder / "table.csv").open() as file:
        header, *rows = csv.reader(file)
    write_csv(folder / "one.csv", header, [[*row[:-1], int(row[5] == "no")] for row in rows])
    with pytest.raises(DataError, match="all training rows are of one class, `no`"):
        prepared("ripe", "data.path=one.csv", "data.weight=w", also=("w",))
