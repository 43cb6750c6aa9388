"""Whatever numbers come in: the data is refused (3), the run diverges (4), or the result is right. Never a NaN kept."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.network.members import stream
from nnctl.runs import checkpoint
from tests.tables import write_csv

CONFIG = """
data: {path: table.csv, target: y, split: {type: random, val: 0.25, test: 0.25}}
model: {hidden: [4]}
optimizer: {lr: 0.01}
train: {epochs: 4, batch_size: 8}
"""
CLASSES = {"target": "c", "drop": ["y", "k"]}
NUMBERS = {"drop": ["c", "k"]}
COUNTS = {"target": "k", "drop": ["c", "y"], "task": "regression"}


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "it.yaml").write_text(CONFIG)
    return tmp_path / "it.yaml"


def written(folder: Path, **cells: Any) -> None:
    """A table of 40 rows; ``cells`` are values by column, put into every fourth row, or into all where it is a list."""
    rng = stream(0, "rows")
    rows = [
        {"a": a, "b": b, "y": a - b, "c": "yes" if a > b else "no", "k": int(rng.poisson(2))}
        for a, b in rng.standard_normal((40, 2)).tolist()
    ]
    for column, value in cells.items():
        for place, row in enumerate(rows):
            if isinstance(value, list):
                row[column] = value[place % len(value)]
            elif place % 4 == 0:
                row[column] = value
    write_csv(folder / "table.csv", list(rows[0]), [list(row.values()) for row in rows])


def outcome(config: Path, data: dict[str, Any], changes: dict[str, Any]) -> int:
    """The exit code of a training; whatever it is, what lies in the run folder holds."""
    spec = {f"data.{key}": value for key, value in data.items()} | changes
    code = 0
    try:
        nnctl.train(config, spec)
    except nnctl.NnctlError as error:
        code = error.exit_code
    folders = [path for path in config.parent.glob("runs/it/*") if not path.is_symlink()]
    assert bool(folders) == (code in (0, 4))
    for folder in folders:
        _check(folder, diverged=code == 4)
    return code


def _check(folder: Path, *, diverged: bool) -> None:
    """All JSON is JSON, no metric is NaN where it was the best, and no weight that is kept is not finite."""
    run, metrics = (_json(folder / name) for name in ("run.json", "metrics.json"))
    assert run["status"] == ("diverged" if diverged else "completed")
    assert (folder / "autopsy.md").exists() == diverged
    best = folder / "checkpoints" / "best.safetensors"
    assert best.exists() == (run["best_epoch"] > 0)
    if best.exists():
        assert all(np.isfinite(array).all() for array in checkpoint.load(best).tensors.values())
        rows = list(csv.DictReader((folder / "metrics.csv").read_text().splitlines()))
        kept = next(row for row in rows if int(row["epoch"]) == run["best_epoch"])
        values = [float(row["val_loss"]) for row in rows if row["val_loss"]]
        assert float(kept["val_loss"]) == min(values)
        assert all(map(math.isfinite, values))
    if not diverged:
        assert all(value is not None for name, value in metrics["metrics"].items() if name.endswith("_loss"))


def _json(path: Path) -> Any:
    return json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(f"{path}: {name} is no JSON"))


FAR = [1e25, 0.5, -1e25, -0.5]
SGD = {"type": "sgd", "lr": 1e10}
WIDE = {"data.numeric.scale": "none"}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], int]] = {
    # cells of the table, keys of data, other changes, and the exit code
    "a learning rate of 1e10": ({}, NUMBERS, {"optimizer": SGD}, 4),
    "a learning rate of 1e10, adam": ({}, NUMBERS, {"optimizer.lr": 1e10}, 4),
    "a learning rate of 1e10 for classes": ({}, CLASSES, {"optimizer": SGD, "model.activation": "tanh"}, 0),
    "a learning rate of 1e300": ({}, NUMBERS, {"optimizer": {"type": "sgd", "lr": 1e300}}, 4),
    "a feature beyond float32": ({"a": 1e300}, NUMBERS, WIDE, 3),
    "a feature beyond float64": ({"a": "1e400"}, NUMBERS, WIDE, 3),
    "a feature beyond float32, scaled": ({"a": 1e100}, NUMBERS, {}, 0),
    "a feature whose squares overflow": ({"a": FAR}, NUMBERS, WIDE, 4),
    "a feature whose squares overflow, scaled": ({"a": FAR}, NUMBERS, {}, 0),
    "a feature whose squares overflow, skipped": ({"a": FAR}, NUMBERS, {**WIDE, "train.on_nan": "skip"}, 4),
    "a feature whose squares overflow, back": ({"a": FAR}, NUMBERS, {**WIDE, "train.on_nan": "rollback"}, 4),
    "a feature in float64": ({"a": FAR}, NUMBERS, {**WIDE, "model.dtype": "float64"}, 0),
    "the word nan in a feature": ({"a": "nan"}, NUMBERS, {}, 0),
    "an infinity in a feature": ({"a": "inf"}, NUMBERS, {}, 3),
    "an infinity in the target": ({"y": "-inf"}, NUMBERS, {}, 3),
    "a target beyond float32": ({"y": 1e300}, NUMBERS, {"data.target_scale": "none"}, 3),
    "a feature without variance": ({"a": [7]}, NUMBERS, {"data.numeric.scale": "standardize"}, 0),
    "features without variance": ({"a": [7], "b": [0]}, NUMBERS, {"data.numeric.scale": "min_max"}, 0),
    "a target without variance": ({"y": [7.5]}, NUMBERS, {}, 0),
    "one class": ({"c": ["no"]}, CLASSES, {}, 3),
    "means of zero": ({"k": [0, 0, 3]}, COUNTS, {"loss": "poisson"}, 0),
    "negative counts": ({"k": [0, -1, 3]}, COUNTS, {"loss": "poisson"}, 3),
    "zeros for gamma": ({"k": [0, 1, 3]}, COUNTS, {"loss": "gamma"}, 3),
    "logarithms of targets below -1": ({"k": [-2, 1, 3]}, COUNTS, {"loss": "msle"}, 3),
    "scores whose exponential overflows": (
        {"k": [0, 1, 3]},
        COUNTS,
        {"loss": "poisson", "model.output.bias_init": {"type": "constant", "value": 200.0}},
        0,
    ),
    "huge logits": ({}, CLASSES, {"model.output.init": {"type": "constant", "value": 1e6}}, 0),
    "huge logits of three classes": (
        {"c": ["x", "y", "z"]},
        CLASSES,
        {"model.output.init": {"type": "normal", "std": 1e6}},
        0,
    ),
    "batches of one row with batch_norm": ({}, NUMBERS, {"model.norm": "batch", "train.batch_size": 1}, 0),
    "a label that training has not seen": (
        {"c": ["new"] + ["no", "yes"] * 19 + ["no"], "p": ["test"] + ["train", "val"] * 19 + ["train"]},
        {**CLASSES, "split": {"type": "column", "column": "p"}},
        {},
        3,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_extreme_numbers_end_well(config: Path, tmp_path: Path, name: str) -> None:
    cells, data, changes, expected = CASES[name]
    written(tmp_path, **cells)
    assert outcome(config, data, changes) == expected


def test_a_target_beyond_the_dtype_is_refused_by_its_line(config: Path, tmp_path: Path) -> None:
    written(tmp_path, y=[1.5, 2.0, 1e300])
    with pytest.raises(nnctl.NnctlError, match=r"column `y` is beyond the range of float32") as caught:
        nnctl.train(config, {"data.drop": ["c", "k"], "data.target_scale": "none", "data.split": "none"})
    (problem,) = caught.value.problems
    assert (str(problem.place), problem.key) == (f"{tmp_path / 'table.csv'}:4", "data.target")
    assert "`model.dtype: float64`" in problem.message
