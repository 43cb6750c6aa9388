"""The rows that were looked at when a run diverged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.network.workspace import Pass
from nnctl.training.trainer import Fault, Trainer

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Some rows of a part, and whether the network was learning from them or being judged by them.

    Shapes: rows (B,), places in the part's examples.
    """

    fault: Fault
    part: str
    examples: Examples
    rows: Array
    learning: bool


def scene_of(trainer: Trainer) -> Scene:
    """Where the loss or the gradient was not finite.

    After an evaluation that is the first rows whose loss is not, if the weights are finite; if they are not, the last
    batch, whose step has ruined them.
    """
    fault = trainer.fault
    assert fault is not None, "no loss or gradient was without end"
    if fault.batch == 0 and np.isfinite(trainer.arena.theta).all():
        parts = {"train": trainer.job.train if trainer.job.measures_train else None, "val": trainer.job.val}
        for part, examples in parts.items():
            rows = None if examples is None else _lost_rows(trainer, examples)
            if examples is not None and rows is not None:
                return Scene(fault, part, examples, rows, learning=False)
    batches = trainer.batches
    batch = (fault.batch or len(batches)) - 1
    start, count = batch * batches.size, batches.rows(batch)
    rows = np.arange(count) if batches.whole else batches.order[start : start + count].copy()
    return Scene(fault, "train", trainer.job.train, rows, learning=True)


def prepared_pass(trainer: Trainer, scene: Scene) -> Pass:
    """A pass over those rows, in the buffers that are there already."""
    space = trainer.stepping.space if scene.learning else trainer.evaluator.space
    run = Pass(space, len(scene.rows))
    run.x[...], run.t[...] = scene.examples.x[scene.rows], scene.examples.t[scene.rows]
    if run.w is not None and scene.examples.w is not None:
        run.w[...] = scene.examples.w[scene.rows]
    return run


def _lost_rows(trainer: Trainer, examples: Examples) -> Array | None:
    """The first rows that are judged together of which one has no finite loss."""
    for start in range(0, len(examples), trainer.evaluator.rows):
        rows = np.arange(start, min(start + trainer.evaluator.rows, len(examples)))
        run = prepared_pass(trainer, Scene(Fault(0, 0, 0, "loss"), "", examples, rows, learning=False))
        run.forward()
        counting = np.ones(len(rows), bool) if examples.w is None else examples.w[rows] > 0
        if not np.isfinite(run.losses[counting]).all():
            return rows
    return None
