"""Streams that are closed, full, or read by nobody: a sentence or silence, and a training is finished all the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nnctl
from tests.safety.streams import COMMANDS, STREAMS
from tests.tables import experiment

ROOT = Path(nnctl.__file__).parents[1]
USAGE = ("", "nosuch", "train")  # typer says what is wrong
SILENT = "predict base/latest table.csv -o out.csv"

pytestmark = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has /dev/full")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], dict[str, Any]]:
    """How every command ended with every kind of streams, and the status of the run that it trained."""
    folder = tmp_path_factory.mktemp("streams")
    experiment(folder)
    (folder / "wrong.yaml").write_text("data: {path: table.csv, tagret: x}\n")
    program = [sys.executable, "-m", "tests.safety.streams"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    for each in found:
        each["status"] = [
            json.loads(path.read_text())["status"] for path in folder.glob(f"runs/{each['name']}/2*/run.json")
        ]
    return {(each["kind"], each["command"]): each for each in found}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", STREAMS)
def test_no_stream_brings_a_command_down(results, kind, command):
    result = results[kind, command]
    assert result["code"] == expected(kind, command), result["told"]
    for words in ("Traceback", "Exception ignored", "bug in nnctl", "Error: [Errno"):
        assert words not in result["told"]
    if result["code"] == 74 and kind in ("stdout closed", "stdout full"):
        assert "cannot be written: " in result["told"]


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("train it.yaml")])
@pytest.mark.parametrize("kind", STREAMS)
def test_a_training_is_finished_whoever_listens(results, kind, command):
    assert results[kind, command]["status"] == ["completed"]


def expected(kind: str, command: str) -> int:
    """The exit code: 2 where the words are wrong, 74 where a result cannot be written, 141 where nobody reads it."""
    which, _, state = kind.partition(" ")
    no_result = command in USAGE or command in (SILENT, "check wrong.yaml")
    if which in ("stdout", "both", "all") and not no_result:
        return 141 if state == "unread" else 74
    if command in USAGE:
        # typer's own words are all that such a command has to say.
        lost = {"full": 74, "unread": 141}.get(state, 2) if which in ("stderr", "both") else 2
        return lost
    return 2 if command == "check wrong.yaml" else 0
