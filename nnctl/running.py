"""One run from its first event to its last: the trainer is moved, what it yields recorded, signals heeded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nnctl.errors import NnctlError
from nnctl.interrupts import Interrupts
from nnctl.preparation import Prepared
from nnctl.recording import Recorder, Run
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import Spec
from nnctl.trainer import Epoch, Fault, Stop, Tick, Trainer


class Started(NamedTuple):
    """The run folder is made and training begins."""

    run: str  # the run folder as seen from the current one
    prepared: Prepared
    fold: tuple[int, int] | None = None  # which one of how many


class Note(NamedTuple):
    """A sentence for the user, also written to log.txt."""

    text: str


class Finished(NamedTuple):
    """Training has ended; ``signal`` is the number of the signal that ended it."""

    run: Run
    signal: int | None


class FoldsStarted(NamedTuple):
    """The folder of a cross-validation is made; the events of each fold follow, then one more Finished."""

    run: str
    folds: int


Event = Started | Note | Epoch | Tick | Finished | FoldsStarted


def running(
    run_dir: RunDir,
    spec: Spec,
    prepared: Prepared,
    trainer: Trainer,
    interrupts: Interrupts,
    about: Mapping[str, Any],
    *,
    fold: tuple[int, int] | None = None,
) -> Iterator[Event]:
    """Train one run in its new folder: Started, then Epoch, Tick and Note, at last Finished."""
    with run_dir.lock():
        recorder = Recorder(run_dir, spec, prepared, trainer, about)
        yield Started(os.path.relpath(run_dir.path), prepared, fold)
        for text in (*prepared.warnings, *prepared.notes):
            recorder.note(text)
            yield Note(text)
        try:
            yield from _loop(trainer, recorder, interrupts)
        except Exception as error:
            recorder.fail(reason_of(error))
            raise


def reason_of(error: Exception) -> str:
    """Why a run failed, for its run.json."""
    return str(error) if isinstance(error, NnctlError) else f"{type(error).__name__}: {error}"


def _loop(trainer: Trainer, recorder: Recorder, interrupts: Interrupts) -> Iterator[Event]:
    """Run the trainer, record what it yields, and end at a signal."""
    stop: Stop | None = None
    for event in trainer.run():
        if isinstance(event, Epoch):
            recorder.epoch(event)
            stop = event.stop
        else:
            recorder.keep_up()
        if isinstance(event, Fault):
            text = f"{event.told}: {event.answer}"
            recorder.note(text)
            yield Note(text)
        else:
            yield event
        if stop is not None or interrupts.received is not None:
            break
    if stop is None:
        signal = interrupts.received
        assert signal is not None
        run = recorder.finish(
            Stop("completed", f"{signal.name} in epoch {trainer.progress.epoch + 1}"), status="interrupted"
        )
        yield Finished(run, int(signal))
        return
    run = recorder.finish(stop)
    yield Finished(run, None)
