"""A task of a sweep: trials that are trained together, each in its own run folder."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.data.cache import Cache
from nnctl.errors import DataError, NnctlError, RunError
from nnctl.preparing.fitted import experiment_from
from nnctl.preparing.memory import need
from nnctl.preparing.preparation import Prepared, prepare
from nnctl.preparing.remembering import Memory
from nnctl.preparing.sizes import SHARE, machine_memory
from nnctl.running.interrupts import Interrupts
from nnctl.running.open_files import room_for
from nnctl.running.recording import Recorder, begin
from nnctl.running.reopening import reopen
from nnctl.running.run import FINISHED, Run, read_run
from nnctl.running.stack_members import Member, Result, failed, left, result, together, trained
from nnctl.running.threads import Neighbours, Threads, decided, threaded
from nnctl.runs.atomic import is_unreadable
from nnctl.runs.find import cache_folder
from nnctl.runs.run_dir import RunDir
from nnctl.training.alike import groups
from nnctl.training.job import Job
from nnctl.training.splitting import best_split
from nnctl.training.trainer import Trainer

# From the times of stacks of networks of 30 to 100,000 parameters (benchmarks/stacks.py measures them).
MOST = 128  # members, each of which has files that are open
ELEMENTS = 2**20  # parameters of all members together, beyond which the vectors leave the cache
LARGE = 50_000  # parameters of a network that is no slower alone


def train_stack(task: Mapping[str, Any]) -> dict[str, Any]:
    """Train the trials of a task to their ends; what became of each of them.

    A trial that has ended is given back as it stands, one that was interrupted goes on. ``task`` and the result are
    plain values for JSON (nnctl.task/1). What is wrong with one trial ends that one alone.
    """
    entries, results = task["members"], []
    with threadpool_limits(1), Neighbours() as neighbours, Interrupts() as interrupts:
        opening, room = Opening(task, neighbours), room_for(len(entries))
        for start in range(0, len(entries), room):
            with ExitStack() as held:
                results += _pass(opening, entries[start : start + room], interrupts, held)
    return {"members": results}


def _pass(
    opening: Opening, entries: Sequence[Mapping[str, Any]], interrupts: Interrupts, held: ExitStack
) -> list[Result]:
    """Train as many trials as can be open at once."""
    results: dict[int, Result] = {}
    members = []
    for entry in entries:
        number = entry["number"]
        if interrupts.received is not None:
            results[number] = left(number, interrupts.received.name)
            continue
        try:
            found = opening.open(entry, held)
        except (NnctlError, OSError, MemoryError) as error:
            results[number] = failed(number, error)
            continue
        if isinstance(found, Member):
            members.append(found)
        else:
            results[number] = result(number, found)
    for some in together(members):
        results |= trained(some, interrupts)
    return [results[entry["number"]] for entry in entries]


class Opening:
    """Opens the run folders of a task's trials; their locks are held by whoever wants them open."""

    def __init__(self, task: Mapping[str, Any], neighbours: Neighbours) -> None:
        self.about = task["about"]
        self.config = (Path(task["sweep"]) / "config.yaml").read_bytes()
        self.cache = Cache(cache_folder(task["runs"]))
        self._neighbours, self._memory = neighbours, Memory()

    def open(self, entry: Mapping[str, Any], held: ExitStack) -> Member | Run:
        """A trial that is to be trained, or one that has ended."""
        run_dir = RunDir(Path(entry["path"]))
        notes: tuple[str, ...] = ()
        recorder = None
        if run_dir.is_run():
            try:
                run = read_run(run_dir)
                if run.status in FINISHED:
                    return run
                recorder = self._reopened(run_dir, held)
            except RunError as error:
                if is_unreadable(error):
                    raise
                kept = run_dir.set_aside()  # after a crash of the machine, say, that has left half of a save
                notes = (f"warning: {error}; the trial is trained anew, what there was is kept as {kept.name}",)
        recorder = recorder or self._begin(run_dir, entry, notes, held)
        return Member(entry["number"], recorder, entry.get("until"), entry.get("drop") or "")

    def _reopened(self, run_dir: RunDir, held: ExitStack) -> Recorder:
        with ExitStack() as tried:  # the lock of one that cannot go on is let go
            tried.enter_context(run_dir.lock())
            recorder, notes = reopen(run_dir, (), self.cache, argv=self.about["argv"])
            for text in notes:
                recorder.note(text)
            held.push(tried.pop_all())
        return recorder

    def _begin(self, run_dir: RunDir, entry: Mapping[str, Any], notes: tuple[str, ...], held: ExitStack) -> Recorder:
        if os.path.lexists(run_dir.run_lock):  # a start that was killed has left it, unless it is under way
            run_dir.lock().release()
        run_dir.discard()
        prepared = self._prepared(entry, run_dir.name)
        trainer = Trainer(prepared.job)
        run_dir.create_here()
        try:
            held.enter_context(run_dir.lock())
            about = {**self.about, "overrides": dict(entry["overrides"])}
            recorder = begin(run_dir, self.config, prepared, trainer, about)
            for text in (*notes, *prepared.warnings, *prepared.notes):
                recorder.note(text)
            return recorder
        except BaseException:
            run_dir.discard()
            raise

    def _prepared(self, entry: Mapping[str, Any], name: str) -> Prepared:
        """The trial with its data: in the parts that it would have alone, on one thread."""
        experiment = replace(experiment_from(entry["spec"]), name=name)
        prepared = decided(prepare(experiment, cache=self.cache, memory=self._memory), self._neighbours)
        check_same(prepared.fitted.data_sha256, entry.get("data_sha256"))
        return threaded(prepared, Threads(1, prepared.job.shards))


def check_same(data_sha256: str, first: str | None) -> None:
    """Raise DataError if data are not those that the sweep began with, where those are known."""
    if first not in (None, data_sha256):
        message = (
            "the data has changed since the sweep began; put the old file back, and give the same command again, or "
            "begin a new sweep"
        )
        raise DataError(message)


def stacks_of(prepared: Sequence[Prepared], jobs: int) -> list[list[int]]:
    """The places of trials that are to be trained together, for so many processes at once.

    Each group that can share a stack is cut into parts of one size: as many as its share of the processes, more where
    so many members would not fit, or be no faster than fewer.
    """
    found: list[list[int]] = []
    for places in groups([each.job for each in prepared]):
        fewest = -(-len(places) // most_members(prepared[places[0]].job, jobs))
        parts = min(len(places), max(fewest, -(-len(places) * jobs // len(prepared))))
        cuts = [len(places) * part // parts for part in range(parts + 1)]
        found += [places[start:stop] for start, stop in pairwise(cuts)]
    return sorted(found)


def most_members(job: Job, jobs: int) -> int:
    """The most networks like this one that train in one pass, where so many passes run at once."""
    if best_split(job, 2) > 1 or job.network.parameters > LARGE:
        return 1
    batch = min(job.batch_size, len(job.train))
    alone = need(job.network, job.loss, job.optimizer, dtype=job.dtype, batch=batch)
    judged = len(job.val or ()) + len(job.train) * job.measures_train
    scores = judged * math.prod(job.network.output) * np.dtype(job.dtype).itemsize
    fitting = int(machine_memory() * SHARE / jobs / max(1, sum(alone) + scores))
    return max(1, min(MOST, fitting, ELEMENTS // job.network.parameters))
