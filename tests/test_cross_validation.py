"""Cross-validation end to end, through the Python API: a run for each fold, and what they say together."""

from __future__ import annotations

import json
import math
import os
import signal
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import nnctl
from nnctl import dataset
from nnctl.checking import check
from nnctl.errors import DataError, DivergedError, OutputError, SpecError
from nnctl.experiment import Finished, FoldsStarted, Note, Started, training
from nnctl.folding import Folded
from nnctl.recording import Recorder, Run
from nnctl.runs.find import find
from nnctl.runs.listing import ls
from nnctl.trainer import Epoch
from tests.tables import CLASSIFY, REGRESS, experiment, mixed_csv, write_csv


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=[CLASSIFY, REGRESS], ids=["classes", "numbers"])
def config(request: pytest.FixtureRequest, in_folder: Path) -> Path:
    return experiment(in_folder, request.param)


@pytest.fixture
def heeded() -> Iterator[None]:
    """Ctrl-C is not ignored, as it is where the tests were started with `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def loaded(run: Run, name: str) -> Any:
    return json.loads((Path(run.path) / name).read_text())


def trained(config: Path, overrides: dict[str, Any] | None = None, folds: int = 3) -> Folded:
    run = nnctl.train(config, overrides, folds=folds)
    assert isinstance(run, Folded)
    return run


def weights(run: Run) -> Any:
    return loaded(run, "run.json")["weights_sha256"]


def test_the_folder_holds_the_runs_of_the_folds_and_what_they_say_together(config: Path) -> None:
    run = trained(config, {"train.epochs": 2})
    folder = Path(run.path)
    files = {"config.yaml", "resolved.yaml", "run.json", "folds.json", "log.txt", "run.lock"}
    assert {path.name for path in folder.iterdir()} == {*files, "fold-1", "fold-2", "fold-3"}
    assert (folder / "config.yaml").read_bytes() == config.read_bytes()
    single = nnctl.train(config, {"train.epochs": 2})
    for number, fold in enumerate(run.folds, 1):
        assert fold.path == f"{run.path}/fold-{number}"
        assert sorted(os.listdir(fold.path)) == sorted(os.listdir(single.path))
        about = loaded(fold, "run.json")
        assert about["overrides"] == {"train.epochs": 2, "data.split.folds": 3, "data.split.fold": number}
        assert (about["name"], about["id"]) == ("it", f"{folder.name}/fold-{number}")
        assert about["rows"] == {"train": 64, "val": 32, "test": 24}
        assert about["status"] == "completed"
    about = loaded(run, "run.json")
    assert (about["schema"], about["name"], about["id"]) == ("nnctl.run/1", "it", folder.name)
    assert (about["status"], about["reason"], about["folds"]) == ("completed", "all 3 folds done", 3)
    assert about["overrides"] == {"train.epochs": 2, "data.split.folds": 3}
    assert (about["epochs"], about["best_epoch"]) == (6, None)
    assert "fold 3: completed: all epochs done" in (folder / "log.txt").read_text()


def test_the_metrics_are_means_with_sample_standard_deviations(config: Path) -> None:
    run = trained(config)
    found = loaded(run, "folds.json")
    assert found == run.as_json()
    assert list(found) == ["schema", "run", "status", "folds", "mean", "std"]
    assert found["schema"] == "nnctl.folds/1"
    assert [fold["run"] for fold in found["folds"]] == [fold.path for fold in run.folds]
    for name, mean in run.metrics.items():
        values = [fold.metrics[name] for fold in run.folds]
        assert values == [loaded(fold, "metrics.json")["metrics"][name] for fold in run.folds]
        assert mean == pytest.approx(np.mean(values))
        assert run.std[name] == pytest.approx(np.std(values, ddof=1))


def test_every_row_but_the_test_rows_validates_once(config: Path) -> None:
    events = list(training(config, {"train.epochs": 1, "data.split.test": 0.25}, folds=4))
    starts = [event for event in events if isinstance(event, Started)]
    assert [event.fold for event in starts] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    parts = [event.prepared.dataset.parts for event in starts]
    test = parts[0]["test"].rows.tolist()
    assert all(each["test"].rows.tolist() == test for each in parts)
    val = [row for each in parts for row in each["val"].rows.tolist()]
    assert sorted([*val, *test]) == list(range(120))
    single = next(event for event in training(config, {"data.split.test": 0.25}) if isinstance(event, Started))
    assert single.prepared.dataset.parts["test"].rows.tolist() == test
    ends = [event for event in events if isinstance(event, Finished)]
    assert isinstance(events[0], FoldsStarted)
    assert [type(event.run) for event in ends] == [Run, Run, Run, Run, Folded]


def test_each_fold_is_a_run_of_its_own(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(config)
    for fold in run.folds:
        for split in ("train", "val", "test"):
            judged = nnctl.evaluate(fold, split=split).metrics
            assert judged == {
                name.removeprefix(f"{split}_"): value for name, value in fold.metrics.items() if name.startswith(split)
            }
    second = run.folds[1]
    resolved = yaml.safe_load((Path(second.path) / "resolved.yaml").read_text())["data"]["split"]
    assert (resolved["folds"], resolved["fold"]) == (3, 2)
    nnctl.predict(second, "table.csv", "out.csv")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = nnctl.train(tmp_path / second.path / "resolved.yaml")
    assert not isinstance(again, Folded)
    assert again.metrics == second.metrics
    assert weights(again) == json.loads((tmp_path / second.path / "run.json").read_text())["weights_sha256"]


def test_the_resolved_config_of_all_folds_gives_them_again(config: Path) -> None:
    run = trained(config, {"train.epochs": 2})
    again = nnctl.train(Path(run.path) / "resolved.yaml")
    assert isinstance(again, Folded)
    assert [weights(fold) for fold in again.folds] == [weights(fold) for fold in run.folds]
    assert (again.metrics, again.std) == (run.metrics, run.std)
    split = check(config, {"data.split.folds": 3}).resolved
    assert "    fold: null\n" in split
    assert split == (Path(run.path) / "resolved.yaml").read_text().replace("epochs: 2", "epochs: 8")


def test_a_fold_alone_is_trained_where_the_config_names_it(config: Path) -> None:
    run = trained(config)
    alone = nnctl.train(config, {"data.split.folds": 3, "data.split.fold": 2})
    assert type(alone) is Run
    assert weights(alone) == weights(run.folds[1])


def test_the_table_is_read_once(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = []

    def counted(data: Any, path: str, **options: Any) -> Any:
        paths.append(path)
        return read(data, path, **options)

    read = dataset.read
    monkeypatch.setattr(dataset, "read", counted)
    mixed_csv(Path("test.csv"), 40, seed=1)
    run = trained(config, {"train.epochs": 1, "data.test_path": "test.csv", "data.split": "none"}, folds=5)
    assert [Path(path).name for path in paths] == ["table.csv", "test.csv"]
    assert loaded(run.folds[0], "run.json")["rows"] == {"train": 96, "val": 24, "test": 40}


def rows_of_parts(config: Path, overrides: dict[str, Any], folds: int) -> list[dict[str, list[int]]]:
    started = (event for event in training(config, overrides, folds=folds) if isinstance(event, Started))
    return [{name: part.rows.tolist() for name, part in each.prepared.dataset.parts.items()} for each in started]


def test_the_seed_of_the_split_fixes_the_rows_while_the_seed_varies(config: Path) -> None:
    brief = {"train.epochs": 1, "data.split.test": 0.2}
    fixed = rows_of_parts(config, {**brief, "data.split.seed": 7}, 3)
    assert rows_of_parts(config, {**brief, "data.split.seed": 7, "seed": 1}, 3) == fixed
    assert rows_of_parts(config, {**brief, "seed": 7}, 3) == fixed
    assert rows_of_parts(config, {**brief, "seed": 1}, 3) != fixed
    run, other = (trained(config, {**brief, "data.split.seed": 7, "seed": seed}) for seed in (0, 1))
    assert weights(run.folds[0]) != weights(other.folds[0])


def test_folds_train_the_same_network_whatever_levels_their_rows_show(in_folder: Path) -> None:
    # Eleven levels, one of them in a single row: one fold's training rows have ten, which `auto` would one-hot encode.
    rng = np.random.default_rng(0)
    rows = [[f"l{place % 10}" if place else "rare", rng.normal(), rng.normal()] for place in range(60)]
    write_csv(in_folder / "table.csv", ["level", "x", "y"], rows)
    config = in_folder / "it.yaml"
    config.write_text("data: {path: table.csv, target: y, task: regression}\ntrain: {epochs: 1}\n")
    run = trained(config, folds=4)
    encoders = {
        yaml.safe_load((Path(fold.path) / "resolved.yaml").read_text())["data"]["columns"]["level"]["encode"]["type"]
        for fold in run.folds
    }
    assert len(encoders) == 1
    again = nnctl.train(Path(run.path) / "resolved.yaml")
    assert isinstance(again, Folded)
    assert [weights(fold) for fold in again.folds] == [weights(fold) for fold in run.folds]


def test_group_folds_keep_groups_together(config: Path) -> None:
    split = {"type": "group", "column": "colour"}
    parts = rows_of_parts(config, {"data.split": split, "train.epochs": 1}, 3)
    assert sorted(row for each in parts for row in each["val"]) == list(range(120))
    with pytest.raises(DataError, match=r"data.split.folds: `colour` makes 3 groups of the rows that are no test rows"):
        nnctl.train(config, {"data.split": split}, folds=4)


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
    from nnctl.folding import folded

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
    for event in training(config, {"train.epochs": 10**7}, folds=3):
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
    last = None
    for event in training(config, {"train.epochs": 1}, folds=3):
        if isinstance(event, Finished) and last is None:
            os.kill(os.getpid(), signal.SIGTERM)
        last = event
    assert isinstance(last, Finished)
    assert last.signal == signal.SIGTERM
    assert (last.run.status, last.run.reason) == ("interrupted", "SIGTERM after fold 1 of 3")


def test_an_error_in_a_fold_is_told_of_both_runs(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def full(self: Recorder, event: Epoch) -> None:
        calls.append(event.epoch)
        if len(calls) > 3:
            raise OutputError("no space left on device")
        record(self, event)

    record = Recorder.epoch
    monkeypatch.setattr(Recorder, "epoch", full)
    with pytest.raises(OutputError):
        nnctl.train(config, {"train.epochs": 2}, folds=3)
    (summary,) = ls(Path("runs"))
    assert (summary.status, summary.reason) == ("failed", "no space left on device")
    assert json.loads((Path(summary.run) / "fold-2" / "run.json").read_text())["status"] == "failed"
    assert len(json.loads((Path(summary.run) / "folds.json").read_text())["folds"]) == 1


def test_a_killed_cross_validation_is_listed_with_the_folds_it_had(config: Path) -> None:
    events = training(config, {"train.epochs": 1}, folds=3)
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
    single = [event.text for event in training(config, {"train.epochs": 1}) if isinstance(event, Note)]
    assert notes == single


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
