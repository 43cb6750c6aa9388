"""The use cases end to end, through the Python API: train, load, evaluate, predict, gradcheck."""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.checking import check
from nnctl.experiment import gradcheck
from nnctl.running.beginning import training
from nnctl.running.loop import Finished
from nnctl.running.run import Run
from tests.tables import CLASSIFY, REGRESS, experiment, mixed_csv, write_csv

pytestmark = pytest.mark.usefixtures("in_folder")


def read(path: str | Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def loaded(run: Run, name: str) -> Any:
    return json.loads((Path(run.path) / name).read_text())


def test_a_run_folder_holds_what_the_contract_says(config: Path) -> None:
    run = nnctl.train(config, {"optimizer.lr": 0.005})
    folder = Path(run.path)
    assert {path.name for path in folder.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "log.txt",
        "metrics.csv",
        "metrics.json",
        "resolved.yaml",
        "run.json",
        "run.lock",
    }
    names = ["best.safetensors", "last.prev", "last.safetensors"]
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == names
    assert (folder / "config.yaml").read_bytes() == config.read_bytes()
    about = loaded(run, "run.json")
    assert about["status"] == "completed"
    assert about["overrides"] == {"optimizer.lr": 0.005}
    assert about["rows"] == {"train": 72, "val": 24, "test": 24}
    assert (folder.parent / "latest").resolve() == folder.resolve()
    metrics = loaded(run, "metrics.json")
    assert metrics["metrics"] == run.metrics
    assert metrics["last"]["epoch"] == 8
    rows = read(folder / "metrics.csv")
    assert [row["epoch"] for row in rows] == [str(epoch) for epoch in range(1, 9)]
    assert list(rows[0])[:6] == ["epoch", "step", "lr", "seconds", "train_loss", "val_loss"]


def test_the_same_command_twice_gives_the_same_weights(config: Path) -> None:
    one, other = nnctl.train(config), nnctl.train(config)
    assert one.path != other.path
    assert loaded(one, "run.json")["weights_sha256"] == loaded(other, "run.json")["weights_sha256"]


def test_resolved_yaml_gives_the_same_run_from_any_folder(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nnctl.train(config, {"seed": 3, "model.hidden": [5, 4]})
    resolved = (Path(run.path) / "resolved.yaml").resolve()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    again = nnctl.train(resolved)
    first = json.loads((resolved.parent / "run.json").read_text())
    assert loaded(again, "run.json")["weights_sha256"] == first["weights_sha256"]
    assert (Path(again.path) / "resolved.yaml").read_text() == resolved.read_text()


def test_a_checkpoint_alone_gives_the_metrics_of_training(config: Path, tmp_path: Path) -> None:
    run = nnctl.train(config)
    alone = tmp_path / "alone"
    alone.mkdir()
    assert run.checkpoint is not None
    shutil.copy(run.checkpoint, alone / "best.safetensors")
    table = shutil.copy("table.csv", alone / "copy.csv")
    for part in ("train", "val", "test"):
        found = nnctl.evaluate(alone / "best.safetensors", table, split=part)
        for name, value in found.metrics.items():
            assert value == pytest.approx(run.metrics[f"{part}_{name}"], rel=1e-6), f"{part} {name}"


def test_evaluation_of_a_run_takes_its_test_rows(config: Path) -> None:
    run = nnctl.train(config)
    found = nnctl.evaluate(run)
    assert (found.split, found.rows) == ("test", 24)
    assert found.metrics["loss"] == run.metrics["test_loss"]


def test_evaluation_of_a_given_csv_takes_all_its_rows(config: Path, tmp_path: Path) -> None:
    run = nnctl.train(config)
    found = nnctl.evaluate(run, mixed_csv(tmp_path / "new.csv", 33, seed=9))
    assert (found.split, found.rows) == (None, 33)


def test_a_part_of_other_data_than_that_of_training_is_refused(config: Path, tmp_path: Path) -> None:
    run = nnctl.train(config)
    other = mixed_csv(tmp_path / "new.csv", 120, seed=9)
    with pytest.raises(nnctl.NnctlError, match="not the file that the run's test rows came from") as caught:
        nnctl.evaluate(run, other, split="test")
    assert caught.value.exit_code == 3


def test_a_checkpoint_file_without_a_csv_is_refused(config: Path) -> None:
    run = nnctl.train(config)
    assert run.checkpoint is not None
    with pytest.raises(nnctl.NnctlError, match="needs the CSV") as caught:
        nnctl.evaluate(run.checkpoint)
    assert caught.value.exit_code == 2


def test_predictions_follow_names_not_places_and_need_no_target(config: Path, tmp_path: Path) -> None:
    run = nnctl.train(config)
    nnctl.predict(run, "table.csv", "plain.csv")
    rows = read("table.csv")
    header = [name for name in rows[0] if name not in ("answer", "amount")] + ["noise"]
    random.Random(1).shuffle(header)
    write_csv(tmp_path / "shuffled.csv", header, [[{**row, "noise": "x"}[name] for name in header] for row in rows])
    nnctl.predict(run, "shuffled.csv", "other.csv")
    plain, other = read("plain.csv"), read("other.csv")
    assert [row["prediction"] for row in plain] == [row["prediction"] for row in other]
    assert [row["id"] for row in other] == [row["id"] for row in rows]
    assert list(other[0]) == [*header, "prediction"]


def test_predictions_of_the_model_in_memory_are_those_of_the_file(config: Path) -> None:
    run = nnctl.train(config)
    nnctl.predict(run, "table.csv", "out.csv")
    model = nnctl.load(run)
    columns: dict[str, list[str]] = {
        name: [row[name] for row in read("table.csv")] for name in ("a", "b", "colour", "member")
    }
    assert [str(value) for value in model.predict(columns).tolist()] == [row["prediction"] for row in read("out.csv")]


def test_probabilities_are_written_for_every_class_in_sorted_order(in_folder: Path) -> None:
    run = nnctl.train(experiment(in_folder))
    nnctl.predict(run, "table.csv", "out.csv", proba=True)
    rows = read("out.csv")
    assert list(rows[0])[-3:] == ["prediction", "p_no", "p_yes, please"]
    for row in rows:
        no, yes = float(row["p_no"]), float(row["p_yes, please"])
        assert no + yes == pytest.approx(1)
        assert row["prediction"] == ("yes, please" if yes > no else "no")
    assert nnctl.load(run).classes == ("no", "yes, please")


def test_the_confusion_matrix_counts_every_row_once(in_folder: Path) -> None:
    run = nnctl.train(experiment(in_folder))
    found = nnctl.evaluate(run, "table.csv")
    assert np.sum(found.confusion) == 120
    right = found.confusion[0][0] + found.confusion[1][1]
    assert right / 120 == pytest.approx(found.metrics["accuracy"])
    assert [entry["label"] for entry in found.classes] == ["no", "yes, please"]


def test_positive_decides_which_label_f1_is_about(in_folder: Path) -> None:
    config = experiment(in_folder)
    found = {}
    for label in ("no", "yes, please"):
        run = nnctl.train(config, {"data.positive": label, "metrics": ["recall"]})
        table = {entry["label"]: entry["recall"] for entry in nnctl.evaluate(run).classes}
        found[label] = run.metrics["test_recall"] == pytest.approx(table[label])
    assert found == {"no": True, "yes, please": True}


def test_several_numeric_targets_are_predicted_at_once(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS.replace("target: amount", "target: [amount, b]"))
    run = nnctl.train(config)
    nnctl.predict(run, "table.csv", "out.csv")
    assert list(read("out.csv")[0])[-2:] == ["prediction_amount", "prediction_b"]
    assert nnctl.load(run).predict({"a": [0.5], "colour": ["red"], "member": [True]}).shape == (1, 2)


def test_separate_files_replace_the_split(in_folder: Path) -> None:
    mixed_csv(in_folder / "val.csv", 30, seed=1)
    mixed_csv(in_folder / "test.csv", 40, seed=2)
    config = experiment(
        in_folder, CLASSIFY.replace("split: {val: 0.2, test: 0.2}", "val_path: val.csv\n  test_path: test.csv")
    )
    run = nnctl.train(config)
    assert loaded(run, "run.json")["rows"] == {"train": 120, "val": 30, "test": 40}
    assert nnctl.evaluate(run).metrics["loss"] == run.metrics["test_loss"]
    assert nnctl.evaluate(run, "val.csv", split="val").metrics["loss"] == pytest.approx(run.metrics["val_loss"])


def test_rows_without_a_target_are_left_out_and_counted(in_folder: Path) -> None:
    config = experiment(in_folder)
    text = (in_folder / "table.csv").read_text().splitlines()
    text[5] = ",".join(["n4", "1", "1", "red", "true", "", "3"])
    (in_folder / "table.csv").write_text("\n".join(text) + "\n")
    checked = check(config)
    assert sum(checked.rows.values()) == 119
    assert any("1 of 120 rows have no `answer`" in warning for warning in checked.warnings)
    with pytest.raises(nnctl.NnctlError, match="missing_target") as caught:
        nnctl.train(config, {"data.missing_target": "error"})
    assert caught.value.exit_code == 3


def test_a_diverged_run_is_kept_and_raises(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS)
    with pytest.raises(nnctl.NnctlError, match="no longer a finite number") as caught:
        nnctl.train(config, {"optimizer": {"type": "sgd", "lr": 1e9}})
    assert caught.value.exit_code == 4
    folder = next(path for path in (in_folder / "runs" / "it").iterdir() if not path.is_symlink())
    assert json.loads((folder / "run.json").read_text())["status"] == "diverged"


def test_max_time_ends_a_run_as_completed(in_folder: Path) -> None:
    run = nnctl.train(experiment(in_folder), {"train.epochs": 1_000_000, "train.max_time": 0.2})
    assert (run.status, run.reason) == ("completed", "max_time")
    assert run.metrics["val_loss"] > 0


def test_early_stopping_watches_a_metric_that_is_not_listed(in_folder: Path) -> None:
    changes = {
        "train.epochs": 200,
        "early_stopping": {"monitor": "val_log_loss", "patience": 2},
        "metrics": ["accuracy"],
    }
    run = nnctl.train(experiment(in_folder), changes)
    assert run.status == "early_stopped"
    assert "val_log_loss" in run.metrics


def test_every_parameter_of_a_config_passes_the_gradient_check(config: Path) -> None:
    found = gradcheck(config)
    assert len(found) > 4
    assert all(checked.passed for checked in found), found


def test_bad_input_leaves_nothing_behind(in_folder: Path) -> None:
    config = experiment(in_folder)
    for wrong in ({"data.target": "anser"}, {"train.epochs": 0}, {"model.layers": ["tahn"]}, {"data.path": "no.csv"}):
        with pytest.raises(nnctl.NnctlError):
            nnctl.train(config, wrong)
    assert not (in_folder / "runs").exists()


@pytest.mark.usefixtures("heeded")
def test_a_signal_ends_the_run_with_its_best_weights_saved(in_folder: Path) -> None:
    events = training(experiment(in_folder), {"train.epochs": 1_000_000})
    last = None
    for count, event in enumerate(events):
        if count == 20:
            os.kill(os.getpid(), signal.SIGINT)
        last = event
    assert isinstance(last, Finished)
    assert (last.run.status, last.signal) == ("interrupted", signal.SIGINT)
    assert nnctl.evaluate(last.run, split="val").metrics["loss"] == last.run.metrics["val_loss"]


def test_the_resolved_config_carries_the_name_of_its_run(config: Path) -> None:
    run = nnctl.train(config, name="other")
    again = nnctl.train(Path(run.path) / "resolved.yaml")
    assert Path(again.path).parent == Path(run.path).parent
