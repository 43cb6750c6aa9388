"""The members of a stack on their way to the disk: each trial's run is recorded as if it trained alone."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from nnctl.errors import NnctlError, OutputError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Finished, reason_of, to_its_end, waits
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.running.side_by_side import side_by_side
from nnctl.training.alike import groups, place_of
from nnctl.training.events import Stop

WAITING = "waiting"  # the status of a trial whose search has to decide whether it goes on

Result = dict[str, Any]  # plain values
NOTHING: Result = {"epochs": 0, "best_epoch": 0, "seconds": 0.0, "metrics": {}}


class Member(NamedTuple):
    """A trial that is open: its run can be trained."""

    number: int
    recorder: Recorder
    until: int | None  # the epoch after which it waits
    drop: str  # why it is not trained any further

    @property
    def waits(self) -> bool:
        """Whether it has come to where it waits."""
        return waits(self.recorder.trainer, self.until)

    @property
    def ended(self) -> bool:
        """Whether there is nothing to train."""
        return bool(self.drop) or self.recorder.stop is not None or self.waits


def together(members: Sequence[Member]) -> list[list[Member]]:
    """The members that train in one pass each."""
    found: dict[Hashable, list[Member]] = {}
    for number, places in enumerate(groups([member.recorder.trainer.job for member in members])):
        for member in (members[place] for place in places):
            stands = place_of(member.recorder.trainer)
            alone = member.ended or stands is None
            found.setdefault(member.number if alone else (number, stands, member.until), []).append(member)
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
    if member.drop:
        return result(member.number, member.recorder.finish(Stop("early_stopped", member.drop)))
    run = None
    for event in to_its_end(member.recorder, interrupts, member.until):
        run = event.run if isinstance(event, Finished) else run
    assert run is not None
    return _standing(member, run)


def _standing(member: Member, run: Run) -> Result:
    """What became of a member that has ended, or waits."""
    found = result(member.number, run)
    return {**found, "status": WAITING} if run.status == "interrupted" and member.waits else found


def result(number: int, run: Run) -> Result:
    """What became of a trial."""
    names = ("status", "reason", "epochs", "best_epoch", "seconds", "metrics")
    return {"number": number, **{name: getattr(run, name) for name in names}}


def left(number: int, reason: str) -> Result:
    """What became of a trial that was not even begun, since a signal came before."""
    return {"number": number, "status": "interrupted", "reason": reason, **NOTHING}


def failed(number: int, error: Exception) -> Result:
    """What became of a trial that an error has ended."""
    unwritten = isinstance(error, OutputError)
    return {"number": number, "status": "failed", "reason": reason_of(error), "unwritten": unwritten, **NOTHING}
