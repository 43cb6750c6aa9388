"""`train --once`: what has ended is not trained again, what was interrupted goes on, what is new is trained."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.errors import DataError, DivergedError
from nnctl.running.beginning import resuming, training
from nnctl.running.loop import Event, Finished, Found
from nnctl.runs import atomic
from nnctl.runs.listing import ls
from nnctl.runs.run_dir import RunDir
from nnctl.training.trainer import Epoch
from tests.resuming.helpers import EVERY_3, ending, killed
from tests.tables import ONE_BY_ONE, REGRESS, experiment

SHORT = {"train.epochs": 3}


def last(config: Path, overrides: dict[str, Any], **arguments: Any) -> Event:
    *_, event = training(config, overrides, once=True, **arguments)
    return event


def test_what_has_ended_is_found_and_not_trained_again(config: Path) -> None:
    run = nnctl.train(config, SHORT, once=True)
    found = last(config, SHORT)
    assert found == Found(run)
    assert len(ls(Path("runs"))) == 1


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"optimizer.lr": 0.003}, {"train.epochs": 4}, {"data.split.seed": 3}, {"model.dtype": "float64"}],
)
def test_what_differs_is_trained(config: Path, other: dict[str, Any]) -> None:
    nnctl.train(config, SHORT)
    assert isinstance(last(config, {**SHORT, **other}), Finished)
    assert len(ls(Path("runs"))) == 2


def test_other_data_is_other_and_a_copy_is_not(config: Path) -> None:
    nnctl.train(config, SHORT)
    table = config.parent / "table.csv"
    Path("copy.csv").write_bytes(table.read_bytes())
    assert isinstance(last(config, {**SHORT, "data.path": "copy.csv"}), Found)
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines, lines[-1]]))
    assert isinstance(last(config, SHORT), Finished)


def test_what_was_interrupted_goes_on(config: Path) -> None:
    spec = {**EVERY_3, "train.epochs": 6}
    run_dir = killed(config, spec, events=3)
    event = last(config, spec)
    assert isinstance(event, Finished)
    assert Path(event.run.path).name == run_dir.path.name
    assert ending(event.run) == ending(nnctl.train(config, spec))


def test_what_another_process_trains_is_left_to_it(config: Path) -> None:
    run_dir = killed(config, SHORT, events=1)
    with run_dir.lock():
        found = last(config, SHORT)
    assert isinstance(found, Found)
    assert (found.run.status, Path(found.run.path).name) == ("running", run_dir.path.name)
    assert len(ls(Path("runs"))) == 1


def test_what_was_extended_is_no_longer_what_was_asked_for(config: Path) -> None:
    run = nnctl.train(config, SHORT)
    nnctl.resume(run, {"train.epochs": 5})
    assert isinstance(last(config, SHORT), Finished)
    assert isinstance(last(config, {"train.epochs": 5}), Finished)


def test_what_is_damaged_is_passed_over(config: Path) -> None:
    run_dir = killed(config, SHORT, events=2)
    for path in (run_dir.last, run_dir.previous):
        path.write_bytes(b"")
    events = list(training(config, SHORT, once=True))
    assert any("a new run is trained" in event.text for event in events if hasattr(event, "text"))
    assert isinstance(events[-1], Finished)
    run_dir.run_json.write_text("{")
    assert isinstance(last(config, SHORT), Found)


def test_a_damaged_run_is_not_held_while_another_is_trained(config: Path) -> None:
    run_dir = killed(config, SHORT, events=2)
    for path in (run_dir.last, run_dir.previous):
        path.write_bytes(b"")
    for _ in training(config, SHORT, once=True):
        assert not run_dir.is_locked()


def test_a_run_that_somebody_has_just_locked_is_being_trained_whatever_its_file_says(config: Path) -> None:
    run_dir = killed(config, SHORT, events=2)
    atomic.write_json(run_dir.run_json, {**atomic.read_json(run_dir.run_json), "status": "interrupted"})
    with run_dir.lock():
        found = last(config, SHORT)
    assert isinstance(found, Found)
    assert found.run.status == "running"


def test_a_change_that_teaches_nothing_keeps_a_run_what_it_was(config: Path) -> None:
    run_dir = killed(config, SHORT, events=2)
    (config.parent / "moved.csv").write_bytes((config.parent / "table.csv").read_bytes())
    run = nnctl.resume(str(run_dir.path), {"checkpoint.every": "1 epochs", "data.path": "moved.csv"})
    found = last(config, SHORT)
    assert isinstance(found, Found)
    assert Path(found.run.path) == Path(run.path)


def test_a_diverged_run_is_a_result(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS)
    spec = {"optimizer": {"type": "sgd", "lr": 1e18}}
    for _ in range(2):
        with pytest.raises(DivergedError, match="autopsy"):
            nnctl.train(config, spec, once=True)
    assert len(ls(Path("runs"))) == 1


def test_a_cross_validation_is_found_and_gone_on_with(config: Path) -> None:
    spec = {**EVERY_3, "train.epochs": 4}
    whole = nnctl.train(config, spec, folds=3)
    assert last(config, spec, folds=3) == Found(whole)
    stopped = killed(config, {**spec, "seed": 1}, events=6, folds=3)
    assert stopped.path.name == "fold-2"
    event = last(config, {**spec, "seed": 1}, folds=3)
    straight = nnctl.train(config, {**spec, "seed": 1}, folds=3)
    assert isinstance(event, Finished)
    assert event.run.metrics == straight.metrics
    assert Path(event.run.path).name == stopped.path.parent.name
    again = atomic.read_json(Path(event.run.path) / "folds.json")
    assert [fold["status"] for fold in again["folds"]] == ["completed"] * 3


def test_processes_at_once_train_nothing_twice(config: Path) -> None:
    command = [sys.executable, "-m", "nnctl", "train", str(config), "--once", "-q", "train.epochs=3"]
    processes = [subprocess.Popen([*command, f"seed={seed}"], stdout=subprocess.PIPE) for seed in (1, 2, 1, 2)]
    printed = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert printed[0] == printed[2] != printed[1] == printed[3]
    assert sorted(run.seed or 0 for run in ls(Path("runs"))) == [1, 2]


def test_folds_of_other_data_are_not_mixed(config: Path) -> None:
    stopped = killed(config, SHORT, events=4, folds=3)
    assert stopped.path.name == "fold-2"
    for number in (2, 3):
        RunDir(stopped.path.parent / f"fold-{number}").discard()
    table = config.parent / "table.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([*lines, lines[-1]]))
    with pytest.raises(DataError, match="has changed since the first folds were trained"):
        nnctl.resume(str(stopped.path.parent))


def test_a_fold_that_is_damaged_is_trained_anew(config: Path) -> None:
    whole = nnctl.train(config, SHORT, folds=3)
    stopped = killed(config, SHORT, events=5, folds=3)
    for path in (stopped.last, stopped.previous):
        path.write_bytes(b"")
    *_, event = resuming(str(stopped.path.parent))
    assert isinstance(event, Finished)
    assert event.run.metrics == whole.metrics


def test_the_mean_is_that_of_the_folds_that_have_ended(config: Path) -> None:
    ends = []
    for event in training(config, {"train.epochs": 50, **ONE_BY_ONE}, folds=3):
        if isinstance(event, Finished):
            ends.append(event)
        elif len(ends) == 1 and isinstance(event, Epoch):
            os.kill(os.getpid(), signal.SIGTERM)
    first, second, whole = (end.run for end in ends)
    assert (first.status, second.status, whole.status) == ("completed", "interrupted", "interrupted")
    assert whole.metrics == first.metrics
