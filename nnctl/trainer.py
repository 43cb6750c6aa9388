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

from nnctl.data.batches import Batches
from nnctl.evaluation import Evaluator, Scoring
from nnctl.events import Epoch as Epoch
from nnctl.events import Stop as Stop
from nnctl.events import Tick as Tick
from nnctl.job import Job
from nnctl.network.descent import Descent
from nnctl.network.members import Streams, stream
from nnctl.network.objective import Objective
from nnctl.network.workspace import Pass, Workspace
from nnctl.progress import Best, Progress

Array = NDArray[Any]

TICK = 0.1  # seconds between two ticks


class Trainer:
    """The state of one run, and the loop that moves it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.arena = job.network.arena(job.dtype)
        job.network.initialise(self.arena, [stream(job.seed, "init")])
        self.shuffling, self.dropping = Streams.single(job.seed, "shuffle"), Streams.single(job.seed, "dropout")
        self.batches = Batches(job.train, job.batch_size, shuffle=job.shuffle, streams=self.shuffling)
        self.space = Workspace(
            job.network,
            [job.loss],
            self.arena,
            self.batches.size,
            training=True,
            streams=self.dropping,
            weighted=job.train.w is not None,
        )
        self.descent = Descent([job.optimizer], self.arena, [job.regularization])
        self.slot, self.weights = self.descent.slot, self.descent.weights
        self.evaluator = Evaluator(job.network, job.loss, self.weights)
        self._objective: Objective | None = None
        self._epoch_steps = job.epoch_steps
        self._steps = job.epochs * self._epoch_steps
        stopping = job.early_stopping.start() if job.early_stopping else {}
        self.progress = Progress(stopping=stopping, schedule=job.schedule.start())
        self.best = Best(self.weights.theta.copy(), self.arena.stats.copy())
        self._started = 0.0  # on the clock, less the seconds of training before

    def run(self) -> Iterator[Epoch | Tick]:
        """Train to the end. A non-finite loss is no exception: it ends the last Epoch with the status diverged."""
        progress = self.progress
        self._started = time.perf_counter() - progress.seconds
        self.slot.rate = self.slot.exact.lr * self._factor(max(self.slot.t - 1, 0))  # until there is a step
        while progress.epoch < self.job.epochs:
            pause = self._train()
            progress.seconds = self._seconds()
            if pause == "tick" or pause == "save":
                yield Tick(progress.epoch + 1, self.slot.t, progress.seconds, pause == "save")
                continue
            event = (yield from self._finish_epoch()) if pause == "epoch" else self._diverged()
            progress.seconds = self._seconds()
            yield event
            if event.stop is not None:
                return

    def _train(self) -> Literal["epoch", "tick", "save", "diverged"]:
        """Take batches until the epoch or the time is over, a tick or a save is due, or a loss is not finite."""
        progress, slot, clock, batches = self.progress, self.slot, time.perf_counter, len(self.batches)
        due, save = clock() + TICK, self._next_save()
        if progress.batch == 0:
            self.batches.shuffle()
        with np.errstate(all="ignore"):  # the loss of every batch is looked at instead
            while progress.batch < batches:
                if not self._step():
                    return "diverged"
                last = progress.batch == batches
                if slot.t >= save or (not last and clock() >= due):
                    if not last and self._out_of_time():
                        self._close()
                        break
                    return "save" if slot.t >= save else "tick"
        return "epoch"

    def _next_save(self) -> float:
        """The number of steps after which a save is due next."""
        steps = self.job.save_steps
        return math.inf if steps is None else (self.slot.t // steps + 1) * steps

    def _close(self) -> None:
        """End an epoch before its last batch; a group of batches that is open makes a step, as it would at its end."""
        self.progress.batch = len(self.batches)
        if self.descent.close():
            self.descent.step(self._factor(self.slot.t))

    def _seconds(self) -> float:
        return time.perf_counter() - self._started

    def _out_of_time(self) -> bool:
        return self.job.max_time is not None and self._seconds() >= self.job.max_time

    def vectors(self) -> dict[str, Array]:
        """What beside the evaluated weights and the statistics a later continuation needs, as arrays by name."""
        return {**self.descent.vectors(), "order": self.batches.order}

    def counters(self) -> dict[str, Any]:
        """The rest of the state, as plain values for JSON."""
        progress = {name: getattr(self.progress, name) for name in Progress.__slots__}
        best = {"epoch": self.best.epoch, "value": self.best.value if self.best.epoch else None}
        streams = {"shuffle": self.shuffling.state, "dropout": self.dropping.state}
        return {"progress": progress, "best": best, "streams": streams, "step": self.slot.t, "held": self.descent.held}

    def restore(self, tensors: Mapping[str, Array], state: Mapping[str, Any]) -> None:
        """Go on, bit by bit, from what another trainer of the same job had when it yielded.

        ``tensors`` are its evaluated weights and its statistics by name and its ``vectors``, ``state`` its
        ``counters``. The best weights are not among them: their owner puts them into ``best``.
        """
        for part in self.arena.parameters:
            part.view(self.weights.theta)[...] = tensors[part.name]
        for part in self.arena.statistics:
            part.view(self.arena.stats)[...] = tensors[part.name]
        self.descent.restore(tensors, step=state["step"], held=state["held"])
        np.copyto(self.batches.order, tensors["order"])
        self.shuffling.state, self.dropping.state = state["streams"]["shuffle"], state["streams"]["dropout"]
        for name, value in state["progress"].items():
            setattr(self.progress, name, value)
        self.best.epoch = state["best"]["epoch"]
        self.best.value = math.nan if state["best"]["value"] is None else state["best"]["value"]

    def _step(self) -> bool:
        """One batch; whether its loss is a finite number."""
        progress, batches = self.progress, self.batches
        run = self.space.at(batches.rows(progress.batch))
        batches.load(progress.batch, run)
        if self.job.optimizer.evaluates:
            return self._search(run)
        run.forward()
        loss = float(run.loss_sum())
        if not math.isfinite(loss):
            return False
        run.backward()
        progress.batch += 1
        progress.loss += loss
        weight = float(run.weight())
        progress.weight += weight
        if self.descent.gather(weight, last=progress.batch == len(batches)):
            self.descent.step(self._factor(self.slot.t))
        return True

    def _search(self, run: Pass) -> bool:
        """One step of an optimizer that evaluates by itself; whether the loss it starts from is a finite number."""
        progress = self.progress
        objective = self._objective = self._objective or Objective(run, self.dropping, self.descent)
        loss = objective.begin()
        if not math.isfinite(loss):
            return False
        progress.batch += 1
        progress.loss += loss
        progress.weight += float(run.weight())
        objective.step(self._factor(self.slot.t))
        return True

    def _factor(self, step: int) -> float:
        """The schedule's factor in a step, counted from 0."""
        return self.job.schedule.at(step, self._steps, self._epoch_steps, self.progress.schedule)

    def _finish_epoch(self) -> Generator[Tick, None, Epoch]:
        """Evaluate if it is time, and only then count the epoch and draw the conclusions."""
        progress, job = self.progress, self.job
        epoch = progress.epoch + 1
        values: dict[str, float] = {}
        judged: dict[str, float] = {}
        finite = True
        end = self._end(epoch)
        if end or epoch % job.eval_every == 0:
            values, judged, finite = yield from self._evaluate()
            end = end or self._end(epoch)  # an evaluation takes its time
        progress.epoch, progress.batch, progress.loss, progress.weight = epoch, 0, 0.0, 0.0
        self._watch(judged)
        improved = bool(judged) and finite and self._keep_best(judged)
        stop = self._stop(judged, end) if finite else self._lost(f"after epoch {epoch}")
        return Epoch(epoch, self.slot.t, self._lr(), progress.seconds, values, improved, stop)

    def _end(self, epoch: int) -> str:
        """Why training ends with the epoch that is finished; empty if it goes on."""
        if epoch == self.job.epochs:
            return "all epochs done"
        return "max_time" if self._out_of_time() else ""

    def _evaluate(self) -> Generator[Tick, None, tuple[dict[str, float], dict[str, float], bool]]:
        """The values of an evaluated epoch by their column names, those that decide, and whether all is finite.

        What decides about best, stopping and the schedule is the weights that are kept: where they are an average, the
        train_loss among these values is theirs, not the mean over the epoch as the weights move. The last step may have
        ruined the weights after its loss was taken.
        """
        job, progress = self.job, self.progress
        values = {"train_loss": progress.loss / (progress.weight or 1.0)}
        judged: dict[str, float] = {}
        with np.errstate(all="ignore"):
            losses = [values["train_loss"], float(np.add.reduce(self.arena.theta, dtype=np.float64))]
        for part, examples in (("train", job.train if job.measures_train else None), ("val", job.val)):
            if examples is not None:
                scoring = self.evaluator.begin(examples)
                if scoring.advance():
                    yield from self._score(scoring)
                found = self.evaluator.measure(scoring, examples, job.target, job.metrics)
                losses.append(found["loss"])
                judged |= {f"{part}_{name}": value for name, value in found.items()}
        values = {**judged, **values}
        values = {name: values[name] for name in (*job.columns, *values)}
        return values, {**values, **judged} if job.optimizer.averages else values, all(map(math.isfinite, losses))

    def _score(self, scoring: Scoring) -> Iterator[Tick]:
        """Score the rows that are left, with a tick when one is due."""
        progress, left = self.progress, True
        while left:
            if self._seconds() >= progress.seconds + TICK:
                progress.seconds = self._seconds()
                yield Tick(progress.epoch + 1, self.slot.t, progress.seconds)
            left = scoring.advance()

    def _watch(self, values: dict[str, float]) -> None:
        """Show the schedule the value that it watches."""
        job, schedule = self.job, self.job.schedule
        if schedule.watches is not None and values:
            unit = schedule.units(self.slot.t, self._steps, self._epoch_steps)
            value = values[schedule.watches]
            schedule.observe(self.progress.schedule, unit=unit, value=value, better=job.schedule_better)

    def _keep_best(self, values: dict[str, float]) -> bool:
        """Copy the weights if this epoch is the best so far; the earliest of equals stays."""
        best, value = self.best, values[self.job.monitor or "train_loss"]
        if not math.isfinite(value):
            return False
        if best.epoch and self.job.monitor is not None:
            improved = value < best.value if self.job.better == "lower" else value > best.value
            if not improved:
                return False
        best.epoch, best.value = self.progress.epoch, value
        np.copyto(best.theta, self.weights.theta)
        np.copyto(best.stats, self.arena.stats)
        return True

    def _stop(self, values: dict[str, float], end: str) -> Stop | None:
        rule, progress = self.job.early_stopping, self.progress
        if rule is not None and values:
            reason = rule.update(
                progress.stopping, epoch=progress.epoch, value=values[rule.monitor], better=self.job.better
            )
            if reason:
                return Stop("early_stopped", reason)
        return Stop("completed", end) if end else None

    def _lost(self, where: str) -> Stop:
        return Stop("diverged", f"the loss is no longer a finite number {where}")

    def _diverged(self) -> Epoch:
        progress = self.progress
        place = f"epoch {progress.epoch + 1}, batch {progress.batch + 1}"
        return Epoch(
            progress.epoch + 1,
            self.slot.t,
            self._lr(),
            progress.seconds,
            {},
            improved=False,
            stop=self._lost(f"in {place}"),
        )

    def _lr(self) -> float:
        return float(self.slot.rate)
