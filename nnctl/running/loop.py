"""One run from its first event to its last: the trainer is moved, what it yields recorded, signals heeded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from nnctl.errors import NnctlError
from nnctl.preparing.preparation import Prepared
from nnctl.running.interrupts import Interrupts
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.runs.places import from_here
from nnctl.training.trainer import Epoch, Fault, Tick, Trainer


class Started(NamedTuple):
    """The run folder is made, or found again, and training begins."""

    run: str  # the run folder as seen from the current one
    prepared: Prepared
    fold: tuple[int, int] | None = None  # which one of how many
    epoch: int = 0  # after which it goes on
    recorder: Recorder | None = None  # for one who measures the run


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
    ended: tuple[Run, ...] = ()  # those that have ended earlier


class Found(NamedTuple):
    """There is a run already that is what was asked for: it has ended, or another process trains it."""

    run: Run


Event = Started | Note | Epoch | Tick | Finished | FoldsStarted | Found


def running(
    recorder: Recorder,
    interrupts: Interrupts,
    notes: Iterable[str],
    *,
    fold: tuple[int, int] | None = None,
) -> Iterator[Event]:
    """Train a run to its end: Started, then Epoch, Tick and Note, at last Finished."""
    trainer = recorder.trainer
    yield Started(from_here(recorder.dir.path), recorder.prepared, fold, trainer.progress.epoch, recorder)
    before, recorder.unsaid = recorder.unsaid, []
    try:
        yield from _told(recorder, (*before, *notes))
        yield from to_its_end(recorder, interrupts)
    except Exception as error:
        recorder.fail(reason_of(error))
        raise


def reason_of(error: Exception) -> str:
    """Why a run failed, for its run.json."""
    return str(error) if isinstance(error, NnctlError) else f"{type(error).__name__}: {error}"


def to_its_end(recorder: Recorder, interrupts: Interrupts, until: int | None = None) -> Iterator[Event]:
    """Run the trainer, record what it yields, and end at a signal, or once so many epochs are done."""
    trainer = recorder.trainer
    stop = recorder.stop  # of a run that was killed between its last save and its end
    over = stop is not None or interrupts.received is not None or waits(trainer, until)
    for event in () if over else trainer.run():
        told = recorder.epoch(event) if isinstance(event, Epoch) else recorder.keep_up()
        if interrupts.take_save() and not (isinstance(event, Epoch) and event.stop):  # an end saves itself
            told += recorder.save()
        if isinstance(event, Fault):
            told.append(f"{event.told}: {event.answer}")
        else:
            yield event
        yield from _told(recorder, told)
        stop = event.stop if isinstance(event, Epoch) else None
        if stop is not None or interrupts.received is not None or waits(trainer, until):
            break
    signal = None if stop is not None else interrupts.received
    run = recorder.interrupt(reason_to_stop(trainer, interrupts, until)) if stop is None else recorder.finish(stop)
    yield from map(Note, recorder.unsaid)
    yield Finished(run, None if signal is None else int(signal))


def waits(trainer: Trainer, until: int | None) -> bool:
    """Whether a trainer has come to the end of the epoch that it is to wait after."""
    return until is not None and trainer.progress.epoch >= until and not trainer.progress.batch


def reason_to_stop(trainer: Trainer, interrupts: Interrupts, until: int | None) -> str:
    """Why a run that has not ended stands still."""
    epoch = trainer.progress.epoch
    if waits(trainer, until) or interrupts.received is None:
        return f"waits after epoch {epoch}"
    return f"{interrupts.received.name} in epoch {epoch + 1}"


def _told(recorder: Recorder, notes: Iterable[str]) -> Iterator[Note]:
    for text in notes:
        recorder.note(text)
        yield Note(text)
