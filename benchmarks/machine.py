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
CLOCKS = 0.1  # seconds that two clocks of the system may differ by
TWO = 1.8  # cores that must be free before a time on two threads says something
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


class OtherWork:
    """How many cores the other processes of the machine keep busy from now on.

    Ask when the children have ended that were started since: until then they count as others.
    """

    def __init__(self) -> None:
        self._before, self._own, self._began = _worked(), _own(), time.monotonic()

    @property
    def cores(self) -> float | None:
        """So many until now; None where the system does not tell."""
        seconds, before, after, own = time.monotonic() - self._began, self._before, _worked(), _own() - self._own
        if before is None or after is None or after - before < 0.5 * own - CLOCKS:  # some sandboxes tell zeros
            return None
        return max(0.0, after - before - own) / seconds

    @property
    def unclear(self) -> str:
        """Why a time on two threads says nothing; empty where it does, and where nobody knows."""
        cores, there = self.cores, os.cpu_count() or 1
        if cores is None or there - cores >= TWO:
            return ""
        return f"other processes kept {cores:.1f} of {there} cores busy, which left fewer than {TWO:g}"

    def __str__(self) -> str:
        cores = self.cores
        if cores is None:
            return f"Load of the machine: {load()}."
        told = f"Other processes kept {cores:.1f} of {os.cpu_count()} cores busy; load {load()}."
        return told if cores < QUIET else f"**Not a quiet machine.** {told}"


def _worked() -> float | None:
    """Seconds that the processors have worked for anyone; None where the system does not tell."""
    try:
        cells = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, hard, soft, stolen, *_guests = map(int, cells)
    return (user + nice + system + hard + soft + stolen) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Seconds that they have worked for this process and for those of its children that have ended."""
    return sum(os.times()[:4])


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
