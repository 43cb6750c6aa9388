"""A task: every trial leaves the run folder that it would leave alone, and goes on from it, alone or with others."""

from __future__ import annotations

import errno
import json
import resource
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.errors import OutputError, Problem
from nnctl.preparing.preparation import prepare
from nnctl.running.recording import Recorder, begin
from nnctl.running.stacking import stacks_of, train_stack
from nnctl.runs import atomic, checkpoint
from nnctl.runs.atomic import read_json
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import read_experiment, written
from nnctl.training.stack import Stack
from tests.resuming.helpers import rows
from tests.stacks.helpers import CLOSE, numbers
from tests.tables import experiment

SETTINGS = [
    ["optimizer.lr=0.003"],
    ["optimizer.lr=0.03", "seed=1"],
    ["model.dropout=0.4", "train.epochs=5"],
    ["seed=3"],
]
SAME_ROWS = "data.split.seed=0"
Tasks = Callable[..., dict[str, Any]]


@pytest.fixture
def tasks(tmp_path: Path) -> Tasks:
    """Makes the task of some trials of one sweep; ``changes`` are said of each of its members."""
    sweep = tmp_path / "runs/it/20261122-000000-aaaa"
    (sweep / "trials").mkdir(parents=True)
    (sweep / "config.yaml").write_bytes(experiment(tmp_path).read_bytes())

    def task(settings: Sequence[Sequence[str]] = SETTINGS, **changes: Any) -> dict[str, Any]:
        members = []
        for number, words in enumerate(settings, 1):
            spec = read_experiment(tmp_path / "it.yaml", [*words, SAME_ROWS])
            own = {"path": str(sweep / f"trials/{number:04}"), "overrides": spec.document.overrides}
            values = json.loads(json.dumps(written(spec.experiment)))
            members.append({"number": number, **own, "spec": values, "until": None, "drop": "", **changes})
        about = {"argv": ["nnctl", "sweep"], "git": None, "sweep": sweep.name}
        runs = str(tmp_path / "runs")
        return {"schema": "nnctl.task/1", "sweep": str(sweep), "runs": runs, "about": about, "members": members}

    return task


def folders(task: dict[str, Any]) -> list[RunDir]:
    return [RunDir(Path(member["path"])) for member in task["members"]]


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


def test_stacks_are_cut_so_that_all_processes_have_work(tmp_path: Path) -> None:
    config = experiment(tmp_path)
    prepared = [prepare(read_experiment(config, [*words, SAME_ROWS]).experiment) for words in [*SETTINGS, *SETTINGS]]
    other = prepare(read_experiment(config, ["model.hidden=[9]", SAME_ROWS]).experiment)
    assert stacks_of(prepared, 1) == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert stacks_of(prepared, 2) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert stacks_of([*prepared[:3], other, *prepared[3:6]], 1) == [[0, 1, 2, 4, 5, 6], [3]]
    wide = [prepare(read_experiment(config, ["model.hidden=[512, 512]", *words]).experiment) for words in SETTINGS]
    assert stacks_of(wide, 2) == [[0], [1], [2], [3]]


def test_a_task_may_have_as_many_files_open_as_its_trials_need(tasks: Tasks) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        found = train_stack(tasks([[f"seed={seed}", "train.epochs=1"] for seed in range(24)]))["members"]
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
