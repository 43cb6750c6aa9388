"""examples/sweep.sh: interrupted at a random point and started again, it trains each configuration exactly once.

`NNCTL_SWEEP_ROUNDS=10` does that ten times, in its ways by turns; `NNCTL_FAULT_SEED=7` at other points.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nnctl.runs.listing import ls

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "examples" / "sweep.sh"
ROUNDS = int(os.environ.get("NNCTL_SWEEP_ROUNDS", "2"))
SEED = int(os.environ.get("NNCTL_FAULT_SEED", "0"))
EPOCHS = 4_000  # so that training takes about as long as starting does
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it has the script's surroundings and finds nnctl."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    shutil.copytree(ROOT / "data", tmp_path / "data")
    text = (ROOT / "configs" / "xor.yaml").read_text()
    (tmp_path / "configs" / "xor.yaml").write_text(text.replace("epochs: 500", f"epochs: {EPOCHS}, eval_every: 100"))
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "nnctl"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nnctl "$@"\n')
    command.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name, value in {"CONFIG": "configs/xor.yaml", "LRS": "0.001 0.01", "WIDTHS": "4 8"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def sweeps() -> Iterator[list[subprocess.Popen[str]]]:
    """The sweeps that were started; what is left of them at the end is killed."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for each in started:
        end(each, signal.SIGKILL)


def start(how: str) -> subprocess.Popen[str]:
    """Start the script as the leader of a group of processes, as a shell at a terminal does."""
    return subprocess.Popen(
        [str(SCRIPT), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )


def heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def end(sweep: subprocess.Popen[str], number: int) -> None:
    """Signal the whole group, as Ctrl-C or a closed window does, and wait until nobody in it is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(sweep.pid, number)
    sweep.communicate(timeout=60)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            os.killpg(sweep.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("a process of the sweep does not end")


def finish(how: str) -> str:
    """Run the script to its end, and give back what it prints."""
    done = subprocess.run([str(SCRIPT), how], capture_output=True, text=True, timeout=300, preexec_fn=heed_signals)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def results(widths: tuple[int, ...] = (4, 8)) -> dict[tuple[Any, Any], str]:
    """The weights of every configuration, each of which was trained exactly once and has each row of metrics once."""
    found = {}
    grid = {(lr, (width,)) for lr in (0.001, 0.01) for width in widths}
    summaries = ls(Path("runs"))  # a folder that a killed start has left is no run
    ended = [(summary.run, summary.status, summary.damaged) for summary in summaries]
    assert Counter(status for _, status, _ in ended) == {"completed": len(grid)}, ended
    for summary in summaries:
        about = json.loads(Path(summary.run, "run.json").read_text())
        with Path(summary.run, "metrics.csv").open() as file:
            assert [int(row["epoch"]) for row in csv.DictReader(file)] == list(range(100, EPOCHS + 1, 100))
        key = summary.overrides["optimizer.lr"], tuple(summary.overrides["model.hidden"])
        assert key not in found
        found[key] = about["weights_sha256"]
    assert set(found) == grid
    return found


def ways() -> list[str]:
    return ["for", "xargs", *(["parallel"] if shutil.which("parallel") else [])]


def test_interrupted_and_started_again_each_configuration_is_trained_exactly_once(
    folder: Path, sweeps: list[subprocess.Popen[str]]
) -> None:
    rng = random.Random(SEED)
    begun = time.monotonic()
    best = finish("for")
    whole = time.monotonic() - begun
    wanted = results()
    winner = json.loads(Path(best, "run.json").read_text())["weights_sha256"]
    stopped = 0
    for round_, how in zip(range(ROUNDS), itertools.cycle(ways()), strict=False):
        shutil.rmtree("runs")
        for _ in range(1 + round_ % 2):
            number, wait = rng.choice(SIGNALS), rng.uniform(0.1, 0.7) * whole
            sweeps.append(start(how))
            time.sleep(wait)
            stopped += sweeps[-1].poll() is None
            end(sweeps[-1], number)
        best = finish(how)
        assert results() == wanted, f"NNCTL_FAULT_SEED={SEED}, round {round_}, {how}"
        assert json.loads(Path(best, "run.json").read_text())["weights_sha256"] == winner
    assert stopped, "every sweep had ended before its signal came"


def test_the_second_time_nothing_is_left_to_do(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WIDTHS", "4")
    first = finish("xargs")
    before = {path: path.stat().st_mtime_ns for path in Path("runs/sweep").rglob("*")}
    assert finish("for") == first
    assert {path: path.stat().st_mtime_ns for path in Path("runs/sweep").rglob("*")} == before


def test_two_sweeps_at_once_train_nothing_twice(
    folder: Path, sweeps: list[subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WIDTHS", "4")
    sweeps += [start("xargs"), start("for")]
    for sweep in sweeps:
        sweep.communicate(timeout=300)
    finish("for")  # one of them may have ended while the other still trained
    results((4,))


def test_an_error_stops_it_and_a_diverged_run_does_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LRS", "nonsense 0.01")
    for how in ways():
        done = subprocess.run([str(SCRIPT), how], capture_output=True, text=True)
        assert done.returncode != 0
        assert "optimizer.lr" in done.stderr
        assert done.stdout == ""
        shutil.rmtree("runs", ignore_errors=True)
    config = folder / "configs" / "xor.yaml"
    config.write_text(config.read_text().replace("tanh", "relu").replace("type: adam", "type: sgd"))
    monkeypatch.setenv("LRS", "1e30 0.01")
    monkeypatch.setenv("WIDTHS", "4")
    best = finish("xargs")
    runs = {summary.run: summary.status for summary in ls(Path("runs"))}
    assert sorted(runs.values()) == ["completed", "diverged"]
    assert runs[best] == "completed"
    assert subprocess.run([str(SCRIPT), "nothing"], capture_output=True).returncode == 2
