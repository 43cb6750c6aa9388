"""`nnctl sweep` as it is typed: what goes where, and with which exit code."""

from __future__ import annotations

import json
import os
import shlex
import signal
import time
from pathlib import Path

import pytest

from nnctl.runs.atomic import read_json

WORDS = ("optimizer.lr=0.1,0.01", "train.epochs=3")


@pytest.fixture
def swept(nnctl):
    result = nnctl("sweep", "it.yaml", *WORDS, "--seeds", "2", "--jobs", "1", "--json")
    assert result.code == 0, result.err
    return result


def test_the_object_names_the_best_run_and_every_trial(swept):
    found = swept.json
    assert found["schema"] == "nnctl.sweep/1"
    assert len(found["trials"]) == 4
    assert found["best"]["metrics"]["val_loss"] == min(trial["metrics"]["val_loss"] for trial in found["trials"])
    assert found["best"]["run"] in [trial["run"] for trial in found["trials"]]
    assert Path(found["best"]["run"]).is_dir()
    assert "4 trials to minimize val_loss" in swept.err


def test_quietly_it_prints_the_folder_of_the_best_run_alone(nnctl, swept):
    result = nnctl("sweep", "it.yaml", *WORDS, "--seeds", "2", "--once", "-q")
    assert (result.code, result.out, result.err) == (0, f"{swept.json['best']['run']}\n", "")


def test_a_dry_run_lists_the_checked_trials_and_writes_nothing(nnctl, folder):
    result = nnctl("sweep", "it.yaml", *WORDS, "--seeds", "2", "--dry-run")
    assert result.code == 0
    header, *rows = [line.split() for line in result.out.splitlines()]
    assert header == ["trial", "optimizer.lr", "seed"]
    assert rows == [["1", "0.1", "0"], ["2", "0.1", "1"], ["3", "0.01", "0"], ["4", "0.01", "1"]]
    assert not list(Path("runs").glob("[!.]*"))
    listed = nnctl("sweep", "it.yaml", *WORDS, "--dry-run", "--json").json
    assert (listed["total"], listed["trials"][1]["params"]) == (2, {"optimizer.lr": 0.01})
    assert nnctl("sweep", "it.yaml", "optimizer.lr=0.1,-1", "--dry-run").code == 2


def test_the_plan_trains_the_trials_of_the_sweep(nnctl, swept):
    plan = nnctl("sweep", "it.yaml", *WORDS, "--seeds", "2", "--plan", "--name", "alone").out.splitlines()
    assert len(plan) == 4
    words = shlex.split(plan[-1])
    assert words[:3] == ["nnctl", "train", "it.yaml"]
    assert "--once" in words
    alone = nnctl(*words[1:], "--json")
    assert alone.json["metrics"] == swept.json["trials"][3]["metrics"]
    assert alone.json["run"].startswith(f"runs{os.sep}alone")


def test_a_search_that_decides_as_it_goes_has_no_plan(nnctl, folder):
    result = nnctl("sweep", "it.yaml", "optimizer.lr=0.1,0.01,0.001", "--method", "halving", "--plan")
    assert result.code == 2
    assert "--plan: halving decides by what came of earlier trials" in result.err


def test_trials_that_fail_are_told_and_end_it_with_5(nnctl, folder, monkeypatch):
    from nnctl.errors import WorkerDied
    from nnctl.sweeps import driving
    from nnctl.sweeps.engines import local

    def dying(self, fn, /, *args, **kwargs):
        from concurrent.futures import Future

        future = Future()
        future.set_exception(WorkerDied("its worker process (pid 7) was ended by SIGKILL"))
        return future

    monkeypatch.setattr(local.Processes, "submit", dying)
    result = nnctl("sweep", "it.yaml", *WORDS, "--jobs", "1")
    assert result.code == 5
    assert result.err.count("trained once more\n") == 1
    assert result.err.count("trained once more, each by itself") == 1
    last = result.err.splitlines()[-1]
    assert "2 of 2 trials failed; trial 1: " in last
    assert last.endswith("/log.txt); the same command again tries them once more")
    assert driving.TRIES == 2


def test_what_is_wrong_is_said_before_anything_is_trained(nnctl, folder):
    assert nnctl("sweep", "it.yaml", "optimizer.lr=0.1,-1").code == 2
    assert nnctl("sweep", "it.yaml", "data.target=answer,nothing").code == 3
    assert nnctl("sweep", "it.yaml").code == 2
    assert nnctl("sweep", "it.yaml", *WORDS, "--jobs", "0").code == 2
    assert not list(Path("runs").glob("[!.]*"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_trials_and_the_same_command_goes_on(nnctl, process, folder, number):
    words = ("sweep", "it.yaml", "optimizer.lr=0.01,0.001", "train.epochs=3000", "--json", "--jobs", "1")
    started = process(*words)
    until = time.monotonic() + 60
    while not list(Path("runs").glob("it/*/trials/*/metrics.csv")) and time.monotonic() < until:
        time.sleep(0.02)
    started.send_signal(number)
    out, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number, err
    assert f"stopped by {number.name}; its trials are saved, the same command again goes on with it" in err
    first = json.loads(out)
    assert first["status"] == "interrupted"
    assert not [
        about for about in Path("runs").glob("it/*/trials/*/run.json") if read_json(about)["status"] == "running"
    ]
    result = nnctl(*words, "--fail-fast")
    assert result.code == 0, result.err
    assert result.json["sweep"] == first["sweep"]
    for trial in result.json["trials"]:
        rows = Path(trial["run"], "metrics.csv").read_text().splitlines()
        assert len(rows) == 3001


def test_a_scheduler_that_does_not_answer_is_known_before_anything_is_written(nnctl, folder, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("nnctl.sweeps.engines.dask.ANSWER", 0.5)
    result = nnctl("sweep", "it.yaml", *WORDS, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert result.code == 2, result.err
    result = nnctl("sweep", "it.yaml", *WORDS, "--scheduler", "tcp://127.0.0.1:1")
    assert (result.code, "--scheduler: is that of Dask" in result.err) == (2, True)
    assert not list(Path("runs").glob("[!.]*"))
