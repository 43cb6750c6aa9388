"""The training loop, as a generator: it yields every finished epoch, and a tick now and then between two steps.

Inside an evaluation there are ticks, too; there the state is that of before it: the epoch has had its last batch, and
counts once the evaluation is whole.

It knows no disk and no screen. At every yield its state is complete: vectors, streams, order, place in the epoch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.network.finite import Finite
from nnctl.training.evaluation import Evaluator, Scoring
from nnctl.training.events import Epoch as Epoch
from nnctl.training.events import Fault as Fault
from nnctl.training.events import Stop as Stop
from nnctl.training.events import Tick as Tick
from nnctl.training.job import Job
from nnctl.training.judging import Judging
from nnctl.training.progress import Best, Progress
from nnctl.training.stepping import Stepping

Array = NDArray[Any]

TICK = 0.1  # seconds between two ticks
MOST_ROLLBACKS = 10  # without a new best epoch in between
SKIPPED = "this batch and others like it in this epoch are skipped"


class Trainer:
    """The state of one run, and the loop that moves it.

    ``start`` are the weights and running statistics to begin with, by name; None: those that the initializers draw.
    """

    def __init__(self, job: Job, start: Mapping[str, Array] | None = None) -> None:
        self.job = job
        stopping = job.early_stopping.start() if job.early_stopping else {}
        self.progress = Progress(stopping=stopping, schedule=job.schedule.start())
        self.stepping = Stepping(job, self.progress, start)
        self.arena, self.batches, self.descent = self.stepping.arena, self.stepping.batches, self.stepping.descent
        self.slot, self.weights = self.descent.slot, self.descent.weights
        self.slot.rate = self.slot.exact.lr * self.stepping.factor(0)  # until there is a step
        self.evaluator = Evaluator(job.network, job.loss, self.weights)
        self.best = Best(self.weights.theta.copy(), self.arena.stats.copy())
        self._finite = Finite(self.arena.theta)
        self.judging = Judging(job, self.evaluator)
        self.fault: Fault | None = None  # the last one
        self._started = 0.0  # on the clock, less the seconds of training before

    def run(self) -> Iterator[Epoch | Tick | Fault]:
        """Train to the end. A number that is not finite is no exception: ``on_nan`` says what it is answered by.

        Where it ends the run, the last Epoch has the status diverged. No other thread outlives the iterator.
        """
        try:
            yield from self._events()
        finally:
            self.stepping.team.close()

    def _events(self) -> Iterator[Epoch | Tick | Fault]:
        progress = self.progress
        self._started = time.perf_counter() - progress.seconds
        while progress.epoch < self.job.epochs:
            pause = self._train()
            progress.seconds = self._seconds()
            if pause == "tick" or pause == "save":
                yield Tick(progress.epoch + 1, self.stepping.done, progress.seconds, pause == "save")
                continue
            if isinstance(pause, Fault):
                yield pause
                continue
            before = progress.rollbacks
            event = self._diverged(pause) if isinstance(pause, Stop) else (yield from self._finish_epoch())
            progress.seconds = self._seconds()
            yield event
            if event.stop is not None:
                return
            if progress.rollbacks > before and self.fault is not None:
                yield self.fault

    def _train(self) -> Literal["epoch", "tick", "save"] | Fault | Stop:
        """Take batches until the epoch or the time is over, a tick or a save is due, or there is something to tell."""
        progress, stepping, batches = self.progress, self.stepping, len(self.batches)
        due, save = time.perf_counter() + TICK, self._next_save()
        if progress.batch == 0:
            self.batches.shuffle()
        elif self._out_of_time():
            stepping.cut_short()
        with np.errstate(all="ignore"):  # the loss and the gradient of every batch are looked at instead
            while progress.batch < batches:
                pause = stepping.take(due, save)
                if pause == "tick" or pause == "save":
                    return pause
                if pause and (news := self._answer(pause)) is not None:
                    return news
            if stepping.close() and stepping.done >= save:
                return "save"
        if progress.skipped == batches:
            self.fault = self.fault or Fault(progress.epoch + 1, batches, stepping.done, "loss")
            return Stop("diverged", f"no batch of epoch {progress.epoch + 1} has a finite loss and gradient")
        return "epoch"

    def _answer(self, bad: Literal["loss", "gradient"]) -> Fault | Stop | None:
        """Do what is to be done when a batch has no finite loss or gradient; what there is to tell, if anything."""
        progress, on_nan = self.progress, self.job.on_nan
        self.fault = Fault(progress.epoch + 1, progress.batch + 1, self.stepping.done, bad)
        if on_nan == "stop" or (on_nan == "rollback" and progress.rollbacks == MOST_ROLLBACKS):
            return self._lost(self.fault)
        self.stepping.skip()
        if on_nan == "rollback":
            return self._roll_back(self.fault)
        return self.fault._replace(answer=SKIPPED) if progress.skipped == 1 else None

    def _roll_back(self, fault: Fault) -> Fault:
        """Go back to the best weights so far; what there is to tell."""
        self.stepping.roll_back(self.best)
        self.progress.rollbacks += 1
        back = f"the best weights, of epoch {self.best.epoch}" if self.best.epoch else "the initial weights"
        self.fault = fault._replace(answer=f"back to {back}, at {self.progress.rate:g} of the learning rate")
        return self.fault

    def _next_save(self) -> float:
        """The number of steps after which a save is due next."""
        steps = self.job.save_steps
        return math.inf if steps is None else (self.stepping.done // steps + 1) * steps

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _out_of_time(self) -> bool:
        return self.job.max_time is not None and self._seconds() >= self.job.max_time

    def vectors(self) -> dict[str, Array]:
        """What beside the evaluated weights and the statistics a later continuation needs, as arrays by name.

        The best weights decide about what is to come only where training may go back to them.
        """
        best = {"best.theta": self.best.theta, "best.stats": self.best.stats} if self.job.on_nan == "rollback" else {}
        return {**self.descent.vectors(), "order": self.batches.order, **best}

    def counters(self) -> dict[str, Any]:
        """The rest of the state, as plain values for JSON."""
        progress = {name: getattr(self.progress, name) for name in Progress.__slots__}
        best = {"epoch": self.best.epoch, "value": self.best.value if self.best.epoch else None}
        streams = {"shuffle": self.stepping.shuffling.state, "dropout": self.stepping.dropping.state}
        counts = {"step": self.stepping.done, "held": self.descent.held, "lr": self._lr()}
        return {"progress": progress, "best": best, "streams": streams, **counts}

    def restore(self, tensors: Mapping[str, Array], state: Mapping[str, Any]) -> None:
        """Go on, bit by bit, from what another trainer of the same job had when it yielded.

        ``tensors`` are its evaluated weights and its statistics by name and its ``vectors``, ``state`` its
        ``counters``. Where the best weights are not among them, their owner puts them into ``best``.
        """
        for part in self.arena.parameters:
            part.view(self.weights.theta)[...] = tensors[part.name]
        for part in self.arena.statistics:
            part.view(self.arena.stats)[...] = tensors[part.name]
        for name, value in state["progress"].items():
            setattr(self.progress, name, value)
        self.descent.restore(tensors, step=state["step"] - self.progress.anew, held=state["held"])
        self.slot.rate = state["lr"]
        np.copyto(self.batches.order, tensors["order"])
        streams = state["streams"]
        self.stepping.shuffling.state, self.stepping.dropping.state = streams["shuffle"], streams["dropout"]
        if "best.theta" in tensors:
            np.copyto(self.best.theta, tensors["best.theta"])
            np.copyto(self.best.stats, tensors["best.stats"])
        self.best.epoch = state["best"]["epoch"]
        self.best.value = math.nan if state["best"]["value"] is None else state["best"]["value"]

    def _finish_epoch(self) -> Generator[Tick, None, Epoch]:
        """Evaluate if it is time, and only then count the epoch and draw the conclusions."""
        epoch = self.progress.epoch + 1
        values: Mapping[str, float] = {}
        judged = values
        finite = True
        end = self._end(epoch)
        if end or epoch % self.job.eval_every == 0:
            values, judged, finite = yield from self._evaluate()
            end = end or self._end(epoch)  # an evaluation takes its time
        found = self.conclude(values, judged, finite=finite, end=end)
        if found.improved:
            np.copyto(self.best.theta, self.weights.theta)
            np.copyto(self.best.stats, self.arena.stats)
        return found

    def conclude(self, values: Mapping[str, float], judged: Mapping[str, float], *, finite: bool, end: str) -> Epoch:
        """Count the epoch that has ended, and draw the conclusions from its evaluation, if there was one.

        ``judged`` are the values that decide; ``end`` says why training ends with this epoch, if it does. Where the
        epoch has ``improved``, whoever asks has to copy the weights.
        """
        progress = self.progress
        epoch = progress.epoch + 1
        progress.epoch, progress.batch, progress.skipped, progress.loss, progress.weight = epoch, 0, 0, 0.0, 0.0
        self.stepping.observe(judged)
        improved = bool(judged) and finite and self._is_best(judged)
        stop = (None if finite else self._answer_evaluation(end)) or self._stop(judged, end)
        return Epoch(epoch, self.stepping.done, self._lr(), progress.seconds, values, improved, stop)

    def _answer_evaluation(self, end: str) -> Stop | None:
        """Do what is to be done when the evaluation of the epoch that has ended is not finite."""
        progress = self.progress
        self.fault = Fault(progress.epoch, 0, self.stepping.done, "loss")
        lost = progress.rollbacks == MOST_ROLLBACKS or (end and not self.best.epoch)
        if self.job.on_nan != "rollback" or lost:
            return self._lost(self.fault)
        self._roll_back(self.fault)
        return None

    def _end(self, epoch: int) -> str:
        """Why training ends with the epoch that is finished; empty if it goes on."""
        if epoch == self.job.epochs:
            return "all epochs done"
        return "max_time" if self._out_of_time() else ""

    def _evaluate(self) -> Generator[Tick, None, tuple[Mapping[str, float], Mapping[str, float], bool]]:
        """The values of an evaluated epoch by their column names, those that decide, and whether all is finite.

        The last step may have ruined the weights after its loss was taken.
        """
        with np.errstate(all="ignore"):
            finite = self._finite()
            scorings = self.judging.begin()
        for scoring in scorings.values():
            yield from self._score(scoring)
        mean = self.progress.loss / (self.progress.weight or 1.0)
        values, judged, sound = self.judging.values(scorings, mean)
        return values, judged, finite and sound

    def _score(self, scoring: Scoring) -> Iterator[Tick]:
        """Score the rows that are left, with a tick when one is due."""
        progress = self.progress
        while not scoring.whole:
            if self._seconds() >= progress.seconds + TICK:
                progress.seconds = self._seconds()
                yield Tick(progress.epoch + 1, self.stepping.done, progress.seconds)
            with np.errstate(all="ignore"):
                scoring.advance()

    def _is_best(self, values: Mapping[str, float]) -> bool:
        """Whether this epoch is the best so far, and noted as such; the earliest of equals stays."""
        best, value = self.best, values[self.job.monitor or "train_loss"]
        if not math.isfinite(value):
            return False
        if best.epoch and self.job.monitor is not None:
            improved = value < best.value if self.job.better == "lower" else value > best.value
            if not improved:
                return False
        best.epoch, best.value, self.progress.rollbacks = self.progress.epoch, value, 0
        return True

    def _stop(self, values: Mapping[str, float], end: str) -> Stop | None:
        rule, progress = self.job.early_stopping, self.progress
        if rule is not None and values:
            reason = rule.update(
                progress.stopping, epoch=progress.epoch, value=values[rule.monitor], better=self.job.better
            )
            if reason:
                return Stop("early_stopped", reason)
        return Stop("completed", end) if end else None

    def lose(self, fault: Fault) -> Epoch:
        """End with a batch that is not finite, whatever ``on_nan`` says: what a stack does for a member."""
        self.fault = fault
        return self._diverged(self._lost(fault))

    def _lost(self, fault: Fault) -> Stop:
        given_up = self.progress.rollbacks == MOST_ROLLBACKS
        again = f", after {MOST_ROLLBACKS} rollbacks without a better epoch" if given_up else ""
        return Stop("diverged", f"{fault.told}{again}")

    def _diverged(self, stop: Stop) -> Epoch:
        """The epoch that does not come to its end."""
        progress = self.progress
        return Epoch(
            progress.epoch + 1, self.stepping.done, self._lr(), progress.seconds, {}, improved=False, stop=stop
        )

    def _lr(self) -> float:
        return float(self.slot.rate)
