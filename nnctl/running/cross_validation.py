"""Cross-validation: a run for every fold, all in one pass where they can share one, else one after the other."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from nnctl.data.cache import Cache
from nnctl.errors import DataError, NnctlError, Place, Problem, RunError, SpecError
from nnctl.preparing.dataset import Tables, read_tables
from nnctl.preparing.preparation import Prepared, prepare, resolved
from nnctl.running.folding import FoldsRecorder, with_fold
from nnctl.running.folds_together import is_news, pays, sharing, trained_together
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Event, Finished, FoldsStarted, Note, reason_of, running
from nnctl.running.machine import machine
from nnctl.running.recording import begin, now
from nnctl.running.reopening import Resumed, reopen
from nnctl.running.run import FINISHED, Run, read_run
from nnctl.running.threads import Threads, recorded, threaded
from nnctl.runs.atomic import is_unreadable
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import Spec, read_experiment
from nnctl.spec.schema import Data, Experiment
from nnctl.training.trainer import Trainer


class OnceRead:
    """Reads the tables of an experiment when they are first asked for, and gives them to every fold."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: Tables | None = None

    def __call__(self, data: Data) -> Tables:
        self._tables = self._tables or read_tables(data, self._folder)
        return self._tables


class CrossValidation:
    """Trains the folds that have not ended yet.

    What the first one has decided (types, encodings, layers) holds for all: they train the same network, but for the
    levels that their own rows show. The tables are read once, and only if the cache lacks a fold.
    """

    def __init__(self, spec: Spec, experiment: Experiment, about: Mapping[str, Any], cache: Cache) -> None:
        self.spec, self.experiment, self.about, self.cache = spec, experiment, about, cache
        self.threads = Threads(1, 1)
        self.together = True  # whether folds may share a pass
        self.data_sha256: str | None = None  # of the data that folds have been trained on already
        self._tables = OnceRead(cache.folder)
        self._waiting: list[Prepared] = []  # a list, not a name: that would hold the rows of a fold that has ended

    def prepare_first(self) -> Prepared:
        """Prepare the first fold, which decides for all. Raises: NnctlError, placed."""
        try:
            first = self.prepared(1)
        except NnctlError as error:
            raise error.placed(self.spec.place) from None
        Trainer(first.job)  # what cannot be trained shows itself before there is a folder
        self._waiting.append(first)
        self.experiment = with_fold(resolved(first), None)
        return first

    def thread(self, first: Prepared) -> None:
        """Train all folds with the threads of the first one."""
        self.threads = Threads(first.job.threads, first.job.shards)
        self._waiting = [first]

    def run(self, recorder: FoldsRecorder) -> Iterator[Event]:
        """FoldsStarted, then the events of each fold, at last Finished with all of them.

        A fold that diverges ends alone; a signal ends all of them.
        """
        every = range(1, recorder.count + 1)
        ended = {number: run for number in every if (run := _ended(recorder.dir.fold(number)))}
        with Interrupts() as interrupts:
            yield FoldsStarted(recorder.path, recorder.count, tuple(ended.values()))
            try:
                for number, run in ended.items():
                    recorder.fold(number, run, told=False)
                yield from self._train(recorder, [number for number in every if number not in ended], interrupts)
                signal = interrupts.received
                run = recorder.finish(signal)
            except Exception as error:
                recorder.fail(reason_of(error))
                raise
            yield Finished(run, int(signal) if signal is not None and run.status == "interrupted" else None)

    def _train(self, recorder: FoldsRecorder, numbers: list[int], interrupts: Interrupts) -> Iterator[Event]:
        """Train these folds, those together that can share a pass, while nothing asks for the end."""
        while numbers and interrupts.received is None:
            with ExitStack() as held:
                opened = {numbers[0]: self._open(recorder, numbers[0], held)}
                if self.together and pays(opened[numbers[0]].recorder.trainer.job, len(numbers)):
                    opened |= {number: self._open(recorder, number, held) for number in numbers[1:]}
                for some in sharing(opened):
                    if len(some) > 1:
                        yield from trained_together(recorder, some, interrupts)
                    else:
                        yield from self._fold(recorder, *some.popitem(), interrupts)
                numbers = [number for number in numbers if number not in opened]

    def _fold(self, recorder: FoldsRecorder, number: int, opened: Resumed, interrupts: Interrupts) -> Iterator[Event]:
        """Train one fold by itself."""
        fold = number, recorder.count
        for event in running(opened.recorder, interrupts, opened.notes, fold=fold):
            if isinstance(event, Note) and not is_news(recorder, opened.recorder, event.text):
                continue
            if isinstance(event, Finished):
                recorder.fold(number, event.run)
            yield event

    def _open(self, recorder: FoldsRecorder, number: int, held: ExitStack) -> Resumed:
        run_dir = recorder.dir.fold(number)
        damaged: list[str] = []
        if run_dir.is_run():
            with ExitStack() as tried:
                tried.enter_context(run_dir.lock())
                try:
                    opened = reopen(run_dir, (), self.cache)
                except RunError as error:
                    if is_unreadable(error):
                        raise
                    kept = run_dir.set_aside()
                    damaged = [f"warning: {error}; the fold is trained anew, what there was is kept as {kept.name}"]
                else:
                    held.push(tried.pop_all())
                    return opened
        run_dir.discard()  # of a fold whose start was killed
        prepared = self._waiting.pop() if self._waiting else self.prepared(number)
        if self.data_sha256 not in (None, prepared.fitted.data_sha256):
            message = "has changed since the first folds were trained on it; put the old file back, or train all again"
            raise DataError(Problem(f"{self.experiment.data.path}: {message}", "data.path"))
        overrides = {**self.about["overrides"], "data.split.fold": number}
        run_dir = recorder.dir.create_fold(number)
        held.enter_context(run_dir.lock())
        trainer = Trainer(prepared.job)
        begun = begin(run_dir, self.spec.document.content, prepared, trainer, {**self.about, "overrides": overrides})
        return Resumed(begun, [*damaged, *prepared.warnings, *prepared.notes])

    def prepared(self, number: int) -> Prepared:
        """A fold with its data."""
        return threaded(prepare(with_fold(self.experiment, number), self._tables, self.cache), self.threads)


def reopened(run_dir: RunDir, cache: Cache, argv: Sequence[str] = ()) -> tuple[CrossValidation, FoldsRecorder]:
    """A cross-validation, of which the lock is held, that goes on with the folds that have not ended.

    Raises: RunError if its files are damaged, SpecError if it has ended.
    """
    about = run_dir.read_run_json()
    if about.get("status") in FINISHED:
        message = f"is {about['status']}: {about['reason']}; a cross-validation that has ended cannot be extended"
        raise SpecError(Problem(message, place=Place(from_here(run_dir.path))))
    spec = read_experiment(run_dir.resolved)
    entry = {"at": now(), "argv": list(argv), "overrides": {}}
    again = {**about, **machine(), "pid": os.getpid(), "host": socket.gethostname()}
    again["resumed"] = [*about.get("resumed", []), entry]
    own = {"argv": about.get("argv", []), "overrides": about.get("overrides", {}), "git": about.get("git")}
    found = CrossValidation(spec, spec.experiment, own, cache)
    found.data_sha256, found.threads = about.get("data_sha256"), recorded(about, run_dir.run_json)
    return found, FoldsRecorder(run_dir, again)


def _ended(run_dir: RunDir) -> Run | None:
    """The run of a fold that has ended."""
    if not run_dir.is_run():
        return None
    run = read_run(run_dir)
    return run if run.status in FINISHED else None
