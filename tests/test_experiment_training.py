"""Optimizers, schedules and penalties in whole runs, through the Python API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import nnctl
from nnctl.checking import check
from nnctl.model import Model
from nnctl.running.run import Run
from nnctl.runs import checkpoint
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


def losses(run: Run, name: str) -> list[str]:
    lines = (Path(run.path) / "metrics.csv").read_text().splitlines()
    place = lines[0].split(",").index(name)
    return [line.split(",")[place] for line in lines[1:]]


def test_penalties_shrink_the_weights_of_a_run(config: Path) -> None:
    free = nnctl.train(config, {"train.epochs": 60})
    bound = nnctl.train(config, {"train.epochs": 60, "regularization": {"l1": 0.01, "l2": 0.1, "max_norm": 0.5}})
    norms = []
    for run in (free, bound):
        model = nnctl.load(run)
        norms.append(max(float((w**2).sum(0).max()) ** 0.5 for w in _weights(model)))
    assert norms[1] <= 0.5 * (1 + 1e-6) < norms[0]


def test_groups_of_batches_make_fewer_steps(config: Path) -> None:
    run = nnctl.train(config, {"train.batch_size": 10, "optimizer.accumulate": 3})
    assert losses(run, "step") == [
        str(3 * epoch) for epoch in range(1, 9)
    ]  # 72 rows: 8 batches, the last group is short


def test_the_last_checkpoint_holds_the_averaged_weights_and_those_that_move(config: Path) -> None:
    run = nnctl.train(config, {"optimizer.ema": 0.9, "early_stopping": "none"})
    folder = Path(run.path) / "checkpoints"
    last = checkpoint.load(folder / "last.safetensors").tensors
    arena = nnctl.load(folder / "last.safetensors").arena
    weights = arena.named(last["descent.theta"])
    assert all(not np.array_equal(last[name], weights[name]) for name in weights)
    assert all(np.array_equal(last[name], array) for name, array in arena.named(arena.theta).items())


def _weights(model: Model) -> list[Any]:
    return [part.view(model.arena.theta) for part in model.arena.parameters if part.decay]


def test_an_average_of_an_average_is_refused_where_it_is_written(config: Path) -> None:
    config.write_text(CLASSIFY.replace("{lr: 0.01}", "{type: schedule_free_adamw, ema: 0.9}"))
    (problem,) = check(config).problems
    assert str(problem) == (
        f"{config}:12:45: optimizer.ema: schedule_free_adamw averages the weights by itself: leave this out"
    )


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"optimizer.accumulate": 2, "train.batch_size": "full"}, "optimizer.accumulate", "is one batch"),
        (
            {"optimizer": {"type": "rprop", "step_min": 0.1, "step_max": 0.01}},
            "optimizer.step_min",
            "must be <= `step_max`, which is 0.01, got 0.1",
        ),
        (
            {"optimizer": {"type": "rprop", "step_max": 0.005}},
            "optimizer.step_init",
            "must be between `step_min` and `step_max`, 1e-06 and 0.005, got 0.01",
        ),
        ({"schedule": {"type": "cosine", "end": 1.5}}, "schedule.end", "<= 1"),
        ({"schedule": {"type": "multi_step", "milestones": []}}, "schedule.milestones", "at least one"),
        (
            {"optimizer": {"type": "schedule_free_adamw"}, "schedule": {"type": "cosine"}},
            "schedule.type",
            "schedule_free_adamw averages the weights by itself in place of a schedule: write `constant`",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_that_contradict_each_other_are_refused(
    config: Path, changes: dict[str, Any], key: str, words: str
) -> None:
    (problem,) = check(config, changes).problems
    assert problem.key == key
    assert words in problem.message


def test_a_warmup_stands_beside_an_optimizer_that_needs_no_schedule(config: Path) -> None:
    changes = {"optimizer": {"type": "schedule_free_adamw"}, "schedule": {"type": "constant", "warmup": 2}}
    assert not check(config, changes).problems


NORMS: tuple[dict[str, Any], ...] = ({"model.norm": "none"}, {"model.norm": "batch"})
AVERAGING: tuple[dict[str, Any], ...] = (
    {"optimizer": {"type": "adam", "lr": 0.02, "ema": 0.9}},
    {"optimizer": {"type": "schedule_free_adamw", "lr": 0.02}},
)


@pytest.mark.parametrize("norm", NORMS, ids=lambda changes: changes["model.norm"])
@pytest.mark.parametrize("averaging", AVERAGING, ids=lambda changes: changes["optimizer"]["type"])
def test_the_saved_average_is_what_was_reported(config: Path, averaging: dict[str, Any], norm: dict[str, Any]) -> None:
    run = nnctl.train(config, {**averaging, **norm, "early_stopping": {"monitor": "train_loss", "patience": 5}})
    for part in ("train", "val", "test"):
        found = nnctl.evaluate(run, split=part).metrics
        assert {f"{part}_{name}": value for name, value in found.items()} == {
            name: value for name, value in run.metrics.items() if name.startswith(f"{part}_")
        }
    assert run.checkpoint is not None
    state = checkpoint.load(Path(run.path) / "checkpoints" / "last.safetensors").meta["state"]
    assert state["best"]["value"] == run.metrics["train_loss"], "what was monitored is what was kept"
    column = losses(run, "train_loss")[run.best_epoch - 1]
    assert float(column) != run.metrics["train_loss"], "the column is the mean as the weights move"
