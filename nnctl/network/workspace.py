"""Scratch: the buffers for one network and one batch size, and the passes that run in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.layers import ROWS, Shape, Slot
from nnctl.losses import Loss
from nnctl.network.arena import Arena
from nnctl.network.buffers import Memory, gradient_buffers, output_buffers
from nnctl.network.members import Streams, stacked_options
from nnctl.network.network import Network

Array = NDArray[Any]
Steps = list[tuple[Callable[[Any], None], Any]]


class Workspace:
    """The buffers to run a network on up to ``rows`` rows at a time.

    For training, what some backward reads is kept and the gradients of activations alternate between two buffers;
    for evaluation two buffers serve all activations. ``at`` gives a pass over a number of rows: a smaller one (the
    ragged last batch) carves contiguous views of its own out of the same memory.

    ``losses`` holds the loss of every member (one for a single network).
    """

    def __init__(
        self,
        network: Network,
        losses: Sequence[Loss],
        arena: Arena,
        rows: int,
        *,
        training: bool,
        streams: Streams | None = None,
        input_gradient: bool = False,
    ) -> None:
        self.network, self.losses, self.arena = network, losses, arena
        self.training, self.streams, self.input_gradient = training, streams, input_gradient
        # No layer before the first one with parameters needs to run backward.
        self.first = 0 if input_gradient else next(i for i, node in enumerate(network.nodes) if node.plan.parameters)
        self.outputs = output_buffers(network, training=training)
        self.gradients = gradient_buffers(network)
        self.memory = Memory(arena.members, rows, arena.dtype)
        self._reserve()
        self._passes: dict[int, Pass] = {}

    def at(self, rows: int) -> Pass:
        """The pass over so many rows, made on the first call."""
        if rows not in self._passes:
            if not 0 < rows <= self.memory.rows:
                raise ValueError(f"a workspace for {self.memory.rows} rows cannot hold {rows}")
            self._passes[rows] = Pass(self, rows)
        return self._passes[rows]

    def _reserve(self) -> None:
        """Allocate every buffer once, for the full number of rows."""
        network, memory = self.network, self.memory
        score = (ROWS, *network.output)
        shapes: dict[str, list[Shape]] = {"x": [(ROWS, *network.input)], "t": [score], "losses": [(ROWS,)]}
        shapes[self.gradients[-1]] = [score]
        for place, node in enumerate(network.nodes):
            shapes.setdefault(self.outputs[place], []).append((ROWS, *node.plan.output))
            if self.training:
                shapes.setdefault(self.gradients[place], []).append((ROWS, *node.inputs.shape))
                shapes.setdefault(self.gradients[place + 1], []).append((ROWS, *node.plan.output))
            for name, scratch in node.plan.scratch.items():
                memory.reserve(f"{node.name}.{name}", [scratch.shape], scratch.dtype, scratch.fill)
        for name, shape in self.losses[0].scratch(network.output[-1]).items():
            memory.reserve(f"loss.{name}", [shape])
        for name, wanted in shapes.items():
            memory.reserve(name, wanted)


class Pass:
    """One pass forward and backward over a fixed number of rows.

    Write the batch to ``x`` (*K, B, *I) and ``t`` (*K, B, O), then call ``forward``, which leaves the scores in
    ``scores`` and the loss of every row in ``losses`` (*K, B), then ``backward``, which writes the arena's gradient.
    """

    def __init__(self, space: Workspace, rows: int) -> None:
        nodes, carve = space.network.nodes, space.memory.carve
        self.rows = rows
        self.x = carve("x", (ROWS, *space.network.input), rows)
        self.t = carve("t", (ROWS, *space.network.output), rows)
        slots: list[Slot] = []
        for place in range(len(nodes)):
            slots.append(_layer_slot(space, place, rows, slots[-1].y if slots else self.x))
        loss = _loss_slot(space, rows, slots[-1].y, self.t)
        self.scores, self.losses = slots[-1].y, loss.losses
        self.dx: Any = slots[0].dx
        self._forward: Steps = [(node.layer.forward, slot) for node, slot in zip(nodes, slots, strict=True)]
        self._forward.append((space.losses[0].forward, loss))
        self._backward: Steps = [(space.losses[0].backward, loss)]
        for place in range(len(nodes) - 1, space.first - 1, -1):
            self._backward.append((nodes[place].layer.backward, slots[place]))

    def forward(self) -> None:
        """From ``x`` and ``t`` to ``scores`` and ``losses``."""
        for run, slot in self._forward:
            run(slot)

    def backward(self) -> None:
        """Write the gradient of the mean of ``losses`` to the arena's ``grad``. Once after each ``forward``."""
        for run, slot in self._backward:
            run(slot)

    def loss_sum(self) -> Any:
        """The sum of the rows' losses in float64: a number, or (K,) for a stack."""
        return np.add.reduce(self.losses, -1, np.float64)


def _common(s: Any, space: Workspace, rows: int) -> None:
    """What the slots of layers and losses share."""
    s.rows, s.training, s.members, s.dtype = rows, space.training, space.arena.members, space.arena.dtype
    s.zero, s.one = s.constant(0), s.constant(1)
    s.per_row = s.constant(1 / rows)
    # np.dot skips the broadcasting machinery of matmul: 10 % of a small step
    s.product = np.matmul if s.members else np.dot


def _layer_slot(space: Workspace, place: int, rows: int, x: Array) -> Slot:
    node, arena, carve = space.network.nodes[place], space.arena, space.memory.carve
    s = Slot()
    _common(s, space, rows)
    s.rng = space.streams
    s.o = stacked_options(space.network.layers_of(place), arena.members, 1 + len(node.inputs.shape), arena.dtype)
    s.x = x
    same_shape = node.plan.output == node.inputs.shape  # in another shape it is another view of the same memory
    in_place = same_shape and place > 0 and space.outputs[place] == space.outputs[place - 1]
    s.y = x if in_place else carve(space.outputs[place], (ROWS, *node.plan.output), rows)
    s.dx = None
    if space.training:
        s.dy = carve(space.gradients[place + 1], (ROWS, *node.plan.output), rows)
        if place > space.first or space.input_gradient:
            in_place = same_shape and node.layer.overwrites_dy
            s.dx = s.dy if in_place else carve(space.gradients[place], (ROWS, *node.inputs.shape), rows)
    s.p = _views(node.name, arena.named(arena.theta), node.plan.parameters)
    s.g = _views(node.name, arena.named(arena.grad), node.plan.parameters)
    s.stats = _views(node.name, arena.named_statistics(), node.plan.statistics)
    for name, scratch in node.plan.scratch.items():
        setattr(s, name, carve(f"{node.name}.{name}", scratch.shape, rows))
    node.layer.bind(s)
    return s


def _loss_slot(space: Workspace, rows: int, scores: Array, targets: Array) -> Slot:
    s, loss, width = Slot(), space.losses[0], space.network.output
    _common(s, space, rows)
    s.o = stacked_options(space.losses, space.arena.members, 1 + len(width), space.arena.dtype)
    s.y, s.t = scores, targets
    s.losses = space.memory.carve("losses", (ROWS,), rows)
    s.dy = space.memory.carve(space.gradients[-1], (ROWS, *width), rows)
    for name, shape in loss.scratch(width[-1]).items():
        setattr(s, name, space.memory.carve(f"loss.{name}", shape, rows))
    loss.bind(s)
    return s


def _views(node: str, views: dict[str, Array], names: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: views[f"{node}.{name}"] for name in names})
