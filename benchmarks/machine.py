"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy  # noqa: F401  # loads the BLAS that is told about
from threadpoolctl import threadpool_info

import nnctl
from benchmarks.children import version_of
from benchmarks.command import Options
from benchmarks.rounds import ROOT

QUIET = 0.15  # cores that others may take
PEERS = "torch", "jax", "scikit-learn", "pandas", "ludwig"


def described(options: Options) -> list[str]:
    """A line each for the machine, the versions, the kernels of the matrix products, and the load."""
    own = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pandas", "typer"))
    peers = [f"{name} {found}" for name in PEERS if options.peers and (found := version_of(options.peers, name))]
    blas = {f"{each['internal_api']} {each['version']} {each.get('architecture', '')}" for each in threadpool_info()}
    return [
        f"{datetime.now(UTC):%Y-%m-%d}, nnctl {nnctl.__version__} at {_commit()}",
        f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GB, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, {own}",
        f"Beside it: {', '.join(peers) or 'nothing'}",
        f"Matrix products by {', '.join(sorted(blas))}, picked by itself: OPENBLAS_* and the like are unset",
        f"Load at the start: {load()}",
    ]


def load() -> str:
    """How many processes wanted to run in the last minute."""
    return f"{os.getloadavg()[0]:.1f}"


class Neighbours:
    """How many cores the other processes of the machine keep busy from now on."""

    def __init__(self) -> None:
        self._before, self._began = _busy(), time.monotonic()

    def __str__(self) -> str:
        seconds, before, after = time.monotonic() - self._began, self._before, _busy()
        if before is None or after is None:
            return f"Load of the machine: {load()}."
        cores = max(0.0, after - before) / seconds
        told = f"Other processes kept {cores:.1f} of {os.cpu_count()} cores busy; load {load()}."
        return told if cores < QUIET else f"**Not a quiet machine.** {told}"


def _busy() -> float | None:
    """Seconds that the processors have worked for others than us; None where the system does not tell."""
    try:
        cells = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, hard, soft, stolen, *_guests = map(int, cells)
    worked = (user + nice + system + hard + soft + stolen) / os.sysconf("SC_CLK_TCK")
    return worked - sum(os.times()[:4])  # those of children count once they have ended


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    flags = next((line for line in lines if line.startswith("flags")), "")
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model}{' with AVX-512' if 'avx512f' in flags else ''}"


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _commit() -> str:
    command = "git", "-C", str(ROOT), "describe", "--always", "--dirty"
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "no commit"
