"""Runs are compared on the same rows, against plain arithmetic on their predictions."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import nnctl
from nnctl.comparing import Comparison, compare
from nnctl.errors import RunError, SpecError
from nnctl.significance.mcnemar import McNemar
from tests.tables import CLASSIFY, REGRESS, experiment


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def classes(folder: Path) -> list[str]:
    """Two classifiers that differ in their learning rate: a bad one and a good one."""
    config = experiment(folder, CLASSIFY)
    return [nnctl.train(config, {"optimizer.lr": lr, "data.split.test": 0.4}).path for lr in (1e-6, 0.05)]


@pytest.fixture
def numbers(folder: Path) -> list[str]:
    config = experiment(folder, REGRESS)
    return [nnctl.train(config, {"optimizer.lr": lr, "data.split.test": 0.4}).path for lr in (1e-6, 0.02)]


def told(run: str) -> list[dict[str, str]]:
    """The rows of the table with what `predict` says of them."""
    whole = Path("predictions.csv")
    nnctl.predict(run, "table.csv", whole)
    with whole.open() as file:
        return list(csv.DictReader(file))


def test_classifiers_are_compared_row_by_row(classes: list[str]) -> None:
    found = compare(classes)
    (pair,) = found.pairs
    (measured,) = pair.measured
    judged = [nnctl.evaluate(run, split="test") for run in classes]
    assert (pair.part, pair.rows, measured.metric) == ("test", judged[0].rows, "test_accuracy")
    assert [measured.a, measured.b] == [each.metrics["accuracy"] for each in judged]
    assert measured.interval is not None
    assert measured.interval.low < measured.difference < measured.interval.high
    assert measured.interval.clear
    test = pair.mcnemar
    assert test is not None
    assert test.only_b - test.only_a == round(measured.difference * pair.rows)
    assert found.config == {"optimizer.lr": [1e-6, 0.05]}
    assert found.metrics["test_accuracy"].best == [1]


def test_the_rows_that_one_alone_gets_right_are_those_that_predict_writes(classes: list[str]) -> None:
    # All rows are test rows here, so that what predict writes for the file are the rows that are compared.
    config = Path("all.yaml")
    config.write_text(Path("it.yaml").read_text().replace("split: {val: 0.2, test: 0.2}", "test_path: table.csv"))
    runs = [nnctl.train(config, {"optimizer.lr": lr, "train.epochs": 2}).path for lr in (0.001, 0.03)]
    first, second = told(runs[0]), told(runs[1])
    only_a = sum(a["prediction"] == a["answer"] != b["prediction"] for a, b in zip(first, second, strict=True))
    only_b = sum(b["prediction"] == b["answer"] != a["prediction"] for a, b in zip(first, second, strict=True))
    (pair,) = compare(runs).pairs
    assert pair.mcnemar == McNemar(only_a, only_b)
    assert pair.rows == 120


def test_regressions_are_compared_by_rmse_and_mae(numbers: list[str]) -> None:
    (pair,) = compare(numbers).pairs
    judged = [nnctl.evaluate(run, split="test").metrics for run in numbers]
    assert [each.metric for each in pair.measured] == ["test_rmse", "test_mae"]
    for each, name in zip(pair.measured, ("rmse", "mae"), strict=True):
        assert [each.a, each.b] == pytest.approx([metrics[name] for metrics in judged])
        assert each.interval is not None
        assert each.interval.high < 0
    assert pair.mcnemar is None


def test_the_metric_and_its_part_can_be_chosen(classes: list[str]) -> None:
    def one(metric: str) -> tuple[str | None, str, bool]:
        (pair,) = compare(classes, metric).pairs
        (measured,) = pair.measured
        return pair.part, measured.metric, measured.interval is not None

    assert one("roc_auc") == ("test", "test_roc_auc", True)
    assert one("val_f1") == ("val", "val_f1", True)
    assert one("train_accuracy") == ("train", "train_accuracy", True)
    assert one("loss") == ("test", "test_loss", False)
    assert "row by row" in compare(classes, "loss").pairs[0].notes[0]
    with pytest.raises(SpecError, match="did you mean `val_roc_auc`"):
        compare(classes, "val_roc_acu")


def test_the_same_comparison_twice_says_the_same(classes: list[str]) -> None:
    assert compare(classes).as_json() == compare(classes).as_json()


def test_json_is_plain(classes: list[str]) -> None:
    printed = compare(classes).as_json()
    assert json.loads(json.dumps(printed, allow_nan=False)) == printed
    assert printed["schema"] == "nnctl.compare/1"
    assert [run["run"] for run in printed["runs"]] == classes
    (pair,) = printed["pairs"]
    assert set(pair) == {"a", "b", "part", "rows", "measured", "mcnemar", "notes"}
    assert set(pair["mcnemar"]) == {"only_a", "only_b", "p", "exact"}


def note_of(found: Comparison) -> str:
    (pair,) = found.pairs
    assert (pair.rows, pair.mcnemar) == (0, None)
    assert all(each.interval is None for each in pair.measured)
    return pair.notes[0]


def test_other_rows_another_target_or_changed_data_are_said_and_not_compared(classes: list[str]) -> None:
    moved = nnctl.train("it.yaml", {"data.split.seed": 7, "data.split.test": 0.4}).path
    found = compare([classes[0], moved])
    assert "different test rows" in note_of(found)
    assert found.pairs[0].measured  # the metrics that each has are told
    other = nnctl.train("it.yaml", {"data.target": "colour", "data.split.test": 0.4}).path
    assert "do not predict the same target" in note_of(compare([classes[0], other]))
    shutil.copy("table.csv", "copy.csv")
    copied = nnctl.train("it.yaml", {"data.path": "copy.csv", "data.split.test": 0.4}).path
    assert compare([classes[0], copied]).pairs[0].rows  # the same bytes are the same data
    with Path("table.csv").open("a") as file:
        file.write("n120,0.5,0.5,red,true,no,1.0\n")
    assert "is not the file" in note_of(compare([classes[0], copied]))
    Path("table.csv").unlink()
    assert "table.csv" in note_of(compare(classes))


def test_without_held_back_rows_only_settings_and_metrics_are_compared(folder: Path) -> None:
    config = experiment(folder, CLASSIFY)
    runs = [nnctl.train(config, {"data.split": None, "optimizer.lr": lr}).path for lr in (0.01, 0.02)]
    found = compare(runs)
    assert "test or val rows" in note_of(found)
    assert found.metrics["train_accuracy"].values
    assert compare(runs, "accuracy").pairs[0].measured[0].metric == "train_accuracy"


def test_row_weights_count_in_the_metrics_and_must_be_the_same(folder: Path) -> None:
    config = experiment(folder, REGRESS)
    rows = Path("table.csv").read_text().splitlines()
    Path("table.csv").write_text("\n".join([rows[0] + ",w", *(f"{row},{i % 3}" for i, row in enumerate(rows[1:]))]))
    a, b = (nnctl.train(config, {"data.weight": "w", "optimizer.lr": lr}).path for lr in (1e-5, 0.02))
    (pair,) = compare([a, b]).pairs
    judged = [nnctl.evaluate(run, split="test").metrics["rmse"] for run in (a, b)]
    assert [pair.measured[0].a, pair.measured[0].b] == pytest.approx(judged)
    plain = nnctl.train(config, {"data.drop": ["answer", "w"], "optimizer.lr": 0.02}).path
    assert "same weights" in note_of(compare([a, plain]))


def test_repeated_runs_tell_the_noise_of_the_seed(folder: Path) -> None:
    config = experiment(folder, REGRESS)
    seeds = {"data.split.seed": 0}
    first = [nnctl.train(config, {**seeds, "seed": seed}).path for seed in (0, 1, 2)]
    assert "no run repeats" not in " ".join(compare(first[:2]).pairs[0].notes)
    other = nnctl.train(config, {**seeds, "optimizer.lr": 1e-6}).path
    (pair,) = compare([first[0], other]).pairs
    values = [json.loads(Path(run, "metrics.json").read_text())["metrics"]["test_rmse"] for run in first]
    noise = pair.measured[0].noise
    assert noise is not None
    assert noise.std == pytest.approx(float(np.std(values, ddof=1)))
    assert noise.runs == (3,)
    assert not noise.explains(pair.measured[0].difference)


def test_where_nothing_was_repeated_the_command_that_repeats_is_given(classes: list[str]) -> None:
    (note,) = compare(classes).pairs[0].notes
    wanted = f"for s in 1 2 3 4; do nnctl train {classes[0]}/resolved.yaml data.split.seed=0 seed=$s; done"
    assert wanted in note
    for seed in (1, 2):
        nnctl.train(f"{classes[0]}/resolved.yaml", {"data.split.seed": 0, "seed": seed})
    pair = compare(classes).pairs[0]
    assert pair.notes == []
    assert pair.measured[0].noise is not None
    assert pair.measured[0].noise.runs == (3,)


def test_what_cannot_be_compared_is_refused(classes: list[str]) -> None:
    with pytest.raises(SpecError, match="nothing to compare"):
        compare([classes[0], classes[0]])
    with pytest.raises(SpecError, match="names no run"):
        compare([classes[0], "nothing"])
    Path(classes[1], "run.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        compare(classes)


def test_a_damaged_checkpoint_is_said_beside_what_can_be_compared(classes: list[str]) -> None:
    path = Path(classes[1], "checkpoints", "best.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    assert "is damaged" in note_of(compare(classes))
