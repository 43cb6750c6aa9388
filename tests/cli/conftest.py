"""Command lines in a folder of their own: in this process for most, in one of their own where the process matters."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nnctl.cli import main
from tests.tables import experiment

ROOT = Path(__file__).parent.parent.parent


@dataclass
class Result:
    """What a command line left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out.count("\n") == 1, "one object on one line"
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: it holds ``it.yaml`` and ``table.csv``."""
    experiment(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("NNCTL_RUNS_DIR", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def nnctl(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line in this process."""

    def run(*words: str) -> Result:
        capfd.readouterr()
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0
        captured = capfd.readouterr()
        return Result(code, captured.out, captured.err)

    return run


@pytest.fixture
def trained(nnctl: Callable[..., Result]) -> str:
    """The folder of a run."""
    result = nnctl("train", "it.yaml", "-q")
    assert result.code == 0, result.err
    return result.out.strip()


@pytest.fixture
def process(folder: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a command line in a process of its own, which heeds signals even where the tests do not."""
    started = []

    def start(*words: str, **options: Any) -> subprocess.Popen[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": folder}
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        words = (sys.executable, "-m", "nnctl", *words)
        started.append(subprocess.Popen(words, preexec_fn=_heed_signals, **{"env": env, **streams, **options}))
        return started[-1]

    yield start
    for left in started:
        left.kill()
        left.communicate()


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
