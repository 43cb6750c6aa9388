"""``nnctl train --folds``: what it prints where, and the code it ends with."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from tests.tables import REGRESS, experiment

DIVERGES = ["optimizer={type: sgd, lr: 1e30}", "model.norm=none", "model.hidden=[]", "data.target_scale=none"]


def test_json_is_the_object_in_folds_json(nnctl):
    result = nnctl("train", "it.yaml", "--folds", "3", "--json")
    found = result.json
    assert result.code == 0
    assert found == json.loads((Path(found["run"]) / "folds.json").read_text())
    assert found["schema"] == "nnctl.folds/1"
    assert [fold["run"] for fold in found["folds"]] == [f"{found['run']}/fold-{number}" for number in (1, 2, 3)]
    assert {"val_loss", "val_accuracy", "test_loss", "train_accuracy"} <= found["mean"].keys() == found["std"].keys()


def test_quiet_prints_the_folder_of_all_folds(nnctl):
    result = nnctl("train", "it.yaml", "-q", "--folds", "2", "train.epochs=1")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    assert (Path(result.out.strip()) / "fold-2" / "run.json").exists()


def test_the_key_does_what_the_option_does(nnctl):
    result = nnctl("train", "it.yaml", "data.split.folds=3", "train.epochs=1", "--json")
    assert len(result.json["folds"]) == 3


def test_text_is_a_table_of_the_folds_with_means_and_deviations(nnctl):
    result = nnctl("train", "it.yaml", "--folds", "3")
    first, header, *rows = result.out.splitlines()
    assert Path(first).is_dir()
    names = ["loss", "accuracy", "f1", "roc_auc"]
    assert header.split() == ["fold", "status", *(f"{part}_{name}" for part in ("val", "test") for name in names)]
    assert [row.split()[0] for row in rows] == ["1", "2", "3", "mean", "std"]
    assert rows[-1].startswith("std (n - 1)")
    found = json.loads((Path(first) / "folds.json").read_text())
    assert float(rows[3].split()[1]) == pytest.approx(found["mean"]["val_loss"], rel=1e-3)
    assert float(rows[4].split()[4]) == pytest.approx(found["std"]["val_loss"], rel=1e-3)


def test_the_display_says_which_fold_runs(nnctl):
    lines = nnctl("train", "it.yaml", "--folds", "2").err.splitlines()
    assert lines[0].endswith(": 2 folds")
    starts = [line for line in lines if line.startswith("fold ")]
    assert [line.partition(":")[0] for line in starts] == ["fold 1/2", "fold 2/2"]
    assert "/fold-2: 48 train, 48 val, 24 test rows" in starts[1]
    assert sum(line.startswith("epoch ") for line in lines) == 16
    assert lines[-1].startswith("completed after 16 epochs in ")
    assert lines[-1].endswith(": all 2 folds done")


def test_a_bar_is_drawn_for_every_fold(nnctl):
    err = nnctl("train", "it.yaml", "--folds", "2", "--progress", "bar").err
    assert "fold 1/2  epoch 8/8" in err
    assert "fold 2/2  epoch 8/8" in err


def test_diverged_folds_are_told_and_the_code_is_4(nnctl, folder):
    experiment(folder, REGRESS)
    result = nnctl("train", "it.yaml", *DIVERGES, "--folds", "2", "-q")
    assert result.code == 4
    assert Path(result.out.strip()).is_dir()
    assert "in fold 1, 2 of 2 the loss is no longer a finite number" in result.err
    result = nnctl("train", "it.yaml", *DIVERGES, "--folds", "2")
    assert result.code == 4
    assert [line.split()[:2] for line in result.out.splitlines()[2:4]] == [["1", "diverged"], ["2", "diverged"]]


def test_an_error_in_the_middle_still_names_the_folder_and_the_folds_that_ended(nnctl, monkeypatch):
    from nnctl.errors import OutputError
    from nnctl.running.recording import Recorder

    judged = []
    judge = Recorder.judge

    def full(self):
        judged.append(self)
        if len(judged) == 2:
            raise OutputError("no space left on device")
        return judge(self)

    monkeypatch.setattr(Recorder, "judge", full)
    result = nnctl("train", "it.yaml", "--json", "--folds", "3")
    assert result.code == 74
    assert [fold["status"] for fold in result.json["folds"]] == ["completed", "failed"]
    assert result.json["status"] == "failed"
    assert Path(result.json["run"]).is_dir()


@pytest.mark.parametrize(
    ("words", "code"), [(["--folds", "1"], 2), (["--folds", "999"], 3), (["--folds", "2", "data.split=column"], 2)]
)
def test_what_cannot_be_leaves_stdout_and_the_runs_folder_empty(nnctl, folder, words, code):
    result = nnctl("train", "it.yaml", *words)
    assert (result.code, result.out) == (code, "")
    assert not (folder / "runs").exists()


def test_a_signal_ends_all_folds_after_a_save(process, folder):
    started = process("train", "it.yaml", "train.epochs=10000000", "--folds", "3", "--json")
    lines = []
    while not any(line.startswith("epoch ") for line in lines):
        lines.append(started.stderr.readline())
        assert lines[-1], "it has ended by itself"
    time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 130
    found = json.loads(out)
    assert found["status"] == "interrupted"
    assert [fold["status"] for fold in found["folds"]] == ["interrupted"]
    assert (folder / found["run"] / "fold-1" / "checkpoints" / "last.safetensors").exists()
    saved = f"its state is saved, go on with `nnctl resume {found['run']}`"
    assert err.splitlines()[-1] == f"{found['run']}: stopped by SIGINT in fold 1 of 3; {saved}"


def test_eval_and_runs_know_folds(nnctl):
    run = nnctl("train", "it.yaml", "--folds", "3", "-q").out.strip()
    mean = json.loads((Path(run) / "folds.json").read_text())["mean"]
    assert nnctl("runs", "ls", "--json").json["runs"][0]["metrics"] == mean
    assert run in nnctl("runs", "ls").out
    assert nnctl("runs", "show", "it/latest", "--json").json["metrics"] == mean
    shown = nnctl("runs", "show", "it/latest").out
    assert "all 3 folds done" in shown
    judged = nnctl("eval", "it/latest/fold-3", "--split", "val", "--json").json
    folds = json.loads((Path(run) / "folds.json").read_text())["folds"]
    assert judged["metrics"]["loss"] == folds[2]["metrics"]["val_loss"]
    result = nnctl("eval", "it/latest")
    assert (result.code, result.out) == (2, "")
    assert "name one of its folds" in result.err


def test_check_shows_the_first_fold_and_says_so(nnctl):
    result = nnctl("check", "it.yaml", "data.split.folds=4", "--json")
    assert result.json["rows"] == {"train": 72, "val": 24, "test": 24}
    assert "rows and columns are those of fold 1 of 4" in result.json["notes"]
    assert "rows and columns" not in str(nnctl("check", "it.yaml", "--json").json["notes"])
