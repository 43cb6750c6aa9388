"""Signals at every stage of a training, and what is said of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_before_training_begins_nothing_is_left(process, folder, number):
    os.mkfifo("pipe.csv")
    started = process("train", "it.yaml", "data.path=pipe.csv")
    with open("pipe.csv", "wb") as pipe:  # it is open once the other side reads
        pipe.write(b"a,b\n")
        pipe.flush()
        time.sleep(0.3)
        started.send_signal(number)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out) == (128 + number, "")
    assert err.splitlines()[-1] == "stopped before training began: nothing was run"
    assert not [path for path in Path("runs").rglob("*") if path.is_file()]


def test_a_second_signal_ends_it_at_once_with_its_last_save(nnctl, folder, monkeypatch):
    from nnctl.running.recording import Recorder

    def again(self, reason):
        raise KeyboardInterrupt

    monkeypatch.setattr(Recorder, "finish", again)
    result = nnctl("train", "it.yaml", "--json")
    assert result.code == 130
    assert result.json["status"] == "interrupted"
    told = f"ended at once, as a signal asked; go on from the last save with `nnctl resume {result.json['run']}`"
    assert told in result.err
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert nnctl("resume", result.json["run"], "-q").code == 0


def test_a_signal_that_the_parent_ignores_stays_ignored(process, folder):

    command = [sys.executable, "-m", "nnctl", "train", "it.yaml", "train.epochs=400", "--json"]
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert started.stderr is not None
    line = ""
    while not line.startswith("epoch "):
        line = started.stderr.readline()
    for number in before:
        started.send_signal(number)
    out, _ = started.communicate(timeout=60)
    assert (started.returncode, json.loads(out)["status"]) == (0, "completed")


def test_asking_for_a_save_where_there_is_nothing_to_save_does_no_harm(process, folder):
    os.mkfifo("pipe.csv")
    started = process("train", "it.yaml", "data.path=pipe.csv", "-q")
    with open("pipe.csv", "wb") as pipe:  # it is open once the other side reads
        started.send_signal(signal.SIGUSR1)
        time.sleep(0.1)
        pipe.write((folder / "table.csv").read_bytes())
    _, err = started.communicate(timeout=60)
    assert started.returncode in (0, 3), err  # 3: a pipe cannot be read twice
