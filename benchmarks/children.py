"""The processes of the peers, and the environment that all processes of the benchmark get."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.peers import LIBRARIES
from benchmarks.rounds import ROOT, Timed

# What no user has set: OpenBLAS chooses its kernels by itself, and bytecode is kept.
DROPPED = ("OPENBLAS_", "OMP_", "MKL_", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPROFILEIMPORTTIME")
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def settle(module: str) -> None:
    """Start this process once more without the variables that no user has set, if it has one: NumPy reads them once."""
    if any(name.startswith(DROPPED) for name in os.environ):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment())


def environment(threads: int | None = None, **more: str) -> dict[str, str]:
    """What a process sees; None: it may take as many threads as it wants."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
    limits = {} if threads is None else dict.fromkeys(THREADS, str(threads))
    path = os.pathsep.join(filter(None, [str(ROOT), kept.pop("PYTHONPATH", "")]))  # this tree, whatever is installed
    return {**kept, "PYTHONPATH": path, **limits, **more}


def nnctl() -> list[str]:
    """The command of nnctl."""
    script = Path(sys.executable).parent / "nnctl"
    return [str(script)] if script.exists() else [sys.executable, "-m", "nnctl"]


class Peers:
    """The processes of the libraries that are there; those that are not are named in ``missing``."""

    def __init__(self, python: str | None, libraries: Sequence[str] = tuple(LIBRARIES), *, threads: int = 1) -> None:
        self.versions: dict[str, str] = {}
        self.missing: list[str] = []
        self._processes: dict[str, subprocess.Popen[str]] = {}
        for library in libraries if python else ():
            process = subprocess.Popen(
                [str(python), "-W", "ignore", "-m", "benchmarks.peers", library, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=environment(threads),
            )
            greeting = self._read(process)
            if "version" in greeting:
                self.versions[library] = greeting["version"]
                self._processes[library] = process
            else:
                self.missing.append(library)
                process.communicate()

    @property
    def sides(self) -> list[str]:
        return [side for library in self._processes for side in LIBRARIES[library]]

    def round(self, side: str, workload: str, steps: int) -> Timed:
        """The seconds of a step in a round of a side."""
        library = next((name for name, sides in LIBRARIES.items() if side in sides), "torch")
        process = self._processes[library]
        assert process.stdin is not None
        print(json.dumps([workload, side, steps]), file=process.stdin, flush=True)
        answer = self._read(process)
        if not answer:
            raise RuntimeError(f"the process of {side} has ended")
        clock, cpu = answer
        return clock, cpu

    def _read(self, process: subprocess.Popen[str]) -> Any:
        assert process.stdout is not None
        line = process.stdout.readline()
        return json.loads(line) if line else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.communicate()


def has(python: str | None, module: str) -> bool:
    """Whether a Python has a module."""
    if python is None:
        return False
    return not subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode


def version_of(python: str, package: str) -> str:
    """The version of a package that a Python has; empty: none."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()
