"""The members of a stack on their way to the disk: each trial's run is recorded as if it trained alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from nnctl.errors import NnctlError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import reason_of
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.running.side_by_side import side_by_side
from nnctl.training.alike import groups, place_of
from nnctl.training.events import Epoch, Fault, Stop

WAITING = "waiting"  # the status of a trial whose search has to decide whether it goes on

Result = dict[str, Any]  # plain values


class Member(NamedTuple):
    """A trial that is open: its run can be trained."""

    number: int
    recorder: Recorder
    until: int | None  # the epoch after which it waits
    drop: str  # why it is not trained any further

    @property
    def waits(self) -> bool:
        """Whether it has come to where it waits."""
        progress = self.recorder.trainer.progress
        return self.until is not None and progress.epoch >= self.until and not progress.batch

    @property
    def ended(self) -> bool:
        """Whether there is nothing to train."""
        return bool(self.drop) or self.recorder.stop is not None or self.waits


def together(members: Sequence[Member]) -> list[list[Member]]:
    """The members that train in one pass each."""
    found: dict[Hashable, list[Member]] = {}
    for number, places in enumerate(groups([member.recorder.trainer.job for member in members])):
        for member in (members[place] for place in places):
            key = member.number if member.ended else (number, place_of(member.recorder.trainer), member.until)
            found.setdefault(key, []).append(member)
    return list(found.values())


def trained(members: Sequence[Member], interrupts: Interrupts) -> dict[int, Result]:
    """Train members that belong together; what became of each, by its number."""
    if len(members) == 1:
        member = members[0]
        try:
            return {member.number: _alone(member, interrupts)}
        except (NnctlError, OSError, MemoryError) as error:
            member.recorder.fail(reason_of(error))
            return {member.number: failed(member.number, error)}
    results = {}
    for place, told in side_by_side([member.recorder for member in members], interrupts, members[0].until):
        member = members[place]
        if isinstance(told, Run):
            results[member.number] = _standing(member, told)
        elif isinstance(told, Exception):
            results[member.number] = failed(member.number, told)
    return results


def _alone(member: Member, interrupts: Interrupts) -> Result:
    """Train a member by itself, or end it where it stands."""
    recorder, stop = member.recorder, member.recorder.stop
    if member.drop:
        stop = Stop("early_stopped", member.drop)
    events = () if member.ended or interrupts.received is not None else recorder.trainer.run()
    for event in events:
        told = recorder.epoch(event) if isinstance(event, Epoch) else recorder.keep_up()
        if isinstance(event, Fault):
            told.append(f"{event.told}: {event.answer}")
        for text in told:
            recorder.note(text)
        stop = event.stop if isinstance(event, Epoch) else None
        if stop is not None or interrupts.received is not None or (isinstance(event, Epoch) and member.waits):
            break
    if stop is not None:
        return result(member.number, recorder.finish(stop))
    epoch, signal = recorder.trainer.progress.epoch, interrupts.received
    reason = f"waits after epoch {epoch}" if member.waits or signal is None else f"{signal.name} in epoch {epoch + 1}"
    return _standing(member, recorder.interrupt(reason))


def _standing(member: Member, run: Run) -> Result:
    """What became of a member that has ended, or waits."""
    found = result(member.number, run)
    return {**found, "status": WAITING} if run.status == "interrupted" and member.waits else found


def result(number: int, run: Run) -> Result:
    """What became of a trial."""
    names = ("status", "reason", "epochs", "best_epoch", "seconds", "metrics")
    return {"number": number, **{name: getattr(run, name) for name in names}}


def failed(number: int, error: Exception) -> Result:
    """What became of a trial that an error has ended."""
    empty = {"epochs": 0, "best_epoch": 0, "seconds": 0.0, "metrics": {}}
    return {"number": number, "status": "failed", "reason": reason_of(error), **empty}
