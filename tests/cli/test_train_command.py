"""``nnctl train``: what it prints where, and the code it ends with."""

from __future__ import annotations

import io
import json
import signal
import time
from pathlib import Path

import pytest

from tests.tables import REGRESS, experiment

DIVERGES = ["optimizer={type: sgd, lr: 1e30}", "model.norm=none", "model.hidden=[]", "data.target_scale=none"]


def test_quiet_prints_the_run_folder_and_nothing_else(nnctl):
    result = nnctl("train", "it.yaml", "-q")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1
    assert (Path(result.out.strip()) / "run.json").exists()
    assert result.out.startswith("runs/it/")


def test_json_is_one_object_with_the_metrics_of_metrics_json(nnctl):
    result = nnctl("train", "it.yaml", "--json")
    found = result.json
    assert result.code == 0
    names = ["schema", "run", "status", "epochs", "best_epoch", "metrics", "seconds", "checkpoint"]
    assert list(found) == names
    assert found["schema"] == "nnctl.train/1"
    assert found["status"] == "completed"
    assert found["epochs"] == 8
    assert found["metrics"] == json.loads((Path(found["run"]) / "metrics.json").read_text())["metrics"]
    assert {"train_accuracy", "val_loss", "test_accuracy"} <= found["metrics"].keys()
    assert Path(found["checkpoint"]).exists()


def test_text_names_the_run_folder_on_stdout_and_tells_of_the_epochs_on_stderr(nnctl):
    result = nnctl("train", "it.yaml")
    first, header, *rows = result.out.splitlines()
    assert Path(first).is_dir()
    assert header.split() == ["loss", "accuracy", "f1", "roc_auc"]
    assert [row.split()[0] for row in rows] == ["train", "val", "test"]
    epochs = [line for line in result.err.splitlines() if line.startswith("epoch ")]
    assert len(epochs) == 8
    assert epochs[-1].startswith("epoch 8/8  train_loss 0.")
    assert f"{first}: 72 train, 24 val, 24 test rows" in result.err
    assert "completed after 8 epochs" in result.err


@pytest.mark.parametrize(("mode", "lines"), [("plain", 8), ("none", 0)])
def test_progress_can_be_chosen(nnctl, mode, lines):
    result = nnctl("train", "it.yaml", "--progress", mode)
    assert sum(line.startswith("epoch ") for line in result.err.splitlines()) == lines


def test_overrides_and_options_may_be_mixed(nnctl):
    result = nnctl("train", "it.yaml", "train.epochs=2", "--json", "seed=3", "--name", "mine", "optimizer.lr=0.5")
    assert result.json["epochs"] == 2
    about = json.loads((Path(result.json["run"]) / "run.json").read_text())
    assert about["name"] == "mine"
    assert about["overrides"] == {"train.epochs": 2, "seed": 3, "optimizer.lr": 0.5}


def test_runs_dir_comes_from_the_option_or_the_environment(nnctl, monkeypatch):
    assert nnctl("train", "it.yaml", "-q", "--runs-dir", "here").out.startswith("here/it/")
    monkeypatch.setenv("NNCTL_RUNS_DIR", "there")
    assert nnctl("train", "it.yaml", "-q").out.startswith("there/it/")


def test_a_diverged_run_prints_its_folder_and_ends_with_4(nnctl, folder):
    experiment(folder, REGRESS)
    result = nnctl("train", "it.yaml", *DIVERGES, "-q")
    assert result.code == 4
    assert Path(result.out.strip()).is_dir()
    assert result.err.count("\n") == 1
    assert "no longer a finite number" in result.err
    found = nnctl("train", "it.yaml", *DIVERGES, "--json")
    assert found.json["status"] == "diverged"
    assert found.code == 4


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["optimizer.lr=-1"], 2),
        (["data.target=nothing"], 3),
        (["data.path=nothing.csv"], 3),
        (["--name", "a/b"], 2),
    ],
)
def test_bad_input_leaves_stdout_and_the_runs_folder_empty(nnctl, folder, words, code):
    for mode in ([], ["-q"], ["--json"]):
        result = nnctl("train", "it.yaml", *words, *mode)
        assert (result.code, result.out) == (code, "")
        assert result.err.endswith("1 problem. Nothing was run.\n")
    assert not (folder / "runs").exists()


def test_a_runs_folder_that_cannot_be_made_is_74(nnctl, folder):
    (folder / "file").write_text("")
    result = nnctl("train", "it.yaml", "-q", "--runs-dir", "file")
    assert (result.code, result.out) == (74, "")
    assert "cannot be made" in result.err


def test_an_error_in_the_middle_still_names_the_folder(nnctl, monkeypatch):
    from nnctl.errors import OutputError
    from nnctl.running.recording import Recorder

    def full(self, event):
        raise OutputError("no space left on device")

    monkeypatch.setattr(Recorder, "epoch", full)
    result = nnctl("train", "it.yaml", "--json")
    assert result.code == 74
    assert result.json["status"] == "failed"
    assert result.json["checkpoint"] is None
    assert Path(result.json["run"]).is_dir()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_after_a_save(process, folder, number):
    started = process("train", "it.yaml", "train.epochs=10000000", "--json")
    lines = []
    while not any(line.startswith("epoch ") for line in lines):
        lines.append(started.stderr.readline())
        assert lines[-1], "it has ended by itself"
    time.sleep(0.1)
    started.send_signal(number)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number
    found = json.loads(out)
    assert found["status"] == "interrupted"
    assert (folder / found["checkpoint"]).exists()
    last = err.splitlines()[-1]
    assert f"stopped by {number.name}" in last
    assert f"nnctl resume {found['run']}`" in last
    assert "Traceback" not in err


def test_a_wrong_name_on_the_command_line_is_placed_there(nnctl, folder):
    (folder / "it.yaml").write_text("name: good\n" + (folder / "it.yaml").read_text())
    result = nnctl("train", "it.yaml", "--name", "a/b")
    assert result.code == 2
    assert result.err.startswith("command line: --name: expected at most 64 letters")
    assert "got `a/b`; try `" in result.err
    result = nnctl("train", "it.yaml", "name=a/b")
    assert result.err.startswith("command line: name: expected at most 64 letters")


def test_a_table_is_read_from_standard_input(nnctl, monkeypatch):
    plain = nnctl("train", "it.yaml", "--json").json
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path("table.csv").read_bytes())))
    piped = nnctl("train", "it.yaml", "data.path=-", "--json").json
    assert piped["metrics"] == plain["metrics"]
    assert "path: '-'" in (Path(piped["run"]) / "resolved.yaml").read_text()
