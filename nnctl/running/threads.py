"""How many threads a training gets: those it asks for, or those that pay, of the cores that are free."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

from nnctl.errors import Place, Problem, RunError
from nnctl.network.shards import coupled
from nnctl.preparing.memory import check_memory, need
from nnctl.preparing.preparation import Prepared
from nnctl.runs.places import from_here
from nnctl.spec.schema import MOST_THREADS as MOST
from nnctl.training.job import Job
from nnctl.training.splitting import LONG, best_split

SHARED = "/tmp"  # the same for all sessions of a user, which TMPDIR and XDG_RUNTIME_DIR are not
MOST_SLOTS = 256
QUOTA = "cpu.max"
CGROUPS, OWN_CGROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Threads(NamedTuple):
    """What is decided once for a run, and kept: its bits depend on the number of shards."""

    threads: int
    shards: int  # parts that a batch is split into


def recorded(about: Mapping[str, Any], path: Path) -> Threads:
    """Those of a run.json. Raises: RunError if they are none."""
    found = Threads(about.get("threads") or 1, about.get("shards") or 1)
    for name, value in found._asdict().items():
        if type(value) is not int or not 1 <= value <= MOST:
            raise RunError(Problem(f"is damaged: `{name}` is no number from 1 to {MOST}", place=Place(from_here(path))))
    return found


def threaded(prepared: Prepared, threads: Threads) -> Prepared:
    """The same with so many threads."""
    return replace(prepared, job=replace(prepared.job, threads=threads.threads, shards=threads.shards))


def decided(prepared: Prepared, neighbours: Neighbours) -> Prepared:
    """With the threads that the experiment asks for, or that pay, and a note about them.

    Raises: SpecError if the gradients of the parts that are asked for would not fit into memory.
    """
    asked, job = prepared.experiment.train.threads, prepared.job
    found, note = _as_asked(job, asked) if isinstance(asked, int) else _as_pays(job, neighbours)
    return replace(threaded(prepared, found), notes=(*prepared.notes, *filter(None, [note])))


def _as_pays(job: Job, neighbours: Neighbours) -> tuple[Threads, str]:
    """The parts are those that pay on all cores, so that the same command gives the same bits, whoever else is there.

    How many threads work on them goes by the cores that other trainings leave.
    """
    long = job.network.parameters >= LONG
    if best_split(job, 2) == 1 and not long:
        return Threads(1, 1), ""
    shards = best_split(job, cores())
    while shards > 1 and not need(**_sizes(job), shards=shards).fits():
        shards -= 1
    free = max(1, _allowed() // neighbours.count())
    if shards == 1:
        return Threads(min(free, 2) if long else 1, 1), ""
    threads = min(shards, free)
    who = f"{shards} threads" if threads == shards else f"{shards} parts, for {threads} of the threads that are free"
    return Threads(threads, shards), f"train.threads: auto splits each batch over {who}"


def _as_asked(job: Job, asked: int) -> tuple[Threads, str]:
    coupling = coupled(job.network, job.loss)
    if asked > 1 and coupling:
        return Threads(asked, 1), f"train.threads: {asked} splits no batch: {coupling} needs all of its rows at once"
    shards = min(asked, job.batch_size, len(job.train))
    check_memory(**_sizes(job), shards=shards)
    return Threads(asked, shards), ""


def _sizes(job: Job) -> dict[str, Any]:
    batch = min(job.batch_size, len(job.train))
    return {"network": job.network, "loss": job.loss, "optimizer": job.optimizer, "dtype": job.dtype, "batch": batch}


class Neighbours:
    """The trainings of this user on this machine: each has locked a file of its own; the kernel unlocks it in its end.

    Where these files cannot be made, a training takes itself to be alone.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder or os.path.join(SHARED, f"nnctl-{os.getuid()}")
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
    """The cores that this process may use: by its affinity and the quota of its control group."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([here, *_quotas()]))


def _allowed() -> int:
    """The threads that the user allows by OMP_NUM_THREADS, at most one for each core."""
    limit = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cores(), int(limit)) if limit.isdecimal() and int(limit) else cores()


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
