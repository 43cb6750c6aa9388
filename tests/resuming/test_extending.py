"""What may change when a run goes on, and what is said where it cannot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.errors import DataError, DivergedError, SpecError
from nnctl.running.beginning import resuming
from nnctl.running.extending import FREE
from nnctl.runs.atomic import read_json
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import read_experiment
from tests.resuming.helpers import killed, rows

CONSTANT = {"schedule": {"type": "constant"}}


def test_more_epochs_continue_a_run_that_is_completed(config: Path) -> None:
    run = nnctl.train(config, {"train.epochs": 4, **CONSTANT})
    longer = nnctl.resume(run, {"train.epochs": 9})
    straight = nnctl.train(config, {"train.epochs": 9, **CONSTANT})
    assert (longer.path, longer.epochs, longer.status) == (run.path, 9, "completed")
    assert rows(longer) == rows(straight)
    assert longer.metrics == straight.metrics
    assert read_experiment(Path(run.path) / "resolved.yaml").experiment.train.epochs == 9
    assert read_json(Path(run.path) / "run.json")["overrides"] == {**CONSTANT, "train.epochs": 9}


def test_a_schedule_over_the_whole_run_takes_the_new_length_and_says_so(config: Path) -> None:
    run = nnctl.train(config, {"train.epochs": 4, "schedule": "cosine"})
    notes = [event.text for event in resuming(run.path, {"train.epochs": 8}) if hasattr(event, "text")]
    assert notes == ["the schedule cosine takes the new length of 8 epochs from here on; it began with 4"]
    assert notes[0] in (Path(run.path) / "log.txt").read_text()
    constant = nnctl.train(config, {"train.epochs": 4, **CONSTANT})
    assert not [event for event in resuming(constant.path, {"train.epochs": 8}) if hasattr(event, "text")]


@pytest.mark.parametrize(
    ("spec", "change", "message"),
    [
        ({}, {}, r"is completed, all 3 epochs; to go on, write `nnctl resume runs/\S+ train\.epochs=6`"),
        ({}, {"train.epochs": 2}, r"is completed, all 3 epochs"),
        ({"train.max_time": 1e-9}, {"train.epochs": 9}, r"train\.max_time; .*train\.max_time=none`"),
        (
            {"early_stopping": {"type": "patience", "patience": 1}, "optimizer.lr": 1e-12, "train.epochs": 50},
            {"train.epochs": 99},
            r"was stopped early: .*early_stopping\.patience=2`",
        ),
    ],
)
def test_a_run_that_has_ended_says_what_would_let_it_go_on(
    config: Path, spec: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    run = nnctl.train(config, {"train.epochs": 3, **spec})
    with pytest.raises(SpecError, match=message):
        nnctl.resume(run, change)
    assert read_json(Path(run.path) / "run.json")["status"] == run.status


def test_a_run_that_was_stopped_early_goes_on_with_more_patience(config: Path) -> None:
    spec = {"early_stopping": {"type": "patience", "patience": 1}, "optimizer.lr": 1e-12, "train.epochs": 20}
    run = nnctl.train(config, spec)
    assert run.status == "early_stopped"
    longer = nnctl.resume(run, {"early_stopping.patience": 5})
    assert run.epochs < longer.epochs < 20
    assert nnctl.resume(longer, {"early_stopping": None}).epochs == 20


def test_a_run_that_used_up_its_time_gets_more(config: Path) -> None:
    run = nnctl.train(config, {"train.max_time": 1e-9, "train.epochs": 5})
    assert (run.reason, run.epochs) == ("max_time", 1)
    assert nnctl.resume(run, {"train.max_time": None}).epochs == 5


def test_a_diverged_run_goes_on_with_a_smaller_step(in_folder: Path) -> None:
    from tests.tables import REGRESS, experiment

    config = experiment(in_folder, REGRESS)
    spec = {"optimizer": {"type": "sgd", "lr": 1e18}, "checkpoint.every": "1 epoch", "train.epochs": 5}
    with pytest.raises(DivergedError):
        nnctl.train(config, spec)
    with pytest.raises(SpecError, match=r"has diverged: .*optimizer\.lr=1e\+17`"):
        nnctl.resume("it/latest")
    autopsy = RunDir(Path("runs/it/latest")).autopsy
    assert autopsy.exists()
    assert nnctl.resume("it/latest", {"optimizer.lr": 1e-3}).status == "completed"
    assert not autopsy.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("optimizer.type", "sgd"), ("model.hidden", [3]), ("train.batch_size", 7), ("seed", 5), ("data.target", "a")],
)
def test_other_keys_are_refused_where_they_are_written(config: Path, key: str, value: Any) -> None:
    run_dir = killed(config, events=2)
    with pytest.raises(SpecError) as caught:
        nnctl.resume(str(run_dir.path), {key: value})
    problem = caught.value.problems[0]
    assert "cannot change when a run goes on" in problem.message
    assert all(free in problem.message for free in FREE)
    assert (problem.key, str(problem.place)) == (key, "arguments")


def test_a_changed_resolved_config_is_refused_by_its_line(config: Path) -> None:
    run_dir = killed(config, events=2)
    lines = run_dir.resolved.read_text().splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if "batch_size" in line)
    lines[place] = lines[place].split(":")[0] + ": 3\n"
    run_dir.resolved.write_text("".join(lines))
    with pytest.raises(SpecError, match=rf"resolved\.yaml:{place + 1}:\d+: train\.batch_size: cannot change"):
        nnctl.resume(str(run_dir.path))


def test_another_value_to_monitor_is_refused(config: Path) -> None:
    run_dir = killed(config, {"early_stopping": "patience"}, events=2)
    with pytest.raises(SpecError, match=r"early_stopping\.monitor: cannot change .* best val_loss"):
        nnctl.resume(str(run_dir.path), {"early_stopping.monitor": "train_loss"})


def test_changed_data_is_refused_and_moved_data_is_not(config: Path) -> None:
    run_dir = killed(config, events=2)
    table = config.parent / "table.csv"
    shutil.copy(table, "same.csv")
    table.write_text(table.read_text() + table.read_text().splitlines()[-1] + "\n")
    with pytest.raises(DataError, match=r"table\.csv: has changed since the run was trained on it"):
        nnctl.resume(str(run_dir.path))
    assert nnctl.resume(str(run_dir.path), {"data.path": "same.csv"}).status == "completed"
    assert read_json(run_dir.run_json)["data_sha256"]
