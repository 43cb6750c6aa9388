"""A Dask cluster on this machine: a scheduler and workers, each a process that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 30.0


class Cluster:
    """A scheduler and so many workers of one thread each."""

    def __init__(self, folder: Path, workers: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, file = folder, folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file))
        self.address: str = json.loads(written(file))["address"]
        self.workers: list[subprocess.Popen[bytes]] = []
        for _ in range(workers):
            self.add_worker()

    def add_worker(self) -> None:
        words = (
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--death-timeout",
            "20",
            "--local-directory",
            str(self._folder),
        )
        self.workers.append(self._start("worker", *words))

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()

    def _start(self, kind: str, *words: str) -> subprocess.Popen[bytes]:
        command = (sys.executable, "-m", "dask", kind, "--no-dashboard", *words)
        with (self._folder / f"{kind}.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environment())


def environment() -> dict[str, str]:
    """That of a process which is to find what this one imports."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to be true; what it is."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def written(path: Path) -> str:
    """Wait for a file, and read it."""
    return str(until(lambda: path.exists() and path.read_text()))
