"""One batch, layer by layer: the first number that is not finite, and the sizes of all."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.autopsy.scene import Scene, prepared_pass
from nnctl.layers import Slot
from nnctl.network.network import Node
from nnctl.network.workspace import Pass
from nnctl.training.trainer import Trainer

Array = NDArray[Any]

BLOCK = 1 << 18  # numbers that are looked at together
DRAWS = 5  # of the random numbers in the network, where the batch is finite with the first

What = Literal["weights", "statistics", "output", "loss", "gradient", "nothing"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """How large the numbers of an array are; all but ``lost`` and ``count`` are said of the finite ones."""

    count: int
    lost: int  # numbers that are not finite
    low: float
    high: float
    mean: float  # of |x|
    norm: float


class First(NamedTuple):
    """What was not finite first, and in which layer; ``name`` is that of an array of it, or empty."""

    what: What
    layer: str = ""
    type: str = ""
    name: str = ""


@dataclass(slots=True, eq=False)
class Found:
    """What has been found. Layers stand in the order in which they run; those inside another one before it.

    Shapes: losses (B,), that of each row, times its weight where the network is learning.
    """

    first: First = field(default_factory=lambda: First("nothing"))
    types: dict[str, str] = field(default_factory=dict)  # of every layer
    outputs: dict[str, Numbers] = field(default_factory=dict)  # of every layer
    weights: dict[str, Numbers] = field(default_factory=dict)  # of every parameter
    gradients: dict[str, Numbers] = field(default_factory=dict)  # of every parameter, where there was a backward pass
    losses: Array = field(default_factory=lambda: np.zeros(0))
    redrawn: bool = False  # whether the random numbers of the network are others than those of the fault


def numbers(array: Array) -> Numbers:
    """How large the numbers of an array are."""
    flat = array.reshape(-1)
    count, low, high, total, squares = 0, math.inf, -math.inf, 0.0, 0.0
    for start in range(0, len(flat), BLOCK):
        block = flat[start : start + BLOCK]
        finite = block[np.isfinite(block)].astype(np.float64)
        if len(finite):
            count, low, high = count + len(finite), min(low, float(finite.min())), max(high, float(finite.max()))
            total, squares = total + float(np.abs(finite).sum()), squares + float(finite @ finite)
    if not count:
        return Numbers(len(flat), len(flat), math.nan, math.nan, math.nan, math.nan)
    return Numbers(len(flat), len(flat) - count, low, high, total / count, math.sqrt(squares))


def examine(trainer: Trainer, scene: Scene) -> Found:
    """Run the rows of the scene again and look at every layer; the trainer is left as it was, but for the gradient."""
    arena, dropping = trainer.arena, trainer.stepping.dropping
    stats, streams = arena.stats.copy(), dropping.state
    found = Found()
    for draw in range(DRAWS):
        before = dropping.state
        found = _look(trainer, scene)
        found.redrawn = dropping.state != before
        if found.first.what != "nothing" or not found.redrawn or draw + 1 == DRAWS:
            break
    arena.stats[...], dropping.state = stats, streams
    return found


def _look(trainer: Trainer, scene: Scene) -> Found:
    found = Found()
    run = prepared_pass(trainer, scene)
    lost: list[First] = []  # in the order of time

    def look(node: Node, slot: Slot, way: str) -> None:
        if way == "forward":
            found.types[node.name] = node.layer.name
            found.outputs[node.name] = numbers(slot.y)
            if found.outputs[node.name].lost:
                lost.append(First("output", node.name, node.layer.name))
            return
        for name in node.plan.parameters:
            gradient = found.gradients[f"{node.name}.{name}"] = numbers(getattr(slot.g, name))
            if gradient.lost:
                lost.append(First("gradient", node.name, node.layer.name, name))
        if slot.dx is not None and not np.isfinite(slot.dx).all():
            lost.append(First("gradient", node.name, node.layer.name))

    _weigh(trainer, scene, found, lost)
    run.watch(look)
    run.forward()
    found.losses = run.losses.astype(np.float64)
    if not np.isfinite(found.losses).all():
        lost.append(First("loss"))
    _go_back(run, scene)
    found.first = lost[0] if lost else found.first
    return found


def _weigh(trainer: Trainer, scene: Scene, found: Found, lost: list[First]) -> None:
    """Look at the weights and, where they are used, at the running statistics."""
    arena = trainer.arena if scene.learning else trainer.weights
    theta = arena.named(arena.theta)
    for node in trainer.job.network.walk():
        found.weights |= {f"{node.name}.{name}": numbers(theta[f"{node.name}.{name}"]) for name in node.plan.parameters}
    used: dict[What, dict[str, Array]] = {"weights": theta}
    if not scene.learning:
        used["statistics"] = arena.named_statistics()
    for what, arrays in used.items():
        for node in trainer.job.network.walk():
            own = node.plan.parameters if what == "weights" else node.plan.statistics
            bad = (name for name in own if not np.isfinite(arrays[f"{node.name}.{name}"]).all())
            lost += (First(what, node.name, node.layer.name, name) for name in bad)


def _go_back(run: Pass, scene: Scene) -> None:
    if scene.learning:
        run.backward()
