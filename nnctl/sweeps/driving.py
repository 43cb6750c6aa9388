"""A sweep from its first task to its last: what the search orders is submitted, what comes back is taken in."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from typing import Any, NamedTuple

from nnctl.errors import DataError, OutputError, SpecError
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Note, reason_of
from nnctl.running.stacking import stacks_of, train_stack
from nnctl.sweeps.checking import Checked, Checker, setting
from nnctl.sweeps.events import TrialEnded, TrialsAdded, Working
from nnctl.sweeps.reasons import alike, named
from nnctl.sweeps.record import Record
from nnctl.sweeps.result import Tried
from nnctl.sweeps.search import Search
from nnctl.sweeps.standing import epochs_of, has_ended
from nnctl.sweeps.state import State
from nnctl.sweeps.trial import Criterion, Order, Trial

LOOK = 0.5  # seconds between two looks at the run folders of what is being trained
TRIES = (
    2  # of a trial whose worker dies, or that fails; one more by itself where it was among others when that happened
)

Event = Note | TrialEnded | TrialsAdded | Working


class Task(NamedTuple):
    """Trials that are being trained together."""

    orders: dict[int, Order]  # of those that have not ended
    size: int  # trials at its start


class Drive:
    """Trains what a search orders until it orders no more, a signal comes, or a trial fails that must not."""

    def __init__(
        self,
        search: Search,
        record: Record,
        checker: Checker,
        executor: Executor,
        *,
        criterion: Criterion,
        jobs: int,
        task: Mapping[str, Any],
        fail_fast: bool,
        interrupts: Interrupts,
    ) -> None:
        self.search, self.record, self.executor = search, record, executor
        self.states: dict[int, State] = {}
        self._checker, self._criterion, self._jobs, self._about = checker, criterion, jobs, task
        self._fail_fast, self._interrupts = fail_fast, interrupts
        self._tasks: dict[Future[Any], Task] = {}
        self._warned: set[str] = set()  # reasons that were told as trials were trained once more
        self._unwritten: set[int] = set()  # trials that failed since files cannot be written
        self._asked = False  # whether the search knows all outcomes
        self._stopping, self._looked = False, -math.inf
        self.done = False  # whether there is nothing left to train

    @property
    def tried(self) -> list[Tried]:
        """Every trial that is known, as it stands."""
        return [state.tried for _, state in sorted(self.states.items())]

    @property
    def failed(self) -> list[Tried]:
        return [state.tried for state in self.states.values() if state.outcome and state.outcome.status == "failed"]

    def know(self, trials: Iterable[Trial], checked: Iterable[Checked] = ()) -> list[Tried]:
        """Take trials in as their folders show them; those that have ended are given back."""
        for trial in trials:
            if trial.number not in self.states:
                self.states[trial.number] = State.of(trial, self.record.dir, self._criterion)
        for each in checked:
            self.states[each.trial.number].checked = each
        return [state.tried for _, state in sorted(self.states.items()) if state.ended]

    def run(self) -> Iterator[Event]:
        """Train until there is nothing left to train."""
        while True:
            yield from self._submit()
            if not self._tasks:
                self.done = self._asked and not self._stopping and self._interrupts.received is None
                if self.done or self._stopping or self._interrupts.received is not None:
                    return
                continue  # what was to be trained has failed its check: the search may know others
            done, _ = wait(self._tasks, timeout=LOOK, return_when=FIRST_COMPLETED)
            for future in [each for each in self._tasks if each in done]:  # in order: `done` is a set
                yield from self._collect(future, self._tasks.pop(future))
            if time.monotonic() - self._looked >= LOOK:
                yield from self._look()
            if self._interrupts.received is not None and not self._stopping:
                self.stop(self._interrupts.received)
                yield self.note("the trials that are being trained are saved; a second signal ends them at once")

    # --- what is trained next ---

    def _submit(self) -> Iterator[Event]:
        """Ask the search what can be trained, and submit it in stacks."""
        if self._asked or self._stopping or self._interrupts.received is not None:
            return
        outcomes = {number: state.outcome for number, state in self.states.items() if state.outcome is not None}
        orders = self.search.orders(outcomes, self.record.trials)
        self._asked = True
        running = {number for task in self._tasks.values() for number in task.orders}
        wanted = [order for order in orders if order.trial.number not in running and self._is_open(order)]
        yield from self._check([order.trial for order in wanted])
        found = [(order, checked) for order in wanted if (checked := self._ready(order)) is not None]
        suspect = [each for each in found if self.states[each[0].trial.number].failures >= TRIES]
        ready = [each for each in found if each not in suspect]
        for members in stacks_of([checked.prepared for _, checked in ready], self._jobs) if ready else ():
            self._send([ready[index] for index in members])
        for each in suspect:
            self._send([each])

    def _is_open(self, order: Order) -> bool:
        state = self.states.get(order.trial.number)
        return state is None or state.is_open(order)

    def _check(self, trials: Sequence[Trial]) -> Iterator[Event]:
        """Check the trials that the search has only now come to; they are noted before they begin."""
        new = [trial for trial in trials if trial.number not in self.record.trials]
        if new:
            self.record.add(new)
        self.know(trials)
        if new:
            yield TrialsAdded(tuple(self.states[trial.number].tried for trial in new))
        for trial in trials:
            state = self.states[trial.number]
            if state.checked is None:
                try:
                    state.checked = self._checker.check([state.trial], self._criterion.metric)[0]
                except (SpecError, DataError) as error:
                    yield from self._give_up(state, reason_of(error))

    def _ready(self, order: Order) -> Checked | None:
        state = self.states[order.trial.number]
        return None if state.ended else state.checked

    def _send(self, members: Sequence[tuple[Order, Checked]]) -> None:
        entries = [
            {
                "number": checked.trial.number,
                "path": str(self.record.dir.trial(checked.trial.number).path.absolute()),
                "spec": checked.spec(),
                "overrides": dict(checked.overrides),
                "data_sha256": checked.prepared.fitted.data_sha256,
                "until": order.until,
                "drop": order.drop,
            }
            for order, checked in members
        ]
        future = self.executor.submit(train_stack, {**self._about, "members": entries})
        self._tasks[future] = Task({order.trial.number: order for order, _ in members}, len(members))

    # --- what comes back ---

    def _collect(self, future: Future[Any], task: Task) -> Iterator[Event]:
        """Take in what became of a task; of one whose worker died, what its trials have left."""
        try:
            results = {each["number"]: each for each in future.result()["members"]}
            reason, unwritten = "", {number for number, each in results.items() if each.get("unwritten")}
        except CancelledError:
            results, reason, unwritten = {}, "cancelled", set()
        except Exception as error:  # whatever an executor raises for a worker that is gone
            results, reason, unwritten = {}, reason_of(error), set()
        again: dict[str, list[int]] = {}
        for number, order in task.orders.items():
            state = self.states[number]
            state.take(self.record.dir, self._criterion, results.get(number))
            if state.ended:
                yield from self._ended(state)
            elif state.is_open(order) and not self._stopping and self._interrupts.received is None:
                why = reason or state.tried.reason or state.tried.status
                state.failures += 1
                tries = TRIES + (bool(reason) and task.size > 1)
                if state.failures < tries and not self._fail_fast:
                    again.setdefault(why, []).append(number)
                else:
                    yield from self._give_up(state, why)
                    self._stop_if_unwritten(unwritten & {number}, why)
        self._asked = False
        self.record.changed()
        for why, numbers in again.items():
            alone = len(numbers) > 1 and all(self.states[number].failures >= TRIES for number in numbers)
            text = f"{named(numbers)}: {why}; trained once more{', each by itself' * alone}"
            yield from self._warn(text, f"{alike(why)}{alone}")

    def _look(self) -> Iterator[Event]:
        """See how far the trials have come, and which have ended while others of their stack go on."""
        self._looked, running = time.monotonic(), 0
        for task in [task for future, task in self._tasks.items() if future.running()]:
            for number in list(task.orders):
                state, run_dir = self.states[number], self.record.dir.trial(number)
                if has_ended(run_dir):
                    del task.orders[number]
                    state.take(self.record.dir, self._criterion)
                    self._asked = False
                    yield from self._ended(state)
                else:
                    state.epochs = max(state.epochs, epochs_of(run_dir))
            running += len(task.orders)
        self.record.keep_up(self.tried)
        yield Working(running, sum(state.epochs for state in self.states.values()), self._planned())

    def _planned(self) -> int:
        """At most to be trained, in epochs; of trials that are not known yet as many as of the others."""
        known = [epochs for state in self.states.values() if (epochs := state.planned) is not None]
        return sum(known) + max(self.search.total - len(known), 0) * max(known, default=0)

    def _ended(self, state: State) -> Iterator[Event]:
        self.record.changed()
        yield TrialEnded(state.tried)

    # --- what goes wrong ---

    def _give_up(self, state: State, reason: str) -> Iterator[Event]:
        """A trial has failed, and is not tried again."""
        state.give_up(reason)
        self._asked = False
        self.record.note(f"trial {state.trial.number} failed ({setting(state.trial)}): {reason}")
        yield from self._ended(state)
        if self._fail_fast and not self._stopping:
            self.stop(signal.SIGTERM)
            yield self.note("the others are saved: --fail-fast")

    def _warn(self, text: str, kind: str) -> Iterator[Note]:
        """Tell the first of its kind, and where the others stand: what befalls one trial befalls many."""
        note = self.note(f"warning: {text}")
        if kind not in self._warned:
            self._warned.add(kind)
            yield note
        elif "" not in self._warned:
            self._warned.add("")
            yield Note("more trials are trained once more for the same reason: see log.txt")

    def _stop_if_unwritten(self, numbers: set[int], reason: str) -> None:
        """Raises: OutputError if this is the second trial whose files cannot be written: so it will be for all."""
        self._unwritten |= numbers
        if numbers and len(self._unwritten) > 1:
            raise OutputError(
                f"{reason}; as of another trial before, so the sweep ends: the same command goes on with it"
            )

    def stop(self, number: int) -> None:
        """Have what is being trained saved, as a signal would, and what has not begun left out."""
        self._stopping = True
        # One that has not begun is done with here: whether its executor ever says so is its own affair.
        self._tasks = {future: task for future, task in self._tasks.items() if not future.cancel()}
        interrupt: Callable[[int], None] | None = getattr(self.executor, "interrupt", None)
        if interrupt is not None:
            interrupt(number)

    def note(self, text: str) -> Note:
        """A sentence for the user, also written to log.txt."""
        self.record.note(text)
        return Note(text)
