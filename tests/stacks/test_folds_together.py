"""Folds that share a pass: each is the run that it would be alone, and is told of in its turn."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.errors import OutputError
from nnctl.running.beginning import training
from nnctl.running.folding import Folded
from nnctl.running.loop import Finished, FoldsStarted, Note, Started
from nnctl.running.recording import Recorder
from nnctl.runs.listing import ls
from nnctl.training.stack import Stack
from nnctl.training.trainer import Epoch, Tick
from tests.stacks.helpers import CLOSE, numbers
from tests.tables import ONE_BY_ONE, REGRESS, experiment

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The members of every stack that is made."""
    found: list[int] = []
    begin = Stack.__init__

    def counted(self: Stack, trainers: Any) -> None:
        found.append(len(trainers))
        begin(self, trainers)

    monkeypatch.setattr(Stack, "__init__", counted)
    return found


def assert_same(one: Folded, other: Folded) -> None:
    for first, second in zip(one.folds, other.folds, strict=True):
        assert (first.status, first.epochs, first.best_epoch) == (second.status, second.epochs, second.best_epoch)
        np.testing.assert_allclose(numbers(first), numbers(second), **CLOSE)
        assert first.metrics == pytest.approx(second.metrics, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"train.batch_size": "full"},
        {"early_stopping": "patience", "train.epochs": 30},
        {"data.weight": "b", "data.drop": ["amount"]},
    ],
)
def test_folds_that_share_a_pass_are_those_that_train_one_by_one(
    in_folder: Path, sizes: list[int], overrides: dict[str, Any]
) -> None:
    config = experiment(in_folder, rows=125)
    if "data.weight" in overrides:
        table = in_folder / "table.csv"
        table.write_text("\n".join(line.replace(",-", ",") for line in table.read_text().splitlines()))
    together = nnctl.train(config, overrides, folds=4)
    assert sizes[0] == 4
    count = len(sizes)
    one_by_one = nnctl.train(config, {**overrides, **ONE_BY_ONE}, folds=4)
    assert len(sizes) == count
    assert isinstance(together, Folded)
    assert isinstance(one_by_one, Folded)
    assert_same(together, one_by_one)


def test_numbers_are_scaled_by_each_folds_own_rows(in_folder: Path, sizes: list[int]) -> None:
    config = experiment(in_folder, REGRESS)
    together, one_by_one = (nnctl.train(config, overrides, folds=3) for overrides in ({}, ONE_BY_ONE))
    assert sizes == [3]
    assert isinstance(together, Folded)
    assert isinstance(one_by_one, Folded)
    assert_same(together, one_by_one)


def test_those_of_other_sizes_train_beside_them(in_folder: Path, sizes: list[int]) -> None:
    run = nnctl.train(experiment(in_folder, rows=122), folds=4)
    assert isinstance(run, Folded)
    assert len({fold.status for fold in run.folds}) == 1
    assert sizes[0] < 4


def test_they_are_told_of_in_their_turns(config: Path) -> None:
    def told(overrides: dict[str, Any]) -> list[Any]:
        return [short(event) for event in training(config, overrides, folds=3) if not isinstance(event, Tick)]

    def short(event: Any) -> Any:
        if isinstance(event, Started):
            return event.fold
        if isinstance(event, Epoch):
            return event.epoch
        return event.text if isinstance(event, Note) else type(event)

    assert told({}) == told(ONE_BY_ONE)


def test_a_signal_saves_all_of_them_and_they_go_on(config: Path, sizes: list[int]) -> None:
    whole = nnctl.train(config, folds=3)
    ends: list[Finished] = []
    for event in training(config, folds=3, runs_dir="other"):
        if isinstance(event, Epoch) and event.epoch == 3 and not ends:
            os.kill(os.getpid(), signal.SIGTERM)
        if isinstance(event, Finished):
            ends.append(event)
    *folds, last = ends
    assert [fold.run.status for fold in folds] == ["interrupted"] * 3
    assert (last.run.status, last.run.reason, last.signal) == (
        "interrupted",
        "SIGTERM in fold 1, 2, 3 of 3",
        signal.SIGTERM,
    )
    sizes.clear()
    again = nnctl.resume(last.run.path, runs_dir="other")
    assert sizes == [3]
    assert isinstance(whole, Folded)
    assert isinstance(again, Folded)
    assert again.status == "completed"
    assert_same(again, whole)


def test_an_error_in_one_ends_all(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Recorder, *_: Any) -> Any:
        raise OutputError("no space left on device")

    monkeypatch.setattr(Recorder, "finish", full)
    with pytest.raises(OutputError):
        nnctl.train(config, {"train.epochs": 2}, folds=3)
    (summary,) = ls(Path("runs"))
    assert (summary.status, summary.reason) == ("failed", "no space left on device")


def test_a_profile_measures_them_one_by_one(config: Path, sizes: list[int]) -> None:
    run = nnctl.train(config, {"train.epochs": 2}, folds=2, profile=True)
    assert run.profile is not None
    assert sizes == []


def test_all_of_them_are_announced_at_once(config: Path) -> None:
    first = next(training(config, folds=3))
    assert isinstance(first, FoldsStarted)
    assert first.folds == 3


def test_an_error_in_one_leaves_those_that_have_ended_as_they_are(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, calls = Recorder.finish, []

    def full(self: Recorder, *arguments: Any) -> Any:
        calls.append(self)
        if len(calls) == 2:
            raise OutputError("no space left on device")
        return finish(self, *arguments)

    monkeypatch.setattr(Recorder, "finish", full)
    with pytest.raises(OutputError):
        nnctl.train(config, {"train.epochs": 2}, folds=3)
    (summary,) = ls(Path("runs"))
    statuses = [json.loads((Path(summary.run) / f"fold-{n}/run.json").read_text())["status"] for n in (1, 2, 3)]
    assert statuses == ["completed", "failed", "failed"]


def test_more_folds_than_files_may_be_open_train_one_by_one(
    config: Path, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nnctl.running.folds_together.room_for", lambda runs: runs - 1)
    assert nnctl.train(config, {"train.epochs": 2}, folds=3).status == "completed"
    assert sizes == []
