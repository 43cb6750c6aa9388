"""Every way to prepare a column, from the YAML through training and the checkpoint to predictions of new rows."""

from __future__ import annotations

import csv
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.checking import check
from nnctl.errors import DataError
from nnctl.network.members import stream
from nnctl.preparing.preparation import prepare
from nnctl.spec.dump import dump
from nnctl.spec.reading import read_experiment, written
from tests.tables import write_csv

HEADER = ["n", "m", "c", "d", "y"]
CONFIG = """
data:
  path: table.csv
  target: y
  task: regression
  categorical: {one_hot_max: 3}
  columns: {d: {type: date, format: "%d.%m.%Y %H:%M"}}
  split: {val: 0.2, test: 0.2}
model: {hidden: [6]}
train: {epochs: 3}
"""
MONTH = {"type": "parts", "parts": ["month"]}
VARIANTS: list[dict[str, Any]] = [
    {"data.numeric.scale": "robust", "data.numeric.missing": {"constant": -1}, "data.numeric.indicator": True},
    {"data.numeric.scale": "max_abs", "data.numeric.missing": "most_frequent", "data.numeric.clip": [None, 0.5]},
    {"data.numeric.scale": "quantile_normal", "data.columns.d.encode": "cyclic", "data.columns.d.indicator": True},
    {"data.columns.n.scale": {"type": "quantile_normal", "quantiles": 9}, "data.columns.n.clip": [-1, 1]},
    {"data.numeric.scale": "yeo_johnson", "data.columns.m.scale": "log1p", "data.columns.m.missing": "error"},
    {"data.columns.n.scale": "none", "data.columns.n.indicator": True, "data.columns.d.encode": MONTH},
    {"data.columns.c.encode": {"type": "hash", "buckets": 4}},
    {"data.columns.c.encode": "frequency", "data.target_scale": "log1p"},
    {"data.columns.c.encode": "ordinal", "data.target_scale": "yeo_johnson", "data.categorical.min_count": 12},
    {"data.columns.c.encode": "one_hot", "data.target_scale": "robust", "data.categorical.max_levels": 2},
    {"data.target_scale": "quantile_normal"},
    {"data.target_scale": {"type": "divide", "by": 10}},
    {"data.target_scale": "max_abs"},
    {"data.target_scale": "none"},
]


def rows(count: int, seed: int = 0) -> list[list[Any]]:
    rng = stream(seed, "rows")
    made = []
    for _ in range(count):
        n, m, place = float(rng.normal()), float(rng.lognormal()), int(rng.integers(5))
        day = datetime(2023, 1, 1) + timedelta(hours=int(rng.integers(10_000)))
        written = "" if rng.random() < 0.1 else f"{day:%d.%m.%Y %H:%M}"
        level = "" if rng.random() < 0.1 else "abcde"[place]
        made.append(["" if rng.random() < 0.1 else n, m, level, written, 3 + n**2 + m + place])
    return made


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_csv(tmp_path / "table.csv", HEADER, rows(120))
    (tmp_path / "it.yaml").write_text(CONFIG)
    return tmp_path


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(map(str, changes.values())))
def test_a_trained_model_predicts_new_rows_from_its_checkpoint(changes: dict[str, Any], folder: Path) -> None:
    run = nnctl.train("it.yaml", changes)
    # The same transforms, fitted anew and read back, judge the same rows alike.
    found = nnctl.evaluate(run.checkpoint or "", "table.csv", split="test")
    assert found.metrics["loss"] == pytest.approx(run.metrics["test_loss"], rel=1e-6)
    assert found.metrics["rmse"] == pytest.approx(run.metrics["test_rmse"], rel=1e-6)
    new = rows(20, seed=1)
    new[3][2] = "unseen"
    write_csv(folder / "new.csv", HEADER[:-1], [row[:-1] for row in new])
    notes = nnctl.predict(run, "new.csv", "out.csv").notes
    with open("out.csv", newline="") as file:
        predicted = [float(row["prediction"]) for row in csv.DictReader(file)]
    frame = {name: [row[place] for row in new] for place, name in enumerate(HEADER[:-1])}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert nnctl.load(run).predict(frame).tolist() == predicted
    assert [str(each.message) for each in warned] == [note.replace("new.csv", "frame") for note in notes]
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize("changes", VARIANTS, ids=lambda changes: " ".join(map(str, changes.values())))
def test_the_resolved_config_prepares_the_same_numbers(changes: dict[str, Any]) -> None:
    first = prepare(read_experiment("it.yaml", changes).experiment)
    Path("resolved.yaml").write_text(dump(written(first.experiment)))
    again = prepare(read_experiment("resolved.yaml").experiment)
    assert again.features == first.features
    assert again.experiment.data == first.experiment.data
    for part, examples in first.examples.items():
        np.testing.assert_array_equal(again.examples[part].x, examples.x)
        np.testing.assert_array_equal(again.examples[part].t, examples.t)


@pytest.mark.parametrize(("most", "chosen", "width"), [(5, "one_hot", 6), (4, "embedding", 1)])
def test_auto_encodes_many_levels_as_codes(most: int, chosen: str, width: int) -> None:
    found = check("it.yaml", {"data.categorical.one_hot_max": most})
    column = next(column for column in found.columns if column.name == "c")
    assert (column.transform, column.width) == (chosen, width)
    assert f"type: {chosen}" in found.resolved


def test_levels_are_counted_in_the_training_rows_alone() -> None:
    lines = Path("table.csv").read_text().splitlines()
    lines += ["1,1,once,,1", "1,1,twice,,1"]
    Path("table.csv").write_text("\n".join(lines) + "\n")
    found = prepare(read_experiment("it.yaml", {"data.split": {"type": "time", "val": 2}}).experiment)
    feature = next(each for each in found.features.columns if each.name == "c")
    assert feature.state["levels"] == list("abcde")
    assert any("table.csv: `c` has a level in 2 rows that no training row has" in text for text in found.warnings)


def test_pooled_levels_are_as_good_as_missing() -> None:
    found = prepare(read_experiment("it.yaml", {"data.categorical.max_levels": 2}).experiment)
    feature = next(each for each in found.features.columns if each.name == "c")
    assert feature.transform == "one_hot"
    assert len(feature.state["levels"]) == 2
    assert feature.width == 3
    assert not any("no training row" in note for note in found.notes)


def test_a_target_that_its_scale_does_not_take_is_refused_by_line() -> None:
    text = Path("table.csv").read_text().splitlines()
    text[4] = "1,1,a,,-2.5"
    Path("table.csv").write_text("\n".join(text) + "\n")
    with pytest.raises(DataError) as caught:
        nnctl.train("it.yaml", {"data.target_scale": "log1p"})
    message = "table.csv:5: column `y`: 1 of 120 cells is outside of what log1p takes (numbers > -1): -2.5 (line 5)"
    assert str(caught.value) == message


def test_a_later_row_with_a_forbidden_gap_is_refused_by_line(folder: Path) -> None:
    run = nnctl.train("it.yaml", {"data.columns.m.missing": "error"})
    write_csv(folder / "new.csv", HEADER[:-1], [[1, 1, "a", ""], [1, "", "a", ""]])
    with pytest.raises(
        DataError, match=r"new.csv:3: column `m`: 1 of 2 cells is missing, which `missing: error` forbids"
    ):
        nnctl.predict(run, "new.csv", "out.csv")


def test_a_date_that_is_none_is_refused_by_line(folder: Path) -> None:
    run = nnctl.train("it.yaml")
    write_csv(folder / "new.csv", HEADER[:-1], [[1, 1, "a", "01.02.2024 10:00"], [1, 1, "a", "2024-02-01"]])
    with pytest.raises(DataError, match=r"new.csv:3: column `d`: 1 of 2 values is not a date such as 31.12.2024 00:00"):
        nnctl.predict(run, "new.csv", "out.csv")


@pytest.mark.parametrize(
    ("written", "key", "message"),
    [
        ({"constant": "x"}, "data.numeric.missing.constant", "must be a number, got `x`"),
        ({"constnt": 0}, "data.numeric.missing.constnt", "unknown option"),
        ({"constant": 0, "value": 1}, "data.numeric.missing.constant", "unknown option"),
        ({"type": "constant"}, "data.numeric.missing.value", "is required"),
    ],
)
def test_a_short_constant_is_read_strictly(written: dict[str, Any], key: str, message: str) -> None:
    error = check("it.yaml", {"data.numeric.missing": written}).error
    assert error is not None
    assert key in [problem.key for problem in error.problems]
    assert message in str(error)


def test_the_short_constant_is_the_long_one() -> None:
    def missing(value: dict[str, Any]) -> Any:
        return read_experiment("it.yaml", {"data.numeric.missing": value}).experiment.data.numeric.missing

    assert missing({"constant": 0}) == missing({"type": "constant", "value": 0})


def test_bounds_are_read_strictly() -> None:
    for wrong in ([1], [1, 2, 3], "x", [0, "a"]):
        error = check("it.yaml", {"data.numeric.clip": wrong}).error
        assert "must be" in str(error)
        assert "a number or null" in str(error)
