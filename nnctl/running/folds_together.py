"""Folds that share a pass: they train together, and are told of as if they had one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping

from nnctl.running.folding import FoldsRecorder
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Event, Finished, Note, Started, reason_of
from nnctl.running.open_files import room_for
from nnctl.running.recording import Recorder
from nnctl.running.reopening import Resumed
from nnctl.running.run import Run
from nnctl.running.side_by_side import side_by_side
from nnctl.running.stacking import most_members
from nnctl.runs.places import from_here
from nnctl.training.alike import groups, kind_of, place_of
from nnctl.training.events import Epoch
from nnctl.training.job import Job

MOST_BYTES = 2**28  # of the training rows of all folds, which lie in memory beside each other
MOST_TOLD = 50_000  # epochs of all folds, most of which wait in memory for their turn to be told


def pays(job: Job, count: int) -> bool:
    """Whether so many folds like this one are worth being held in memory at once."""
    told = count * job.epochs // job.eval_every
    small = count * job.train.x.nbytes <= MOST_BYTES and told <= MOST_TOLD and room_for(count) == count
    return small and kind_of(job) is not None and most_members(job, 1) >= count


def sharing(opened: Mapping[int, Resumed]) -> list[dict[int, Resumed]]:
    """The folds that can share a pass: those that have as many rows, and stand at the same place."""
    numbers = list(opened)
    trainers = [opened[number].recorder.trainer for number in numbers]
    found: dict[Hashable, dict[int, Resumed]] = {}
    for kind, places in enumerate(groups([trainer.job for trainer in trainers], own_rows=True)):
        for place in places:
            number, stands = numbers[place], place_of(trainers[place])
            ended = opened[number].recorder.stop is not None  # killed between its last save and its end
            key = number if ended or stands is None else (kind, stands)
            found.setdefault(key, {})[number] = opened[number]
    return list(found.values())


def trained_together(recorder: FoldsRecorder, opened: Mapping[int, Resumed], interrupts: Interrupts) -> Iterator[Event]:
    """Train folds in one pass. The events of each follow those of the fold before it, however early they came."""
    numbers, waiting = list(opened), [deque[Epoch | Run]() for _ in opened]
    recorders = [each.recorder for each in opened.values()]
    turn = 0
    for fold in opened.values():  # at once: a fold may have ended, and closed its log, before it is told of
        for text in _notes(fold):
            fold.recorder.note(text)
    yield from _begun(recorder, numbers[0], opened[numbers[0]])
    try:
        for place, told in side_by_side(recorders, interrupts):
            if not isinstance(told, Epoch):
                recorders.remove(opened[numbers[place]].recorder)
            if isinstance(told, Exception):
                raise told
            if isinstance(told, Run):
                recorder.fold(numbers[place], told)
            waiting[place].append(told)
            while turn < len(numbers) and waiting[turn]:
                event = waiting[turn].popleft()
                if isinstance(event, Epoch):
                    yield event
                    continue
                signal = interrupts.received if event.status == "interrupted" else None
                yield Finished(event, None if signal is None else int(signal))
                turn += 1
                if turn < len(numbers):
                    yield from _begun(recorder, numbers[turn], opened[numbers[turn]])
    except Exception as error:
        for each in recorders:
            each.fail(reason_of(error))
        raise


def is_news(recorder: FoldsRecorder, fold: Recorder, text: str) -> bool:
    """Whether a note of a fold is to be told: not what the first one has decided, or any has warned of."""
    return not (recorder.folds and text in fold.prepared.notes) and recorder.note(text)


def _notes(opened: Resumed) -> list[str]:
    return [*opened.recorder.unsaid, *opened.notes]


def _begun(recorder: FoldsRecorder, number: int, opened: Resumed) -> Iterator[Event]:
    """What is told before the first epoch of a fold."""
    fold = opened.recorder
    yield Started(from_here(fold.dir.path), fold.prepared, (number, recorder.count), fold.trainer.progress.epoch, fold)
    for text in _notes(opened):
        if is_news(recorder, fold, text):
            yield Note(text)
    fold.unsaid = []
