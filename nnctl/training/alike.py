"""Which trainings can share a stack."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

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
    steps = job.dtype, job.batch_size, job.shuffle, job.save_steps, job.save_epochs
    return layers, job.network.input, job.network.segments, common(job.loss), _moving(job), measured, steps


def groups(jobs: Sequence[Job], *, own_rows: bool = False) -> list[list[int]]:
    """The places of jobs that can share a stack, in the order of the first of each.

    They learn from the same rows and are judged on the same ones, or each has as many rows of its own.
    """
    found: dict[Hashable, list[int]] = {}
    known: list[Job] = []
    for place, job in enumerate(jobs):
        kind = kind_of(job)
        rows = _counts_of_rows(job) if own_rows else _number_of_rows(known, job)
        found.setdefault(place if kind is None else (kind, rows), []).append(place)
    return list(found.values())


def place_of(trainer: Trainer) -> Hashable | None:
    """Where a training stands: those of one stack stand at the same place of the same epoch.

    None for one that has been rolled back while it still might be: its steps and its rate are counted otherwise.
    """
    progress = trainer.progress
    if progress.anew or progress.rate != 1:
        return None
    return progress.epoch, progress.batch, progress.skipped, trainer.slot.t, trainer.descent.held


def same_rows(one: Job, other: Job) -> bool:
    """Whether two jobs learn from the same rows, and are judged on the same ones."""
    if one.val is None or other.val is None:
        return one.val is other.val and one.train.same(other.train)
    return one.train.same(other.train) and one.val.same(other.val)


def _moving(job: Job) -> Hashable:
    """What the optimizers have in common; an average of the weights is kept by all members or by none."""
    return common(job.optimizer), job.optimizer.ema is None


def _counts_of_rows(job: Job) -> Hashable:
    """How many rows there are, and whether they have weights."""
    parts = [job.train] if job.val is None else [job.train, job.val]
    return tuple((len(part), part.t.shape, part.w is None, part.weight is None) for part in parts)


def _number_of_rows(known: list[Job], job: Job) -> int:
    """The number of the rows of a job, among those of the jobs that are known."""
    for number, other in enumerate(known):
        if same_rows(other, job):
            return number
    known.append(job)
    return len(known) - 1
