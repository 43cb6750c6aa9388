"""A task of a sweep: trials that are trained together, each in its own run folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

from nnctl.data.cache import Cache
from nnctl.errors import NnctlError
from nnctl.preparing.fitted import experiment_from
from nnctl.preparing.preparation import Prepared, prepare
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import reason_of
from nnctl.running.recording import Recorder, begin
from nnctl.running.reopening import reopen
from nnctl.running.run import FINISHED, Run, read_run
from nnctl.running.threads import Neighbours, Threads, decided, threaded
from nnctl.runs.find import cache_folder
from nnctl.runs.run_dir import RunDir
from nnctl.training.trainer import Epoch, Fault, Stop, Trainer

WAITING = "waiting"  # the status of a trial whose search has to decide whether it goes on


class Member(NamedTuple):
    """A trial that is open: its run can be trained."""

    number: int
    recorder: Recorder
    until: int | None  # the epoch after which it waits
    drop: str  # why it is not trained any further


def train_stack(task: Mapping[str, Any]) -> dict[str, Any]:
    """Train the trials of a task to their ends; what became of each of them.

    A trial that has ended is given back as it stands, one that was interrupted goes on. ``task`` and the result are
    plain values for JSON (nnctl.task/1). What is wrong with one trial ends that one alone.
    """
    results: dict[int, dict[str, Any]] = {}
    with threadpool_limits(1), Neighbours() as neighbours, Interrupts() as interrupts, ExitStack() as held:
        opening = Opening(task, neighbours, held)
        members = []
        for entry in task["members"]:
            try:
                found = opening.open(entry)
            except (NnctlError, OSError, MemoryError) as error:
                results[entry["number"]] = failed(entry["number"], error)
                continue
            if isinstance(found, Run):
                results[entry["number"]] = result(entry["number"], found)
            else:
                members.append(found)
        results.update(_trained(members, interrupts))
    return {"members": [results[entry["number"]] for entry in task["members"]]}


class Opening:
    """Opens the run folders of a task's trials, and holds their locks."""

    def __init__(self, task: Mapping[str, Any], neighbours: Neighbours, held: ExitStack) -> None:
        self.about = task["about"]
        self.config = (Path(task["sweep"]) / "config.yaml").read_bytes()
        self.cache = Cache(cache_folder(task["runs"]))
        self._neighbours, self._held = neighbours, held

    def open(self, entry: Mapping[str, Any]) -> Member | Run:
        """A trial that is to be trained, or one that has ended."""
        run_dir = RunDir(Path(entry["path"]))
        if run_dir.is_run():
            run = read_run(run_dir)
            if run.status in FINISHED:
                return run
            self._held.enter_context(run_dir.lock())
            recorder = reopen(run_dir, (), self.cache, argv=self.about["argv"]).recorder
        else:
            recorder = self._begin(run_dir, entry)
        return Member(entry["number"], recorder, entry.get("until"), entry.get("drop") or "")

    def _begin(self, run_dir: RunDir, entry: Mapping[str, Any]) -> Recorder:
        run_dir.discard()  # what a start that was killed has left
        prepared = self._prepared(entry, run_dir.name)
        trainer = Trainer(prepared.job)
        run_dir.create_here()
        try:
            self._held.enter_context(run_dir.lock())
            return begin(run_dir, self.config, prepared, trainer, {**self.about, "overrides": dict(entry["overrides"])})
        except BaseException:
            run_dir.discard()
            raise

    def _prepared(self, entry: Mapping[str, Any], name: str) -> Prepared:
        """The trial with its data: in the parts that it would have alone, on one thread."""
        experiment = replace(experiment_from(entry["spec"]), name=name)
        prepared = decided(prepare(experiment, cache=self.cache), self._neighbours)
        return threaded(prepared, Threads(1, prepared.job.shards))


def _trained(members: Sequence[Member], interrupts: Interrupts) -> Iterator[tuple[int, dict[str, Any]]]:
    for member in members:
        try:
            yield member.number, _alone(member, interrupts)
        except (NnctlError, OSError, MemoryError) as error:
            member.recorder.fail(reason_of(error))
            yield member.number, failed(member.number, error)


def _alone(member: Member, interrupts: Interrupts) -> dict[str, Any]:
    """Train one trial by itself."""
    recorder, trainer = member.recorder, member.recorder.trainer
    for text in (*recorder.prepared.warnings, *recorder.prepared.notes) if not trainer.stepping.done else ():
        recorder.note(text)
    stop = Stop("early_stopped", member.drop) if member.drop else recorder.stop
    events = iter(()) if stop is not None or _waits(member) or interrupts.received is not None else trainer.run()
    for event in events:
        told = recorder.epoch(event) if isinstance(event, Epoch) else recorder.keep_up()
        if isinstance(event, Fault):
            told.append(f"{event.told}: {event.answer}")
        for text in told:
            recorder.note(text)
        stop = event.stop if isinstance(event, Epoch) else None
        if stop is not None or interrupts.received is not None or (isinstance(event, Epoch) and _waits(member)):
            break
    if stop is not None:
        return result(member.number, recorder.finish(stop))
    return rest(member, interrupts)


def _waits(member: Member) -> bool:
    """Whether the trial has come to where it waits."""
    progress = member.recorder.trainer.progress
    return member.until is not None and progress.epoch >= member.until and not progress.batch


def rest(member: Member, interrupts: Interrupts) -> dict[str, Any]:
    """Save a trial that has not ended."""
    recorder = member.recorder
    if _waits(member):
        run = recorder.interrupt(f"waits after epoch {recorder.trainer.progress.epoch}")
        return {**result(member.number, run), "status": WAITING}
    name = "a signal" if interrupts.received is None else interrupts.received.name
    return result(member.number, recorder.interrupt(f"{name} in epoch {recorder.trainer.progress.epoch + 1}"))


def result(number: int, run: Run) -> dict[str, Any]:
    """What became of a trial, as plain values."""
    names = ("status", "reason", "epochs", "best_epoch", "seconds", "metrics")
    return {"number": number, **{name: getattr(run, name) for name in names}}


def failed(number: int, error: Exception) -> dict[str, Any]:
    """What became of a trial that an error has ended."""
    empty = {"epochs": 0, "best_epoch": 0, "seconds": 0.0, "metrics": {}}
    return {"number": number, "status": "failed", "reason": reason_of(error), **empty}


def stacks_of(prepared: Sequence[Prepared], jobs: int) -> list[list[int]]:
    """The indices of trials that are to be trained together, for so many processes at once."""
    return [[index] for index in range(len(prepared))]
