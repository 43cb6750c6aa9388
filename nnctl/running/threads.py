"""How many threads a training gets: those it asks for, or those that pay, of the cores that are free."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from nnctl.preparing.preparation import Prepared
from nnctl.training.job import Job
from nnctl.training.splitting import LONG, best_split

MOST_SLOTS = 256
QUOTA = "cpu.max"
CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Threads(NamedTuple):
    """What is decided once for a run, and kept: its bits depend on the number of shards."""

    threads: int
    shards: int  # parts that a batch is split into


def recorded(about: Mapping[str, Any]) -> Threads:
    """Those of a run.json."""
    return Threads(about.get("threads") or 1, about.get("shards") or 1)


def threaded(prepared: Prepared, threads: Threads) -> Prepared:
    """The same with so many threads."""
    return replace(prepared, job=replace(prepared.job, threads=threads.threads, shards=threads.shards))


def decided(prepared: Prepared, neighbours: Neighbours) -> Prepared:
    """With the threads that the experiment asks for, or that pay, and a note about them.

    ``auto`` shares the cores with the other trainings that run now.
    """
    asked, job = prepared.experiment.train.threads, prepared.job
    if isinstance(asked, int):
        found, note = _as_asked(job, asked)
    else:
        found, note = _as_pays(job, neighbours)
    return replace(threaded(prepared, found), notes=(*prepared.notes, *filter(None, [note])))


def _as_pays(job: Job, neighbours: Neighbours) -> tuple[Threads, str]:
    long = job.network.parameters >= LONG
    if best_split(job, 2) == 1 and not long:
        return Threads(1, 1), ""
    free = cores() // neighbours.count()
    shards = best_split(job, free)
    if shards > 1:
        return Threads(shards, shards), f"train.threads: auto splits each batch over {shards} threads"
    return Threads(max(1, min(free, 2)) if long else 1, 1), ""


def _as_asked(job: Job, asked: int) -> tuple[Threads, str]:
    coupling = [node for node in job.network.walk() if node.layer.couples_rows or node.plan.statistics]
    rows = min(job.batch_size, len(job.train))
    if asked > 1 and (coupling or job.loss.couples_rows):
        who = f"{coupling[0].layer.name} ({coupling[0].name})" if coupling else job.loss.name
        return Threads(asked, 1), f"train.threads: {asked} splits no batch: {who} needs all of its rows at once"
    return Threads(asked, min(asked, rows)), ""


class Neighbours:
    """The trainings that run on this machine: each has locked a file of its own, and the kernel unlocks it in its end.

    Where these files cannot be made, a training takes itself to be alone.
    """

    def __init__(self, folder: str | None = None) -> None:
        runtime = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"
        self.folder = folder or os.path.join(runtime, f"nnctl-{os.getuid()}")
        self._handle: int | None = None

    def __enter__(self) -> Self:
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            for slot in range(MOST_SLOTS):
                self._handle = self._locked(str(slot), fcntl.LOCK_EX)
                if self._handle is not None:
                    break
        except OSError:
            pass
        return self

    def __exit__(self, *_: object) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)

    def count(self) -> int:
        """How many there are now, this one included."""
        found = 0
        try:
            for slot in os.listdir(self.folder):
                handle = self._locked(slot, fcntl.LOCK_SH)
                if handle is None:
                    found += 1
                else:
                    os.close(handle)
        except OSError:
            pass
        return max(1, found)

    def _locked(self, slot: str, how: int) -> int | None:
        """The handle of a file that nobody else has locked; None if somebody has."""
        # Never through a link, which somebody else may have put there.
        path, flags = os.path.join(self.folder, slot), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return handle


def cores() -> int:
    """The cores that this process may use: by its affinity, the quota of its control group, and OMP_NUM_THREADS."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    asked = [int(limit)] if limit.isdecimal() and int(limit) else []
    return max(1, min([here, *_quotas(), *asked]))


def _quotas() -> list[int]:
    """The whole cores that the control group of this process, and each around it, may use together (version 2)."""
    try:
        line = next(line for line in OWN_CGROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return []
    own = CGROUPS / line.removeprefix("0::").lstrip("/")
    found = []
    for group in chain([own], own.parents):
        try:
            quota, period = (group / QUOTA).read_text().split()
        except (OSError, ValueError):
            continue
        if quota.isdecimal() and period.isdecimal():
            found.append(max(1, int(quota) // int(period)))
    return found
