"""Runs that train in one pass, each recorded as if it trained alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from nnctl.errors import NnctlError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import reason_of, reason_to_stop, waits
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.training.events import Epoch
from nnctl.training.stack import Round, Stack

T = TypeVar("T")
# By the place of the run: an epoch of it, its end, or the error that ended it.
Told = tuple[int, Epoch | Run | Exception]


def side_by_side(recorders: Sequence[Recorder], interrupts: Interrupts, until: int | None = None) -> Iterator[Told]:
    """Train runs that can share a stack, and stand at the same place, to their ends, or until so many epochs are done.

    Those that are left go on in ever smaller stacks. An error of one of them, such as a full disk, ends that one alone.
    """
    runs = SideBySide(recorders, interrupts)
    try:
        while runs.left and not runs.stopped() and not waits(runs.left[0].trainer, until):
            yield from runs.train(until)
    except MemoryError as error:  # where the pass stood when it ran out nobody knows: their saves count
        for recorder in tuple(runs.left):
            yield runs.lost(recorder, error)
    for recorder in tuple(runs.left):
        yield runs.rest(recorder, until)


class SideBySide:
    """The recorders of runs that train together; ``left`` are those that have not ended."""

    def __init__(self, recorders: Sequence[Recorder], interrupts: Interrupts) -> None:
        self.left = list(recorders)
        self._places = {id(recorder): place for place, recorder in enumerate(recorders)}
        self._interrupts = interrupts

    def train(self, until: int | None) -> Iterator[Told]:
        """Train those that are left in one stack, until half of them have ended."""
        left = self.left
        for recorder in left:
            recorder.company = len(left)
        for event in (stack := Stack([recorder.trainer for recorder in left])).run(until):
            if isinstance(event, Round):
                for place, epoch in event.epochs:
                    yield from self.epoch(left[place], epoch)
            yield from self.keep_up()
            stack.drop(place for place, recorder in enumerate(left) if recorder not in self.left)
            if self.stopped():
                return

    def lost(self, recorder: Recorder, error: Exception) -> Told:
        """End a run by an error that is not its own."""
        recorder.fail(reason_of(error))
        return self._ended(recorder, error)

    def stopped(self) -> bool:
        """Whether a signal has asked for the end."""
        return self._interrupts.received is not None

    def epoch(self, recorder: Recorder, event: Epoch) -> Iterator[Told]:
        """Record an epoch of a run; the last one for good."""
        if recorder not in self.left:
            return
        if event.values:
            recorder.rows.add(event)
        yield self._places[id(recorder)], event
        if event.stop is not None:
            yield self._ended(recorder, _tried(recorder, partial(recorder.finish, event.stop)))

    def keep_up(self) -> Iterator[Told]:
        """Flush the metrics that have waited too long; save all runs once it is time for one of them."""
        save = self._interrupts.take_save() or any(recorder.due for recorder in self.left)
        for recorder in tuple(self.left):
            error = _tried(recorder, partial(_kept_up, recorder, save=save))
            if error is not None:
                yield self._ended(recorder, error)

    def rest(self, recorder: Recorder, until: int | None) -> Told:
        """Save a run that has not ended."""
        reason = reason_to_stop(recorder.trainer, self._interrupts, until)
        return self._ended(recorder, _tried(recorder, partial(recorder.interrupt, reason)))

    def _ended(self, recorder: Recorder, how: Run | Exception) -> Told:
        self.left = [other for other in self.left if other is not recorder]
        return self._places[id(recorder)], how


def _tried(recorder: Recorder, do: Callable[[], T]) -> T | Exception:
    """What comes of it, or the error that ends the run."""
    try:
        return do()
    except (NnctlError, OSError, MemoryError) as error:
        recorder.fail(reason_of(error))
        return error


def _kept_up(recorder: Recorder, *, save: bool) -> None:
    recorder.rows.flush_if_due()
    for text in recorder.save() if save else ():
        recorder.note(text)
