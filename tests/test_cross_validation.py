"""Cross-validation end to end, through the Python API: a run for each fold, and what they say together."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import nnctl
from nnctl.checking import check
from nnctl.errors import DataError
from nnctl.preparing import dataset
from nnctl.running.beginning import training
from nnctl.running.folding import Folded
from nnctl.running.loop import Finished, FoldsStarted, Started
from nnctl.running.run import Run
from tests.tables import mixed_csv, write_csv

pytestmark = pytest.mark.usefixtures("in_folder")


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
    brief = {"train.epochs": 1, "data.split.test": 0.25, "data.cache": False}
    events = list(training(config, brief, folds=4))
    starts = [event for event in events if isinstance(event, Started)]
    assert [event.fold for event in starts] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    parts = [event.prepared.dataset.parts for event in starts]
    test = parts[0]["test"].rows.tolist()
    assert all(each["test"].rows.tolist() == test for each in parts)
    val = [row for each in parts for row in each["val"].rows.tolist()]
    assert sorted([*val, *test]) == list(range(120))
    single = next(event for event in training(config, brief) if isinstance(event, Started))
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
    brief = {"train.epochs": 1, "data.test_path": "test.csv", "data.split": "none"}
    run = trained(config, brief, folds=5)
    assert [Path(path).name for path in paths] == ["table.csv", "test.csv"]
    again = trained(config, brief, folds=5)
    assert len(paths) == 2, "the second time everything lies in the cache"
    assert [weights(fold) for fold in again.folds] == [weights(fold) for fold in run.folds]
    assert loaded(run.folds[0], "run.json")["rows"] == {"train": 96, "val": 24, "test": 40}


def rows_of_parts(config: Path, overrides: dict[str, Any], folds: int) -> list[dict[str, list[int]]]:
    overrides = {"data.cache": False, **overrides}  # which knows of no tables
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


@pytest.mark.parametrize("split", ["none", {"type": "none"}, {"type": "random"}])
def test_another_seed_cuts_other_folds_whatever_the_cache_holds(config: Path, split: Any) -> None:
    runs = [trained(config, {"data.split": split, "seed": seed, "train.epochs": 1}) for seed in (0, 1)]
    fresh = {"data.split": split, "seed": 1, "train.epochs": 1, "data.cache": False}
    assert [weights(fold) for fold in runs[1].folds] == [weights(fold) for fold in trained(config, fresh).folds]


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
