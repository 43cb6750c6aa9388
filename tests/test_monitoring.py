"""What early stopping may watch: the loss, or any metric of the task, with its options where it is listed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import nnctl
from nnctl.component import registry
from nnctl.metrics import Metric
from nnctl.metrics.ece import Ece
from nnctl.preparing.preparation import prepare
from nnctl.spec.reading import read_experiment
from tests.tables import CLASSIFY, REGRESS, experiment

BINARY, NUMBERS = (
    [cls for cls in registry.classes("metrics", Metric) if t in cls.tasks] for t in ("binary", "regression")
)
CASES = [(CLASSIFY, cls) for cls in BINARY] + [(REGRESS, cls) for cls in NUMBERS]


@pytest.mark.parametrize("part", ["val", "train"])
@pytest.mark.parametrize(("text", "cls"), CASES, ids=lambda value: getattr(value, "name", ""))
def test_every_metric_may_be_monitored(tmp_path: Path, text: str, cls: type[Metric], part: str) -> None:
    changes = {"early_stopping": {"monitor": f"{part}_{cls.name}"}}
    job = prepare(read_experiment(experiment(tmp_path, text), changes).experiment).job
    assert (job.monitor, job.better) == (f"{part}_{cls.name}", cls.better)
    assert [metric.name for metric in job.metrics].count(cls.name) == 1


@pytest.mark.parametrize("part", ["val", "train"])
def test_a_metric_with_options_is_monitored_with_them(tmp_path: Path, part: str) -> None:
    changes = {
        "metrics": ["f1", {"type": "ece", "bins": 3}],
        "early_stopping": {"monitor": f"{part}_ece", "patience": 3},
        "train.epochs": 20,
    }
    config = experiment(tmp_path)
    assert prepare(read_experiment(config, changes).experiment).job.metrics[1] == Ece(bins=3)
    run = nnctl.train(config, changes, runs_dir=tmp_path / "runs")
    with open(Path(run.path) / "metrics.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [name for name in rows[0] if name.startswith("val_")] == ["val_loss", "val_f1", "val_ece"]
    if part == "val":
        best = min(rows, key=lambda row: float(row["val_ece"]))
        assert run.best_epoch == int(best["epoch"])
        assert run.metrics["val_ece"] == pytest.approx(float(best["val_ece"]), rel=1e-6)
