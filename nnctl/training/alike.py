"""Which trainings can share a stack."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from nnctl.data.batches import Examples
from nnctl.network.members import common
from nnctl.training.job import Job
from nnctl.training.trainer import Trainer

# What each member of a stack has for itself, beside the options that are marked so, its initializers and its seed: its
# schedule, its early stopping, its number of epochs, and what makes one of its epochs the best.


def kind_of(job: Job) -> Hashable | None:
    """What the jobs of one stack have in common beside their rows; None for one that has to train alone.

    Alone train those whose optimizer searches, whose batches are split, whose end goes by the clock, and those that
    answer a batch that is not finite by anything but their end.
    """
    alone = job.shards > 1 or job.max_time is not None or job.on_nan != "stop" or not job.optimizer.stacks
    if alone:
        return None
    layers = tuple((node.name, common(node.layer)) for node in job.network.walk())
    measured = job.measures_train, job.metrics, job.eval_every
    steps = job.dtype, job.batch_size, job.shuffle, job.save_steps
    return layers, job.network.input, common(job.loss), _moving(job), measured, steps


def groups(jobs: Sequence[Job]) -> list[list[int]]:
    """The places of jobs that can share a stack, in the order of the first of each."""
    found: dict[Hashable, list[int]] = {}
    rows: list[tuple[Examples, Examples | None]] = []
    for place, job in enumerate(jobs):
        kind = kind_of(job)
        found.setdefault(place if kind is None else (kind, _rows(rows, job)), []).append(place)
    return list(found.values())


def place_of(trainer: Trainer) -> Hashable:
    """Where a training stands: those of one stack stand at the same place of the same epoch."""
    progress = trainer.progress
    return progress.epoch, progress.batch, progress.skipped, trainer.slot.t, trainer.descent.held


def _moving(job: Job) -> Hashable:
    """What the optimizers have in common; an average of the weights is kept by all members or by none."""
    return common(job.optimizer), job.optimizer.ema is None


def _rows(known: list[tuple[Examples, Examples | None]], job: Job) -> int:
    """The number of the rows that a job learns from and is judged on, among those that are known."""
    for number, (train, val) in enumerate(known):
        if _same(train, job.train) and _same(val, job.val):
            return number
    known.append((job.train, job.val))
    return len(known) - 1


def _same(first: Examples | None, second: Examples | None) -> bool:
    if first is second or first is None or second is None:
        return first is second
    arrays = ((getattr(first, name), getattr(second, name)) for name in ("x", "t", "truth", "w", "weight"))
    return all(_equal(one, other) for one, other in arrays)


def _equal(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is other or one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.array_equal(one, other)
