"""A stack: trainers that move together, one network each, in a single pass over the member axis."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Batches
from nnctl.data.joined import JoinedBatches
from nnctl.network.descent import Descent
from nnctl.network.finite import Finite
from nnctl.network.members import Streams
from nnctl.network.network import stack
from nnctl.network.workspace import Workspace
from nnctl.training.alike import same_rows
from nnctl.training.events import Epoch, Fault, Tick
from nnctl.training.factors import Factors
from nnctl.training.stack_judging import StackJudging
from nnctl.training.trainer import TICK, Trainer

Array = NDArray[Any]


class Round(NamedTuple):
    """An epoch has ended: what it was for each member that it meant something for, by the place in the stack."""

    epochs: list[tuple[int, Epoch]]


class Stack:
    """Moves K trainers that are `alike` and stand at the same place of the same epoch.

    Their vectors become rows of its own, (K, P). At every yield the state of each trainer is complete, as if it trained
    alone: it can be saved, and another stack can be made of some of them. ``live`` are the places of those that have
    not ended. One that has is worth what its last epoch says, and no more: its row moves on with the others.
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        self.trainers, self.live = list(trainers), list(range(len(trainers)))
        first, jobs = trainers[0], [trainer.job for trainer in trainers]
        job, losses, members = first.job, [each.loss for each in jobs], (len(trainers),)
        network = stack([each.network for each in jobs])
        self.arena = network.arena(job.dtype)
        self.descent = Descent([each.optimizer for each in jobs], self.arena, [each.regularization for each in jobs])
        self.slot = self.descent.slot
        shuffling, dropping = (
            Streams([streams.generators[0] for streams in own], members)
            for own in zip(*((each.stepping.shuffling, each.stepping.dropping) for each in trainers), strict=True)
        )
        shared = all(same_rows(job, each) for each in jobs[1:])
        self.batches = (
            Batches(job.train, job.batch_size, shuffle=job.shuffle, streams=shuffling)
            if shared
            else JoinedBatches([each.train for each in jobs], job.batch_size, shuffle=job.shuffle, streams=shuffling)
        )
        weighted = job.train.w is not None
        self.space = Workspace(
            network, losses, self.arena, self.batches.size, training=True, streams=dropping, weighted=weighted
        )
        self._best = self.arena.vector(), np.zeros_like(self.arena.stats)
        for place, trainer in enumerate(trainers):
            self._join(place, trainer)
        self.slot.t, self.descent.held = first.slot.t, first.descent.held
        self.slot.rate = np.array([[float(trainer.slot.rate)] for trainer in trainers])
        self._finite, self._factors = Finite(self.arena.grad), Factors(trainers)
        self._judging = StackJudging(
            [trainer.judging for trainer in trainers], network, self.descent.weights, shared=shared
        )
        self._epoch, self._batch = first.progress.epoch, first.progress.batch  # of them all
        self._loss = np.array([trainer.progress.loss for trainer in trainers])
        self._weight = np.array([trainer.progress.weight for trainer in trainers])
        self._eval_every = job.eval_every
        self._ending: dict[int, list[int]] = {}  # the places of those whose last epoch it is
        for place, each in enumerate(jobs):
            self._ending.setdefault(each.epochs, []).append(place)
        self._before = [trainer.progress.seconds for trainer in trainers]
        self._began = time.perf_counter()
        self._due = self._began + TICK  # when the next tick is

    def _join(self, place: int, trainer: Trainer) -> None:
        """Lay the vectors of a trainer into those of the stack."""
        trainer.arena.join(self.arena, place)
        trainer.descent.join(self.descent, place)
        for name, rows in zip(("theta", "stats"), self._best, strict=True):
            rows[place] = getattr(trainer.best, name)
            setattr(trainer.best, name, rows[place])
        self.batches.order[place] = trainer.batches.order
        trainer.batches.order = self.batches.order[place]

    def run(self, until: int | None = None) -> Iterator[Round | Tick]:
        """Train until all have ended, or so many epochs are done, or half of the members have ended.

        In the last case the others train faster in a stack of their own. Epochs that are not evaluated, and end nobody,
        are not told, but for a tick when one is due.
        """
        save_epochs = self.trainers[0].job.save_epochs
        while self.live and (until is None or self._epoch < until or self._batch):
            pause, lost = self._train()
            if lost:
                self._tell(self.live)
                yield Round(lost)
            if pause != "epoch":
                yield self._tick(save=pause == "save")
                continue
            found = yield from self._finish_epoch()
            if found:
                yield Round(found)
            save = save_epochs is not None and self._epoch % save_epochs == 0
            if save or time.perf_counter() >= self._due:
                yield self._tick(save=save)
            if 0 < 2 * len(self.live) <= len(self.trainers):
                break
        self._tell(self.live)

    def drop(self, places: Iterable[int]) -> None:
        """Train some members no further: an error has ended them elsewhere."""
        gone = {*places}
        self.live = [place for place in self.live if place not in gone]

    def _tick(self, *, save: bool = False) -> Tick:
        self._tell(self.live)
        self._due = time.perf_counter() + TICK
        return Tick(self._epoch + 1, self.slot.t, self._seconds(), save)

    def _train(self) -> tuple[Literal["epoch", "tick", "save"], list[tuple[int, Epoch]]]:
        """Take batches until the epoch is over, or a tick or a save is due; with the members that are lost."""
        lost: list[tuple[int, Epoch]] = []
        batches, run_at, steps = self.batches, self.space.at, self.trainers[0].job.save_steps
        due, gathers = self._due, self.descent.optimizer.accumulate > 1
        if self._batch == 0:
            batches.shuffle()
        with np.errstate(all="ignore"):  # the losses and the gradients of every batch are looked at instead
            while self._batch < len(batches):
                run = run_at(batches.rows(self._batch))
                batches.load(self._batch, run)
                run.forward()
                losses = run.loss_sum()
                run.backward()
                if not (math.isfinite(losses.dot(losses)) and self._finite()):
                    lost += self._lose(losses)
                self._batch += 1
                weight = run.weight()
                np.add(self._loss, losses, self._loss)
                np.add(self._weight, weight, self._weight)
                last = self._batch == len(batches)
                if not gathers or self.descent.gather(weight, last=last):
                    self.descent.step(self._factors.at(self.slot.t))
                    if steps is not None and self.slot.t % steps == 0:
                        return "save", lost
                if not last and time.perf_counter() >= due:
                    return "tick", lost
        return "epoch", lost

    def _finish_epoch(self) -> Generator[Tick, None, list[tuple[int, Epoch]]]:
        """Evaluate the members for which it is time, draw the conclusions for each of them, and count the epoch."""
        epoch = self._epoch + 1
        due = epoch % self._eval_every == 0
        judged = self.live if due else [place for place in self._ending.get(epoch, ()) if place in self.live]
        found = (yield from self._judge(judged, epoch)) if judged else []
        self._epoch, self._batch = epoch, 0
        self._loss.fill(0)
        self._weight.fill(0)
        self._end(found)
        if found and len(judged) < len(self.live) + len(found):
            self._tell(self.live)  # also those that were not judged: whoever is told of others may save them
        return found

    def _judge(self, places: Sequence[int], epoch: int) -> Generator[Tick, None, list[tuple[int, Epoch]]]:
        """Evaluate some members, and have their trainers draw the conclusions."""
        means = (self._loss / np.where(self._weight == 0, 1, self._weight)).tolist()
        ending = self._ending.get(epoch, ())
        self._tell(places)
        for _ in self._judging.score():
            if time.perf_counter() >= self._due:
                yield self._tick()
        verdicts = self._judging.verdicts(places, [means[place] for place in places])
        found = []
        for place, (values, decisive, finite) in zip(places, verdicts, strict=True):
            end = "all epochs done" if place in ending else ""
            found.append((place, self.trainers[place].conclude(values, decisive, finite=finite, end=end)))
        if better := [place for place, event in found if event.improved]:
            self._keep(better)
        return found

    def _keep(self, places: list[int]) -> None:
        """Copy the weights of members whose epoch is their best so far."""
        for best, now in zip(self._best, (self.descent.weights.theta, self.arena.stats), strict=True):
            if len(places) == len(best):
                np.copyto(best, now)
            else:
                best[places] = now[places]

    def _lose(self, losses: Array) -> list[tuple[int, Epoch]]:
        """Take the members out whose loss or gradient is not finite, as they are before the step."""
        bad = ~np.isfinite(losses)  # that their squares are not finite says nothing yet
        bad_gradient = ~np.isfinite(self.arena.grad).all(-1)
        found: list[tuple[int, Epoch]] = []
        self._tell(self.live)
        for place in np.flatnonzero(bad | bad_gradient).tolist():
            if place in self.live:
                trainer = self.trainers[place]
                for part in (trainer.arena, trainer.descent):
                    part.leave()
                kind: Literal["loss", "gradient"] = "loss" if bad[place] else "gradient"
                found.append((place, trainer.lose(Fault(self._epoch + 1, self._batch + 1, self.slot.t, kind))))
            self._silence(place)
            losses[place] = 0
        self._end(found)
        return found

    def _silence(self, place: int) -> None:
        """Have a row hold nothing but zeros, which its steps do not change."""
        self.slot.exact.lr[place] = 0
        state = self.descent.vectors().values()
        for vector in (self.arena.theta, self.arena.grad, self.arena.stats, self.descent.weights.theta, *state):
            vector[place] = 0

    def _end(self, found: Sequence[tuple[int, Epoch]]) -> None:
        ended = {place for place, epoch in found if epoch.stop is not None}
        self.live = [place for place in self.live if place not in ended]

    def _tell(self, places: Sequence[int]) -> None:
        """Bring the counters of trainers up to date."""
        seconds, step, held = self._seconds(), self.slot.t, self.descent.held
        losses, weights, rates = self._loss.tolist(), self._weight.tolist(), self.slot.rate[:, 0].tolist()
        for place in places:
            trainer = self.trainers[place]
            progress, slot = trainer.progress, trainer.slot
            progress.epoch, progress.batch, progress.seconds = self._epoch, self._batch, self._before[place] + seconds
            progress.loss, progress.weight = losses[place], weights[place]
            slot.t, slot.rate, trainer.descent.held = step, rates[place], held

    def _seconds(self) -> float:
        return time.perf_counter() - self._began
