"""The members of a stack on their way to the disk: each trial's run is recorded as if it trained alone."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from nnctl.errors import NnctlError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import reason_of
from nnctl.running.recording import Recorder
from nnctl.running.run import Run
from nnctl.training.alike import groups, place_of
from nnctl.training.events import Epoch, Fault, Stop
from nnctl.training.stack import Round, Stack

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
    results: dict[int, Result] = {}
    training = Training(interrupts, results)
    if len(members) == 1:
        training.alone(members[0])
    else:
        training.stacked(members)
    return results


class Training:
    """Trains members and records them. An error of one of them, such as a full disk, ends that one alone."""

    def __init__(self, interrupts: Interrupts, results: dict[int, Result]) -> None:
        self.interrupts, self.results = interrupts, results

    def alone(self, member: Member) -> None:
        """Train a member by itself."""
        with self._guarding(member):
            self.results[member.number] = self._alone(member)

    def _alone(self, member: Member) -> Result:
        recorder, stop = member.recorder, member.recorder.stop
        if member.drop:
            stop = Stop("early_stopped", member.drop)
        events = () if member.ended or self._stopped() else recorder.trainer.run()
        for event in events:
            told = recorder.epoch(event) if isinstance(event, Epoch) else recorder.keep_up()
            if isinstance(event, Fault):
                told.append(f"{event.told}: {event.answer}")
            for text in told:
                recorder.note(text)
            stop = event.stop if isinstance(event, Epoch) else None
            if stop is not None or self._stopped() or (isinstance(event, Epoch) and member.waits):
                break
        return result(member.number, recorder.finish(stop)) if stop is not None else self._rest(member)

    def stacked(self, members: Sequence[Member]) -> None:
        """Train members in one pass, those that are left in ever smaller stacks."""
        left, until = list(members), members[0].until
        for member in members:
            member.recorder.company = len(members)
        while left and not left[0].waits and not self._stopped():
            stack = Stack([member.recorder.trainer for member in left])
            for event in stack.run(until):
                if isinstance(event, Round):
                    for place, epoch in event.epochs:
                        self._take(left[place], epoch)
                self._keep_up([left[place] for place in stack.live])
                if self._stopped():
                    break
            left = self._going_on(left[place] for place in stack.live)
        for member in left:
            with self._guarding(member):
                self.results[member.number] = self._rest(member)

    def _stopped(self) -> bool:
        """Whether a signal has asked for the end."""
        return self.interrupts.received is not None

    def _going_on(self, members: Iterable[Member]) -> list[Member]:
        """Those that no error has ended."""
        return [member for member in members if member.number not in self.results]

    def _take(self, member: Member, event: Epoch) -> None:
        """Record an epoch of a member; the last one for good."""
        if member.number in self.results:
            return
        with self._guarding(member):
            if event.values:
                member.recorder.rows.add(event)
            if event.stop is not None:
                self.results[member.number] = result(member.number, member.recorder.finish(event.stop))

    def _keep_up(self, members: Sequence[Member]) -> None:
        """Flush the metrics that have waited too long; save all members once it is time for one of them."""
        members = self._going_on(members)
        save = any(member.recorder.due for member in members) or self.interrupts.take_save()
        for member in members:
            with self._guarding(member):
                recorder = member.recorder
                recorder.rows.flush_if_due()
                for text in recorder.save() if save else ():
                    recorder.note(text)

    def _rest(self, member: Member) -> Result:
        """Save a member that has not ended."""
        recorder = member.recorder
        epoch = recorder.trainer.progress.epoch
        if member.waits:
            return {**result(member.number, recorder.interrupt(f"waits after epoch {epoch}")), "status": WAITING}
        name = "a signal" if self.interrupts.received is None else self.interrupts.received.name
        return result(member.number, recorder.interrupt(f"{name} in epoch {epoch + 1}"))

    @contextmanager
    def _guarding(self, member: Member) -> Iterator[None]:
        """Have an error end this member alone."""
        try:
            yield
        except (NnctlError, OSError, MemoryError) as error:
            member.recorder.fail(reason_of(error))
            self.results[member.number] = failed(member.number, error)


def result(number: int, run: Run) -> Result:
    """What became of a trial."""
    names = ("status", "reason", "epochs", "best_epoch", "seconds", "metrics")
    return {"number": number, **{name: getattr(run, name) for name in names}}


def failed(number: int, error: Exception) -> Result:
    """What became of a trial that an error has ended."""
    empty = {"epochs": 0, "best_epoch": 0, "seconds": 0.0, "metrics": {}}
    return {"number": number, "status": "failed", "reason": reason_of(error), **empty}
