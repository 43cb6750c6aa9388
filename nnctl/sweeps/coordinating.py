"""One sweep from its first event to its last: planned, begun or gone on with, trained, and told."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from threadpoolctl import threadpool_limits

from nnctl.arguments import ARGUMENTS, wrong
from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Note, reason_of
from nnctl.running.recording import commit_of, now
from nnctl.running.threads import cores
from nnctl.runs import atomic
from nnctl.runs.places import from_here
from nnctl.runs.run_lock import NameLock
from nnctl.runs.sweep_dir import SweepDir, sweeps_of_name
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.sweeps.driving import Drive
from nnctl.sweeps.events import SweepFinished, SweepStarted, TrialEnded, TrialsAdded, Working
from nnctl.sweeps.ready import Ready, Words, made_ready
from nnctl.sweeps.reasons import named
from nnctl.sweeps.record import Record, described
from nnctl.sweeps.result import Sweep
from nnctl.sweeps.standing import metric_in, read_sweep, trials_in

SweepEvent = SweepStarted | Note | TrialEnded | TrialsAdded | Working | SweepFinished

Engine = Literal["local", "dask"]
ENGINES = get_args(Engine)

ORPHANS = 45.0  # seconds that workers have to end whose coordinator was killed; they need a moment, and have 30


def sweeping(
    config: str | Path,
    words: Words = (),
    *,
    method: str | None = None,
    trials: int | None = None,
    seeds: int | None = None,
    jobs: int | None = None,
    fail_fast: bool = False,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    once: bool = False,
    engine: Engine = "local",
    scheduler: str | None = None,
    executor: Executor | None = None,
    argv: Sequence[str] = (),
) -> Iterator[SweepEvent]:
    """Train a sweep, event by event: SweepStarted, then TrialEnded, Working and Note, at last SweepFinished.

    The newest sweep of its name that tries the same and has not ended is gone on with; with ``once``, one that has
    ended is given back. The stacks are trained by ``jobs`` processes of this machine, or by the
    workers of a Dask scheduler, or else by the executor, which is not shut down.
    """
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        error = wrong("jobs", "a number of processes, at least 1", jobs)
        raise _as_options(error) if argv else error
    if engine not in ENGINES:
        raise wrong("engine", "`local` or `dask`", engine)
    if scheduler is not None and engine != "dask":
        error = SpecError(Problem("is that of Dask: write `--engine dask` too", "scheduler", ARGUMENTS))
        raise _as_options(error) if argv else error
    opened = partial(_executor, engine, scheduler, jobs, executor)
    with threadpool_limits(1):
        ready = made_ready(
            config,
            words,
            method=method,
            trials=trials,
            seeds=seeds,
            name=name,
            runs_dir=runs_dir,
            from_command_line=bool(argv),
        )
        beginning = Beginning(ready, argv)
        found = beginning.finished() if once else None
        if found is not None:
            yield from _found(ready, found)
            return
        # Whether there is an executor shows itself before there is a folder.
        with opened(ready.search.total) as trains, ExitStack() as held:
            record = beginning.open(held)
            yield from beginning.wait_for_orphans(record)
            yield from _driven(ready, record, trains, jobs=_at_once(trains, jobs), fail_fast=fail_fast, argv=argv)


def _as_options(error: SpecError) -> SpecError:
    """The error of arguments as that of the options of a command line."""
    return SpecError(replace(each, key=f"--{each.key}", place=COMMAND_LINE) for each in error.problems)


class Beginning:
    """Finds the sweep that is gone on with, or makes a new one."""

    def __init__(self, ready: Ready, argv: Sequence[str]) -> None:
        self.ready, self.argv = ready, argv
        self.fingerprint = ready.fingerprint

    def finished(self) -> Sweep | None:
        """The newest sweep that is the same and has ended."""
        for sweep_dir, about in self._same():
            if about.get("status") == "completed":
                with suppress(RunError):  # it is damaged: as if it were not there
                    return read_sweep(sweep_dir)
        return None

    def open(self, held: ExitStack) -> Record:
        """The record of the sweep, of which the lock is held now. Raises: SpecError if another process trains it."""
        ready = self.ready
        with NameLock(ready.runs, ready.name):
            for sweep_dir, about in self._same():
                if about.get("status") != "completed":
                    held.enter_context(sweep_dir.lock())
                    again = sweep_dir.read_sweep_json()
                    metric_in(again, sweep_dir)  # raises what is damaged before anything is trained
                    entry = {"at": now(), "argv": list(self.argv)}
                    again["resumed"] = [*again.get("resumed", []), entry]
                    return Record(sweep_dir, again, trials_in(again, sweep_dir))
            return self._new(held)

    def _same(self) -> Iterator[tuple[SweepDir, dict[str, Any]]]:
        for sweep_dir, about in sweeps_of_name(self.ready.runs / self.ready.name):
            if about.get("fingerprint") == self.fingerprint:
                yield sweep_dir, about

    def _new(self, held: ExitStack) -> Record:
        ready = self.ready
        sweep_dir = SweepDir.create(ready.runs, ready.name)
        try:
            held.enter_context(sweep_dir.lock())
            atomic.write(sweep_dir.config, ready.content)
            about = {
                "argv": list(self.argv),
                "method": ready.request.method,
                "metric": {"name": ready.metric, "goal": ready.goal},
                "seeds": list(ready.request.seeds),
                "request": ready.request.as_json(),
                "total": ready.search.total,
                "params": list(ready.request.params),
                "fingerprint": self.fingerprint,
                "data_sha256": ready.checked[0].prepared.fitted.data_sha256,
                "git": commit_of(ready.config.parent),
            }
            record = Record(sweep_dir, described(sweep_dir, about))
            record.add(ready.trials)
        except BaseException:
            sweep_dir.discard()
            raise
        return record

    def wait_for_orphans(self, record: Record) -> Iterator[Note]:
        """Wait for workers whose coordinator was killed: they find out, save, and end."""
        until, told = time.monotonic() + ORPHANS, False
        while busy := [number for number in record.trials if record.dir.trial(number).is_locked()]:
            if not told:
                told = True
                yield Note(f"{named(busy)}: waiting for workers of the sweep that was ended, which are saving them")
            if time.monotonic() > until:
                run_dir = record.dir.trial(busy[0])
                message = "is still being trained by another process; stop that one, then repeat the command"
                raise SpecError(Problem(message, place=Place(str(run_dir.path))))
            time.sleep(0.05)


def _driven(
    ready: Ready, record: Record, executor: Executor, *, jobs: int, fail_fast: bool, argv: Sequence[str]
) -> Iterator[SweepEvent]:
    """The events of a sweep that signals end."""
    task = {
        "schema": "nnctl.task/1",
        "sweep": str(record.dir.path.absolute()),
        "runs": str(ready.runs.absolute()),
        "about": {"argv": list(argv), "git": commit_of(ready.config.parent), "sweep": record.dir.id},
    }
    with Interrupts() as interrupts:
        drive = Drive(
            ready.search,
            record,
            ready.checker,
            executor,
            criterion=ready.criterion,
            jobs=jobs,
            task=task,
            fail_fast=fail_fast,
            interrupts=interrupts,
        )
        ended = drive.know([*record.trials.values()], ready.checked)
        total, params = ready.search.total, tuple(ready.request.params)
        yield SweepStarted(
            from_here(record.dir.path),
            total,
            ready.metric,
            ready.goal,
            params,
            tuple(ended),
            tuple(drive.tried),
            record.seconds,
        )
        for text in ready.doubts:
            yield drive.note(text)
        try:
            yield from drive.run()
            yield from _ending(drive, interrupts, total)
        except Exception as error:
            record.fail(reason_of(error), drive.tried)
            drive.stop(signal.SIGTERM)
            raise


def _executor(
    engine: Engine, scheduler: str | None, jobs: int | None, given: Executor | None, total: int
) -> AbstractContextManager[Executor]:
    """Where the stacks are trained. Raises: SpecError if the engine cannot be had."""
    if given is not None:
        return nullcontext(given)
    if engine == "dask":
        from nnctl.sweeps.engines.dask import Dask

        return Dask(scheduler, jobs)
    from nnctl.sweeps.engines.local import Processes

    return Processes(min(jobs or cores(), total))


def _at_once(executor: Executor, jobs: int | None) -> int:
    """How many stacks are trained at once; of an executor of others as said, or as the standard library knows it."""
    known: list[int | None] = [getattr(executor, "jobs", None), jobs, getattr(executor, "_max_workers", None)]
    return next(filter(None, known), 1)


def _ending(drive: Drive, interrupts: Interrupts, total: int) -> Iterator[SweepEvent]:
    """Write how the sweep ended, and tell it."""
    failed, tried = drive.failed, drive.tried
    received = interrupts.received if not drive.done else None
    if received is not None:
        status, reason = "interrupted", received.name
    elif failed:
        status, reason = "failed", f"{len(failed)} of {total} trials failed"
    else:
        status, reason = "completed", f"all {total} trials done"
    if tried and all(trial.status == "diverged" for trial in tried) and status == "completed":
        yield drive.note("all trials diverged: try smaller learning rates, or `optimizer.clip.norm`")
    sweep = drive.record.end(status, reason, tried)
    yield SweepFinished(sweep, None if received is None else int(received))


def _found(ready: Ready, sweep: Sweep) -> Iterator[SweepEvent]:
    """The events of a sweep that has ended earlier."""
    params = tuple(ready.request.params)
    yield SweepStarted(sweep.path, ready.search.total, ready.metric, ready.goal, params, sweep.trials)
    yield Note(f"{sweep.path}: completed earlier, by the same config and data; nothing was run")
    yield SweepFinished(sweep, None)
