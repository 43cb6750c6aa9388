"""Trainers of jobs, alone and in a stack, and what both of them tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.running.run import Run
from nnctl.runs.run_dir import RunDir
from nnctl.training.events import Epoch
from nnctl.training.job import Job
from nnctl.training.stack import Round, Stack
from nnctl.training.trainer import Trainer
from tests.resuming.helpers import rows

SETTINGS = [
    ["optimizer.lr=0.003"],
    ["optimizer.lr=0.03", "seed=1"],
    ["model.dropout=0.4", "train.epochs=5"],
    ["seed=3"],
]
SAME_ROWS = "data.split.seed=0"
Tasks = Callable[..., dict[str, Any]]
CLOSE = {"rtol": 1e-6, "atol": 1e-6}  # for a BLAS whose products depend on what stands beside them in memory


class Told:
    """A trainer at its end, and the epochs that it was evaluated after, or lost in."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.epochs: list[Epoch] = []
        self.best = self.last = np.zeros(0)  # as told with the last epoch: the row of a stack moves on

    def take(self, epoch: Epoch) -> None:
        if epoch.values or epoch.stop:
            self.epochs.append(epoch)
        self.best = np.concatenate([self.trainer.best.theta, self.trainer.best.stats])
        self.last = self.trainer.arena.theta.copy()


def numbers(run: Run | RunDir) -> list[float]:
    """All cells of a metrics.csv but those of its timing column."""
    return [float(cell) for row in rows(run) for cell in row]


def alone(jobs: Sequence[Job]) -> list[Told]:
    found = [Told(Trainer(job)) for job in jobs]
    for told in found:
        for event in told.trainer.run():
            if isinstance(event, Epoch):
                told.take(event)
    return found


def together(jobs: Sequence[Job]) -> list[Told]:
    """The same in stacks: a smaller one whenever half of the members have ended."""
    found = [Told(Trainer(job)) for job in jobs]
    left = found
    while left:
        stack = Stack([told.trainer for told in left])
        for event in stack.run():
            if isinstance(event, Round):
                for place, epoch in event.epochs:
                    left[place].take(epoch)
        left = [left[place] for place in stack.live]
    return found


def assert_same(own: Told, member: Told) -> None:
    """Both have told the same, and kept the same weights."""
    assert [epoch.epoch for epoch in member.epochs] == [epoch.epoch for epoch in own.epochs]
    for one, other in zip(own.epochs, member.epochs, strict=True):
        assert (one.step, one.lr, one.improved) == (other.step, other.lr, other.improved)
        assert (one.stop and one.stop.status) == (other.stop and other.stop.status)
        assert list(one.values) == list(other.values)
        np.testing.assert_allclose(list(other.values.values()), list(one.values.values()), **CLOSE)
    assert member.trainer.best.epoch == own.trainer.best.epoch
    np.testing.assert_allclose(member.best, own.best, **CLOSE)


def folders(task: dict[str, Any]) -> list[RunDir]:
    return [RunDir(Path(member["path"])) for member in task["members"]]
