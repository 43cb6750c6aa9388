"""How cross-validations end, are listed and found, and what is refused."""

from __future__ import annotations

import json
import math
import os
import signal
import statistics
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.errors import DataError, DivergedError, OutputError, SpecError
from nnctl.running.beginning import training
from nnctl.running.folding import Folded
from nnctl.running.loop import Finished, Note, Started
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.runs.find import find
from nnctl.runs.listing import ls
from nnctl.training.trainer import Epoch
from tests.tables import CLASSIFY, ONE_BY_ONE, REGRESS, experiment

pytestmark = pytest.mark.usefixtures("in_folder")


def loaded(run: Run, name: str) -> Any:
    return json.loads((Path(run.path) / name).read_text())


def trained(config: Path, overrides: dict[str, Any] | None = None, folds: int = 3) -> Folded:
    run = nnctl.train(config, overrides, folds=folds)
    assert isinstance(run, Folded)
    return run


DIVERGES = {"optimizer": {"type": "sgd", "lr": 1e30}, "data.target_scale": "none", "model.hidden": []}


def test_a_fold_that_diverges_ends_alone(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = experiment(in_folder, REGRESS)
    with pytest.raises(DivergedError, match=r"in fold 1, 2, 3 of 3 the loss is no longer a finite number in epoch"):
        nnctl.train(config, DIVERGES, folds=3)
    (summary,) = ls(Path("runs"))
    assert summary.status == "diverged"
    found = json.loads((Path(summary.run) / "folds.json").read_text())
    assert [fold["status"] for fold in found["folds"]] == ["diverged"] * 3


def test_the_means_are_over_the_folds_that_have_a_finite_value() -> None:
    from nnctl.running.folding import folded

    def fold(**metrics: float) -> Run:
        return Run("x", "completed", "", 3, 1, metrics, 0.5, None)

    run = folded("y", [fold(val_loss=1.0, val_auc=math.nan), fold(), fold(val_loss=2.0, val_auc=0.5)], "completed", "")
    assert run.metrics == {"val_loss": 1.5, "val_auc": 0.5}
    assert run.std["val_loss"] == statistics.stdev([1.0, 2.0])
    assert math.isnan(run.std["val_auc"])
    assert (run.epochs, run.seconds, run.checkpoint) == (9, 1.5, None)
    assert math.isnan(folded("y", [fold(val_auc=math.nan)], "completed", "").metrics["val_auc"])


@pytest.mark.usefixtures("heeded")
def test_a_signal_saves_the_fold_that_runs_and_ends_all(config: Path) -> None:
    seen: list[Any] = []
    for event in training(config, {"train.epochs": 10**7, **ONE_BY_ONE}, folds=3):
        seen.append(event)
        if isinstance(event, Epoch) and event.epoch == 3:
            os.kill(os.getpid(), signal.SIGINT)
    fold, last = (event for event in seen if isinstance(event, Finished))
    assert fold.run.status == "interrupted"
    assert fold.run.checkpoint is not None
    assert Path(fold.run.checkpoint).exists()
    assert last.signal == signal.SIGINT
    assert (last.run.status, last.run.reason) == ("interrupted", "SIGINT in fold 1 of 3")
    assert loaded(last.run, "run.json")["status"] == "interrupted"
    assert loaded(last.run, "folds.json")["folds"][0]["status"] == "interrupted"
    assert not (Path(last.run.path) / "fold-2").exists()


def test_a_signal_between_two_folds_starts_no_other(config: Path) -> None:
    ends = []
    for event in training(config, {"train.epochs": 1, **ONE_BY_ONE}, folds=3):
        if isinstance(event, Finished):
            ends.append(event)
            if len(ends) == 1:
                os.kill(os.getpid(), signal.SIGTERM)
    first, last = ends
    assert first.signal is None
    assert last.signal == signal.SIGTERM
    assert (last.run.status, last.run.reason) == ("interrupted", "SIGTERM after fold 1 of 3")


def test_an_error_in_a_fold_is_told_of_both_runs(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def full(self: Recorder, event: Epoch) -> list[str]:
        calls.append(event.epoch)
        if len(calls) > 3:
            raise OutputError("no space left on device")
        return record(self, event)

    record = Recorder.epoch
    monkeypatch.setattr(Recorder, "epoch", full)
    with pytest.raises(OutputError):
        nnctl.train(config, {"train.epochs": 2, **ONE_BY_ONE}, folds=3)
    (summary,) = ls(Path("runs"))
    assert (summary.status, summary.reason) == ("failed", "no space left on device")
    assert json.loads((Path(summary.run) / "fold-2" / "run.json").read_text())["status"] == "failed"
    assert len(json.loads((Path(summary.run) / "folds.json").read_text())["folds"]) == 1


def test_a_killed_cross_validation_is_listed_with_the_folds_it_had(config: Path) -> None:
    events = training(config, {"train.epochs": 1, **ONE_BY_ONE}, folds=3)
    for event in events:
        if isinstance(event, Started) and event.fold == (3, 3):
            break
    (running,) = ls(Path("runs"))
    assert running.status == "running"
    events.close()  # type: ignore[attr-defined]
    (summary,) = ls(Path("runs"))
    assert summary.status == "interrupted"
    assert summary.metrics["val_loss"] is not None
    assert summary.epochs == 2


def test_a_cross_validation_is_listed_as_one_run_with_its_means(config: Path) -> None:
    run, single = trained(config, {"train.epochs": 1}), nnctl.train(config)
    listed = {summary.run: summary for summary in ls(Path("runs"))}
    assert set(listed) == {run.path, single.path}
    assert listed[run.path].metrics == run.metrics


@pytest.mark.parametrize("form", ["{path}", "it/latest/fold-2", "it/{id}/fold-2", "{id}/fold-2", "{path}/fold-2"])
def test_a_fold_is_found_by_the_names_of_its_run(config: Path, form: str) -> None:
    run = trained(config, {"train.epochs": 1})
    reference = form.format(path=run.path, id=Path(run.path).name)
    if not reference.endswith("fold-2"):
        with pytest.raises(SpecError, match=r"no weights of its own; name one of its folds, such as `.*/fold-1`"):
            find(Path("runs"), reference)
        return
    found = find(Path("runs"), reference)
    assert found.run is not None
    assert os.path.realpath(found.run.path) == os.path.realpath(run.folds[1].path)
    with pytest.raises(SpecError, match="names no run"):
        find(Path("runs"), reference.replace("fold-2", "fold-4"))


def test_what_is_noted_for_one_fold_is_not_told_for_the_next(in_folder: Path) -> None:
    config = experiment(in_folder, CLASSIFY)
    notes = [event.text for event in training(config, {"train.epochs": 1}, folds=3) if isinstance(event, Note)]
    alone = {"train.epochs": 1, "data.split.folds": 3, "data.split.fold": 1}
    assert notes == [event.text for event in training(config, alone) if isinstance(event, Note)] != []


@pytest.mark.parametrize(
    ("overrides", "folds", "error", "message"),
    [
        ({}, 1, SpecError, "overrides: data.split.folds: must be a whole number >= 2 or null, got `1`"),
        ({}, 97, DataError, "data.split.folds: 97 folds need as many rows that are no test rows, there are 96"),
        ({"data.split.type": "time"}, 3, SpecError, "data.split.folds: must be null: all folds but the last"),
        ({"data.val_path": "table.csv"}, 3, SpecError, "data.val_path: cannot stand beside folds"),
        ({"data.split.fold": 2}, 3, SpecError, "data.split.fold: names one fold, and `--folds` asks for all of them"),
        ({"data.split.fold": 2}, None, SpecError, "data.split.fold: must be null, or beside it `folds` be given"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    in_folder: Path, overrides: dict[str, Any], folds: int | None, error: type[Exception], message: str
) -> None:
    config = experiment(in_folder, CLASSIFY)
    with pytest.raises(error) as caught:
        nnctl.train(config, overrides, folds=folds)
    assert message in str(caught.value)
    assert not Path("runs").exists()


@pytest.mark.parametrize("overrides", [None, "train.epochs=1", ["train.epochs=1"], {"train.epochs": 1}])
def test_folds_stand_beside_overrides_of_every_kind(config: Path, overrides: Any) -> None:
    run = nnctl.train(config, overrides, folds=2)
    assert isinstance(run, Folded)
    assert len(run.folds) == 2
    with pytest.raises(SpecError, match="overrides: must be a dict such as"):
        nnctl.train(config, 3, folds=2)  # type: ignore[arg-type]


def test_a_fold_that_ends_before_its_turn_has_its_notes() -> None:
    """Fold 5 stops while fold 4 trains on; both share a pass, and a list that ends in softmax is noted by each."""
    config = Path(__file__).parent.parent / "configs" / "iris.yaml"
    run = trained(config, folds=5)
    assert run.folds[4].epochs < run.folds[3].epochs
    for fold in run.folds[1:]:
        assert (Path(fold.path) / "log.txt").read_text().count("the final softmax is the link of cross_entropy") == 1
