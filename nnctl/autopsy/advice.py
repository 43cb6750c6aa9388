"""What to try, chosen by what was found."""

from __future__ import annotations

import math

import numpy as np

from nnctl.autopsy.examination import Found
from nnctl.autopsy.rows import Row, Rows
from nnctl.autopsy.scene import Scene
from nnctl.autopsy.wording import code
from nnctl.component import options
from nnctl.data.features import NumberFeature
from nnctl.preparing.preparation import Prepared
from nnctl.spec.problems import format_key
from nnctl.training.trainer import Trainer
from nnctl.transforms.none import NoScaling

LARGE_INPUT = 50.0  # in standard deviations, or whatever else the scale makes of a feature
LARGE_TARGET = 1e3
STEEP = 100.0  # norm of a gradient
HUGE_WEIGHT = 1e6  # that no network learns: what it makes of the rows needs no other precision
ROOM = 1e30  # a size from which on squares do not fit into float32


def advice(trainer: Trainer, prepared: Prepared, scene: Scene, found: Found, rows: Rows) -> list[str]:
    """Sentences, the most promising first; at least one."""
    return [
        *_inputs(prepared, rows),
        *_targets(trainer, rows),
        *_learning_rate(trainer, scene),
        *_clip(trainer, scene, found),
        *_precision(trainer, found),
        *_going_back(trainer, scene),
    ] or [
        "No step was taken, and no number of the batch is unusual: look at the initial weights "
        "(`init` of the layers) and at the layer that is named above."
    ]


def _inputs(prepared: Prepared, rows: Rows) -> list[str]:
    """One sentence for each feature that reaches far."""
    worst: dict[str, Row] = {}
    for row in rows.extreme:
        if row.size > LARGE_INPUT and (row.column not in worst or worst[row.column].size < row.size):
            worst[row.column] = row
    return [_scale(prepared, row, rows.unit) for row in worst.values()]


def _scale(prepared: Prepared, row: Row, unit: str) -> str:
    where = "" if row.line is None else f" ({unit} {row.line})"
    start = f"The feature {code(row.column)} reaches {row.size:.3g} after scaling{where}: "
    feature = next((each for each in prepared.features.columns if each.name == row.column), None)
    if not isinstance(feature, NumberFeature):
        return f"{start}leave it out with `data.drop`, or encode it in another way."
    key = format_key(("data", "columns", row.column))
    if isinstance(feature.scaler, NoScaling):
        return f"{start}it is not scaled at all; write {code(f'{key}: {{scale: standardize}}')}."
    bounded = code(f"{key}: {{scale: robust, clip: [-10, 10]}}")
    return f"{start}correct the cell if it is wrong, else bound it, {bounded}."


def _targets(trainer: Trainer, rows: Rows) -> list[str]:
    scaler, size = trainer.job.target.scaler, max((row.target for row in rows.extreme), default=0.0)
    if size <= LARGE_TARGET:
        return []
    start = f"The targets reach {size:.3g}: "
    if isinstance(scaler, NoScaling) and not trainer.job.loss.keeps_zero:
        return [f"{start}write `data.target_scale: standardize`; predictions come in the old units all the same."]
    return [f"{start}if that is no mistake, a loss that grows slower, such as `loss.type: huber`, bears it."]


def _learning_rate(trainer: Trainer, scene: Scene) -> list[str]:
    """A tenth of the learning rate, or the usual one; of no use where no step was taken."""
    if not scene.fault.step:
        return []
    optimizer = trainer.job.optimizer
    lr = optimizer.lr * trainer.progress.rate
    smaller = min(lr / 10, options(type(optimizer))["lr"].default)
    return [f"Smaller steps: `optimizer.lr={smaller:.3g}` (it was {lr:.3g}), or `schedule.warmup=0.05`."]


def _clip(trainer: Trainer, scene: Scene, found: Found) -> list[str]:
    optimizer = trainer.job.optimizer
    norm = math.hypot(*(each.norm for each in found.gradients.values() if math.isfinite(each.norm)))
    lost = any(each.lost for each in found.gradients.values())
    if optimizer.clip.norm is not None or optimizer.evaluates or not (lost or norm > STEEP) or not scene.fault.step:
        return []
    return ["Bounded steps: `optimizer.clip.norm=1` keeps a steep gradient from throwing the weights far away."]


def _precision(trainer: Trainer, found: Found) -> list[str]:
    sizes = [
        max(abs(each.low), abs(each.high))
        for each in (*found.outputs.values(), *found.gradients.values())
        if math.isfinite(each.low)
    ]
    weights = max((max(abs(each.low), abs(each.high)) for each in found.weights.values()), default=0.0)
    if trainer.arena.dtype != np.float32 or max(sizes, default=0.0) < math.sqrt(ROOM) or weights > HUGE_WEIGHT:
        return []
    return [
        "Numbers beyond 3e38 do not fit into float32: if such sizes are meant, `model.dtype=float64` has room for them."
    ]


def _going_back(trainer: Trainer, scene: Scene) -> list[str]:
    if trainer.job.on_nan == "rollback" or not scene.fault.step:
        return []
    return ["Let training go back to the best weights by itself, at half the learning rate: `train.on_nan=rollback`."]
