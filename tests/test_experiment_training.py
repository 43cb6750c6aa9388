"""Optimizers, schedules and penalties in whole runs, through the Python API."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import nnctl
from nnctl.checking import check
from tests.tables import CLASSIFY, REGRESS, experiment


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder, CLASSIFY)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({}, "val_loss"),
        ({"early_stopping": {"monitor": "val_accuracy"}}, "val_accuracy"),
        ({"data.split": "none"}, "train_loss"),
        ({"schedule.monitor": "val_log_loss"}, "val_log_loss"),
    ],
)
def test_a_plateau_watches_what_early_stopping_watches_or_the_loss(
    config: Path, overrides: dict[str, object], expected: str
) -> None:
    run = nnctl.train(config, {"schedule": {"type": "plateau"}, **overrides})
    resolved = yaml.safe_load((Path(run.path) / "resolved.yaml").read_text())
    assert resolved["schedule"]["monitor"] == expected
    assert expected in (Path(run.path) / "metrics.csv").read_text().splitlines()[0].split(",")


def test_a_plateau_that_watches_an_unknown_value_is_a_placed_problem(config: Path) -> None:
    (problem,) = check(config, {"schedule": {"type": "plateau", "monitor": "val_acuracy"}}).problems
    assert str(problem).startswith("overrides: schedule.monitor: unknown value to monitor `val_acuracy`")


def test_learning_rates_in_the_metrics_follow_the_schedule(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS)
    run = nnctl.train(config, {"schedule": {"type": "multi_step", "milestones": [2, 5], "gamma": 0.5}})
    rows = [line.split(",") for line in (Path(run.path) / "metrics.csv").read_text().splitlines()]
    place = rows[0].index("lr")
    assert [float(row[place]) / 0.02 for row in rows[1:]] == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
