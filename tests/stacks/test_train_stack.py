"""A task: every trial leaves the run folder that it would leave alone, and goes on from it, alone or with others."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.preparing.preparation import prepare
from nnctl.running.stacking import stacks_of, train_stack
from nnctl.runs import checkpoint
from nnctl.runs.atomic import read_json
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import read_experiment
from nnctl.training.stack import Stack
from tests.stacks.helpers import CLOSE, SAME_ROWS, SETTINGS, Tasks, folders, numbers
from tests.tables import experiment


def alone(tmp_path: Path, words: Sequence[str]) -> nnctl.Run:
    return nnctl.train(tmp_path / "it.yaml", [*words, SAME_ROWS], runs_dir=tmp_path / "alone")


def assert_like_alone(trial: RunDir, own: nnctl.Run) -> None:
    """The run folder of a trial holds what that of the same run trained alone does."""
    mine = RunDir(Path(own.path))
    files = {path.relative_to(mine.path) for path in mine.path.rglob("*")}
    assert {path.relative_to(trial.path) for path in trial.path.rglob("*")} == files
    assert trial.resolved.read_text() == mine.resolved.read_text()
    assert trial.log.read_text().splitlines()[:1] == mine.log.read_text().splitlines()[:1]
    about, usual = read_json(trial.run_json), read_json(mine.run_json)
    assert set(usual) - set(about) == {"fingerprint"}
    for name in (
        "name",
        "overrides",
        "seed",
        "rows",
        "parameters",
        "status",
        "reason",
        "epochs",
        "best_epoch",
        "shards",
    ):
        assert about[name] == usual[name], name
    summary, expected = read_json(trial.metrics_json), read_json(mine.metrics_json)
    assert list(summary["metrics"]) == list(expected["metrics"])
    np.testing.assert_allclose(list(summary["metrics"].values()), list(expected["metrics"].values()), **CLOSE)
    np.testing.assert_allclose(numbers(trial), numbers(mine), **CLOSE)
    for one, other in ((trial.best, mine.best), (trial.last, mine.last)):
        found, usual_ = checkpoint.load(one), checkpoint.load(other)
        assert list(found.tensors) == list(usual_.tensors)
        for name, array in usual_.tensors.items():
            np.testing.assert_allclose(found.tensors[name], array, **CLOSE)


def test_the_trials_of_a_task_leave_what_each_would_alone(tmp_path: Path, tasks: Tasks) -> None:
    task = tasks()
    found = train_stack(task)["members"]
    assert [entry["number"] for entry in found] == [1, 2, 3, 4]
    assert json.loads(json.dumps(found)) == found
    for words, trial, entry in zip(SETTINGS, folders(task), found, strict=True):
        own = alone(tmp_path, words)
        assert_like_alone(trial, own)
        assert entry["metrics"] == pytest.approx(own.metrics, rel=1e-6, abs=1e-6)
        assert nnctl.load(trial.path).predict({"a": [1.0], "b": [0.5], "colour": ["red"], "member": ["true"]}).size


def test_they_really_train_together(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    begin = Stack.__init__

    def counted(self: Stack, trainers: Any) -> None:
        sizes.append(len(trainers))
        begin(self, trainers)

    monkeypatch.setattr(Stack, "__init__", counted)
    train_stack(tasks())
    assert sizes[0] == 4


def test_trials_that_have_ended_are_given_back_as_they_stand(tasks: Tasks) -> None:
    task = tasks()
    first = train_stack(task)
    before = [path.stat().st_mtime_ns for trial in folders(task) for path in sorted(trial.path.rglob("*.*"))]
    assert train_stack(task) == first
    assert before == [path.stat().st_mtime_ns for trial in folders(task) for path in sorted(trial.path.rglob("*.*"))]


def test_trials_that_wait_go_on_to_the_same_ends_alone_and_together(tmp_path: Path, tasks: Tasks) -> None:
    waiting = train_stack(tasks(until=3))["members"]
    assert [(entry["status"], entry["epochs"]) for entry in waiting] == [("waiting", 3)] * 4
    assert all("val_loss" in entry["metrics"] for entry in waiting)
    task = tasks()
    nnctl.resume(folders(task)[1].path, runs_dir=tmp_path / "runs")
    assert [entry["status"] for entry in train_stack(task)["members"]] == ["completed"] * 4
    for words, trial in zip(SETTINGS, folders(task), strict=True):
        own = alone(tmp_path, words)
        np.testing.assert_allclose(numbers(trial), numbers(own), **CLOSE)


def test_a_trial_that_is_dropped_ends_where_it_stands(tasks: Tasks) -> None:
    train_stack(tasks(until=2))
    found = train_stack(tasks(drop="is not among the best 2 of 4 after epoch 2"))["members"]
    assert {(entry["status"], entry["epochs"], entry["reason"]) for entry in found} == {
        ("early_stopped", 2, "is not among the best 2 of 4 after epoch 2")
    }
    assert all("test_accuracy" in entry["metrics"] for entry in found)


def test_a_signal_saves_all_of_them(tmp_path: Path, tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = Stack._finish_epoch

    def interrupted(self: Stack) -> Any:
        if self._epoch == 3:
            signal.raise_signal(signal.SIGTERM)
        return finish(self)

    monkeypatch.setattr(Stack, "_finish_epoch", interrupted)
    found = train_stack(tasks())["members"]
    assert [(entry["status"], entry["epochs"]) for entry in found] == [("interrupted", 4)] * 4
    assert found[0]["reason"] == "SIGTERM in epoch 5"
    monkeypatch.undo()
    task = tasks()
    train_stack(task)
    for words, trial in zip(SETTINGS, folders(task), strict=True):
        own = alone(tmp_path, words)
        np.testing.assert_allclose(numbers(trial), numbers(own), **CLOSE)


def test_stacks_are_cut_so_that_all_processes_have_work(tmp_path: Path) -> None:
    config = experiment(tmp_path)
    prepared = [prepare(read_experiment(config, [*words, SAME_ROWS]).experiment) for words in [*SETTINGS, *SETTINGS]]
    other = prepare(read_experiment(config, ["model.hidden=[9]", SAME_ROWS]).experiment)
    assert stacks_of(prepared, 1) == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert stacks_of(prepared, 2) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stacks_of([*prepared[:3], other, *prepared[3:6]], 1) == [[0, 1, 2, 4, 5, 6], [3]]
    wide = [prepare(read_experiment(config, ["model.hidden=[512, 512]", *words]).experiment) for words in SETTINGS]
    assert stacks_of(wide, 2) == [[0], [1], [2], [3]]
