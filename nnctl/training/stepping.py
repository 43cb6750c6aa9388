"""One batch after the other: its loss, its gradient, and a step of the weights, if all of that is finite."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Batches
from nnctl.network.descent import Descent
from nnctl.network.finite import Finite
from nnctl.network.members import Streams, stream
from nnctl.network.objective import Objective
from nnctl.network.shards import Shards
from nnctl.network.team import Team
from nnctl.network.workspace import Workspace
from nnctl.training.job import Job
from nnctl.training.progress import Best, Progress

Array = NDArray[Any]

Bad = Literal["", "loss", "gradient"]  # what of a batch was not finite


class Stepping:
    """The weights of a run, and what moves them: the batches, the passes over them, the optimizer."""

    def __init__(self, job: Job, progress: Progress, start: Mapping[str, Array] | None = None) -> None:
        self.job, self.progress = job, progress
        self.arena = job.network.arena(job.dtype)
        if start is None:
            job.network.initialise(self.arena, [stream(job.seed, "init")])
        else:
            for name, view in {**self.arena.named(self.arena.theta), **self.arena.named_statistics()}.items():
                view[...] = start[name]
        self.shuffling = Streams.single(job.seed, "shuffle")
        self.dropping = Streams.single(job.seed, "dropout", job.shards)
        self.batches = Batches(job.train, job.batch_size, shuffle=job.shuffle, streams=self.shuffling)
        self.space = Workspace(
            job.network,
            [job.loss],
            self.arena,
            self.batches.size,
            training=True,
            streams=self.dropping.shard(0),
            weighted=job.train.w is not None,
        )
        self.team = Team(job.threads)
        self.shards = self._split() if job.shards > 1 else None
        self.descent = Descent([job.optimizer], self.arena, [job.regularization], self.team)
        self.slot = self.descent.slot
        self.objective: Objective | None = None
        self._passes: Workspace | Shards = self.shards or self.space
        self._source: Any = self.shards or self.batches
        self._finite: Callable[[], bool] = self.shards.reduction.finite if self.shards else Finite(self.arena.grad)
        # A forward pass moves the running statistics, also that over a batch that is skipped.
        self._stats = self.arena.stats.copy() if job.on_nan == "skip" and self.arena.stats.size else None
        self._epoch_steps = job.epoch_steps
        self._steps = job.epochs * self._epoch_steps

    @property
    def done(self) -> int:
        """Optimizer steps of the run."""
        return self.progress.anew + self.slot.t

    def factor(self, step: int) -> float:
        """The factor on the learning rate in a step of the run, counted from 0."""
        progress = self.progress
        return progress.rate * self.job.schedule.at(step, self._steps, self._epoch_steps, progress.schedule)

    def observe(self, values: Mapping[str, float]) -> None:
        """Show the schedule the value that it watches."""
        job, schedule = self.job, self.job.schedule
        if schedule.watches is not None and values:
            unit = schedule.units(self.done, self._steps, self._epoch_steps)
            value = values[schedule.watches]
            schedule.observe(self.progress.schedule, unit=unit, value=value, better=job.schedule_better)

    def take(self, due: float, save: float) -> Bad | Literal["tick", "save"]:
        """Take batches up to the end of the epoch, or until the clock is at ``due``, or so many steps are done.

        What of a batch is not finite is told at once: such a batch is not counted, and moves no weights.
        """
        if self.job.optimizer.evaluates:
            return self._search(save)
        progress, slot, descent, clock = self.progress, self.slot, self.descent, time.perf_counter
        passes, source, finite, batches = self._passes, self._source, self._finite, len(self.batches)
        rows, gathers, flat = self.batches.rows, descent.optimizer.accumulate > 1, self.job.schedule.flat
        while progress.batch < batches:
            run = passes.at(rows(progress.batch))
            source.load(progress.batch, run)
            if self._stats is not None:
                np.copyto(self._stats, self.arena.stats)
            run.forward()
            loss = float(run.loss_sum())
            if not math.isfinite(loss):
                return "loss"
            run.backward()
            if not finite():
                return "gradient"
            progress.batch += 1
            progress.loss += loss
            weight = float(run.weight())
            progress.weight += weight
            if not gathers or descent.gather(weight, last=progress.batch == batches):
                descent.step(progress.rate if flat else self.factor(self.done))
                if progress.anew + slot.t >= save:
                    return "save"
            if clock() >= due and progress.batch < batches:
                return "tick"
        return ""

    def _search(self, save: float) -> Bad | Literal["save"]:
        """One step of an optimizer that evaluates by itself, if it starts from a finite loss and gradient."""
        progress = self.progress
        run = self._passes.at(self.batches.rows(progress.batch))
        self._source.load(progress.batch, run)
        if self._stats is not None:
            np.copyto(self._stats, self.arena.stats)
        objective = self.objective = self.objective or Objective(run, self.dropping, self.descent, self._finite)
        loss = objective.begin()
        if objective.bad:
            return objective.bad
        progress.batch += 1
        progress.loss += loss
        progress.weight += float(run.weight())
        objective.step(self.factor(self.done))
        return "save" if self.done >= save else ""

    @property
    def spaces(self) -> list[Workspace]:
        """The workspaces that batches run in."""
        return [self.space] if self.shards is None else self.shards.spaces

    def _split(self) -> Shards:
        """The workspaces for the parts of a batch."""
        return Shards(
            self.job.network,
            self.job.loss,
            self.arena,
            self.batches.size,
            team=self.team,
            streams=[self.dropping.shard(place) for place in range(self.job.shards)],
            source=self.batches,
            weighted=self.job.train.w is not None,
        )

    def skip(self) -> None:
        """Pass over the batch that comes next."""
        if self._stats is not None:
            np.copyto(self.arena.stats, self._stats)
        self.progress.batch += 1
        self.progress.skipped += 1

    def cut_short(self) -> None:
        """Pass over all batches that are left of the epoch."""
        progress, batches = self.progress, len(self.batches)
        progress.skipped += batches - progress.batch
        progress.batch = batches

    def close(self) -> bool:
        """Take the step of a group of batches that the end of the epoch leaves open; whether there is one."""
        if not self.descent.close():
            return False
        self.descent.step(self.factor(self.done))
        return True

    def roll_back(self, best: Best) -> None:
        """Put the best weights in place and begin the optimizer anew, at half the learning rate from here on."""
        np.copyto(self.arena.theta, best.theta)
        np.copyto(self.arena.stats, best.stats)
        self.progress.anew = self.done
        self.progress.rate /= 2
        self.descent.begin_anew()
        if self.objective is not None:
            self.objective.known = False
