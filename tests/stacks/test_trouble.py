"""A task in trouble: what is wrong with one trial ends that one alone, and loses nothing."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import OutputError, Problem
from nnctl.running.recording import Recorder, begin
from nnctl.running.stacking import train_stack
from nnctl.runs import atomic
from nnctl.runs.atomic import read_json
from nnctl.training.stack import Stack
from tests.resuming.helpers import rows
from tests.stacks.helpers import Tasks, folders


def test_an_error_of_one_trial_ends_that_one_alone(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnctl.runs.checkpoints import Checkpoints

    save = Checkpoints.save_best

    def full(self: Checkpoints, *arguments: Any) -> Any:
        if "0002" in str(self.run.path):
            raise OutputError(Problem("no space left"))
        return save(self, *arguments)

    monkeypatch.setattr(Checkpoints, "save_best", full)
    task = tasks()
    found = train_stack(task)["members"]
    assert [entry["status"] for entry in found] == ["completed", "failed", "completed", "completed"]
    assert "no space left" in found[1]["reason"]
    assert read_json(folders(task)[1].run_json)["status"] == "failed"
    monkeypatch.undo()
    assert [entry["status"] for entry in train_stack(task)["members"]] == ["completed"] * 4


def test_a_trial_whose_config_cannot_be_trained_fails_alone(tasks: Tasks) -> None:
    task = tasks()
    task["members"][1]["spec"]["data"]["target"] = "no such column"
    found = train_stack(task)["members"]
    assert [entry["status"] for entry in found] == ["completed", "failed", "completed", "completed"]
    assert "no such column" in found[1]["reason"]
    assert not folders(task)[1].path.exists()


def test_a_diverged_trial_has_its_autopsy(tasks: Tasks) -> None:
    task = tasks([["optimizer={type: sgd, lr: 1e30}"], ["optimizer={type: sgd, lr: 0.1}"]])
    found = train_stack(task)["members"]
    assert [entry["status"] for entry in found] == ["diverged", "completed"]
    assert folders(task)[0].autopsy.exists()


def test_a_task_may_have_as_many_files_open_as_its_trials_need(tasks: Tasks) -> None:
    task = tasks([[f"seed={seed}", "train.epochs=1"] for seed in range(24)])
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 40, hard))
    try:
        found = train_stack(task)["members"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert {entry["status"] for entry in found} == {"completed"}


@pytest.mark.parametrize("name", ["run.json", "checkpoints/last.safetensors"])
def test_a_trial_whose_folder_is_damaged_is_trained_anew(tasks: Tasks, name: str) -> None:
    task = tasks(until=3)
    train_stack(task)
    trial = folders(task)[2]
    (trial.path / "checkpoints/last.prev").unlink(missing_ok=True)
    (trial.path / name).write_bytes(b"{")
    found = train_stack(tasks())["members"]
    assert [entry["status"] for entry in found] == ["completed"] * 4
    assert "is damaged" in trial.log.read_text()
    assert (
        trial.log.read_text()
        .splitlines()[0]
        .endswith("; the trial is trained anew, what there was is kept as 0003.damaged-1")
    )
    assert [row[0] for row in rows(trial)] == ["1", "2", "3", "4", "5"]


def test_a_trial_that_cannot_be_read_now_is_left_as_it_is(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    train_stack(tasks(until=3))
    task = tasks()
    trial = folders(task)[1]
    before = {path: path.read_bytes() for path in trial.path.rglob("*.*")}

    def stale(path: Path, *_: Any) -> Any:
        if path == trial.metrics_csv:
            raise OSError(errno.ESTALE, "Stale file handle")
        return open_regular(path)

    open_regular = atomic.open_regular
    monkeypatch.setattr(atomic, "open_regular", stale)
    found = train_stack(task)["members"]
    assert [entry["status"] for entry in found] == ["completed", "failed", "completed", "completed"]
    assert before == {path: path.read_bytes() for path in trial.path.rglob("*.*")}
    monkeypatch.undo()
    assert [entry["epochs"] for entry in train_stack(task)["members"]] == [8, 8, 5, 8]


def test_where_few_files_may_be_open_trials_train_in_several_passes(
    tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnctl.running.stacking.room_for", lambda runs: 3)
    found = train_stack(tasks())["members"]
    assert [(entry["number"], entry["status"]) for entry in found] == [(place, "completed") for place in (1, 2, 3, 4)]


def test_where_memory_runs_out_the_trials_have_failed(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(self: Stack) -> Any:
        raise MemoryError("Unable to allocate")

    monkeypatch.setattr(Stack, "_train", out_of_memory)
    task = tasks()
    found = train_stack(task)["members"]
    assert {(entry["status"], entry["reason"]) for entry in found} == {("failed", "MemoryError: Unable to allocate")}
    assert {read_json(trial.run_json)["status"] for trial in folders(task)} == {"failed"}


def test_nothing_is_trained_on_once_all_have_failed(tasks: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Recorder) -> Any:
        raise OutputError(Problem("no space left"))

    monkeypatch.setattr(Recorder, "save", full)
    monkeypatch.setattr(Recorder, "due", True)
    epochs: list[int] = []
    train = Stack._train

    def counted(self: Stack) -> Any:
        epochs.append(self._epoch)
        return train(self)

    monkeypatch.setattr(Stack, "_train", counted)
    monkeypatch.setattr("nnctl.running.stacking.begin", lambda *each: _unsaved(*each, begin=begin))
    found = train_stack(tasks())["members"]
    assert {entry["status"] for entry in found} == {"failed"}
    assert len(epochs) == 1


def _unsaved(*each: Any, begin: Callable[..., Recorder]) -> Recorder:
    """A run that begins with a save, which is the last that there is room for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "save", lambda self: [])
        return begin(*each)
