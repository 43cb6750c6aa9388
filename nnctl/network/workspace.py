"""Scratch: the buffers for one network and one batch size, and the passes that run in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.layers import ROWS, Shape, Slot
from nnctl.losses import Loss
from nnctl.network.arena import Arena
from nnctl.network.buffers import Memory, gradient_buffers, output_buffers
from nnctl.network.chain import ChainPass, Look, Steps, Timer, share
from nnctl.network.members import Streams, stacked_options
from nnctl.network.network import Network, Node
from nnctl.network.order import in_order
from nnctl.network.weighing import Weighing

Array = NDArray[Any]

FEW = 128  # losses whose sum the rounding of float32 leaves seven digits of
ONES = {np.dtype(dtype).char: np.ones(FEW, dtype) for dtype in (np.float32, np.float64)}


class Workspace:
    """The buffers to run a network on up to ``rows`` rows at a time.

    For training, what some backward reads is kept and the gradients of activations alternate between two buffers;
    for evaluation two buffers serve all activations. ``at`` gives a pass over a number of rows: a smaller one (the
    ragged last batch) carves contiguous views of its own out of the same memory.

    ``losses`` holds the loss of every member (one for a single network). ``weighted`` says that rows have weights.
    A ``timer`` measures the passes that are made once it is there, in evaluation their matrix products alone.
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
        weighted: bool = False,
    ) -> None:
        self.network, self.losses, self.arena, self.weighted = network, losses, arena, weighted
        self.training, self.streams, self.input_gradient = training, streams, input_gradient
        self.memory = memory_for(network, losses[0], rows, dtype=arena.dtype, training=training, weighted=weighted)
        self.timer: Timer | None = None
        self._passes: dict[int, Pass] = {}

    def at(self, rows: int) -> Pass:
        """The pass over so many rows, made on the first call."""
        if rows not in self._passes:
            if not 0 < rows <= self.memory.rows:
                raise ValueError(f"a workspace for {self.memory.rows} rows cannot hold {rows}")
            self._passes[rows] = self.new(rows)
        return self._passes[rows]

    def new(self, rows: int, part: Part | None = None) -> Pass:
        """A further pass over so many rows, in the same memory."""
        run = Pass(self, rows, part)
        if self.timer is not None and self.training:
            run.time(self.timer)
        return run


def memory_for(
    network: Network, loss: Loss, rows: int, *, dtype: Any, training: bool, weighted: bool = False
) -> Memory:
    """The buffers of a workspace; nothing is allocated before it is used."""
    memory = Memory(network.members, rows, np.dtype(dtype))
    score = (ROWS, *network.output)
    shapes: dict[str, list[Shape]] = {"x": [(ROWS, *network.input)], "losses": [(ROWS,)]}
    shapes["t"] = [_target_shape(loss, network)]
    if weighted:
        shapes |= {"w": [(ROWS,)], "factor": [(ROWS, 1)]}
    if not training:
        shapes["dy"] = [score]  # some losses work in it
    _list_buffers(network.nodes, network.input, 0, shapes, training=training)
    for node in network.walk():
        for name, scratch in node.plan.scratch.items():
            shape = scratch.shape_in(training=training)
            memory.reserve(f"{node.name}.{name}", [shape], scratch.dtype, scratch.fill)
    for name, shape in loss.scratch(network.output[-1]).items():
        memory.reserve(f"loss.{name}", [shape])
    for name, wanted in shapes.items():
        memory.reserve(name, wanted)
    return memory


def _list_buffers(
    nodes: Sequence[Node], input_shape: Shape, level: int, shapes: dict[str, list[Shape]], *, training: bool
) -> None:
    """Add the shapes that a chain, and those inside it, keep in every buffer."""
    nodes = in_order(nodes)
    if training:
        ends = [input_shape, *(node.plan.output for node in nodes)]
        for name, shape in zip(gradient_buffers(nodes, level), ends, strict=True):
            shapes.setdefault(name, []).append((ROWS, *shape))
    for name, node in zip(output_buffers(nodes, level, training=training), nodes, strict=True):
        shapes.setdefault(name, []).append((ROWS, *node.plan.output))
        for chain in node.chains:
            _list_buffers(chain, node.inputs.shape, level + 1, shapes, training=training)


def loss_sum(losses: Array) -> float:
    """The sum of the losses (N,) of a single network: of few by a product with ones, of many in float64.

    The product takes a fifth of the time of a sum that has to convert what it adds up.
    """
    if losses.size <= FEW:
        return float(losses.dot(ONES[losses.dtype.char][: losses.size]))
    return float(np.add.reduce(losses, dtype=np.float64))


def loss_sums(losses: Array) -> Array:
    """The sum of each member's losses (K, B), to the bits that ``loss_sum`` gives: (K,) in float64."""
    if losses.shape[-1] <= FEW:
        sums: Array = np.vecdot(losses, ONES[losses.dtype.char][: losses.shape[-1]])
        return sums.astype(np.float64)
    return np.array([loss_sum(own) for own in losses])


class Part(NamedTuple):
    """Where the rows of a pass stand in a larger batch, of whose mean loss they compute their share.

    Shapes: w (B,) the weights of all rows of the batch, where they have any
    """

    batch: int  # the number of all rows B
    w: Any
    start: int


class Pass:
    """One pass forward and backward over a fixed number of rows.

    Write the batch to ``x`` (*K, B, *I) and ``t`` (*K, B, T), and the weights of its rows, where they have any, to
    ``w`` (*K, B). Then call ``forward``, which leaves the scores in ``scores`` and the loss of every row, times its
    weight, in ``losses`` (*K, B), then ``backward``, which writes the arena's gradient.

    Where the rows are a ``part`` of a batch, the gradient is what they add to that of the batch, whose weights the
    part has: it has no ``w``.
    """

    def __init__(self, space: Workspace, rows: int, part: Part | None = None) -> None:
        network, carve = space.network, space.memory.carve
        self.rows = rows
        self.x = carve("x", (ROWS, *network.input), rows)
        self.t = carve("t", _target_shape(space.losses[0], network), rows)
        self.w: Any = carve("w", (ROWS,), rows) if space.weighted and part is None else None  # an array, or None
        self._chain = chain = ChainPass(space, network.nodes, self.x, rows, level=0, wants_dx=space.input_gradient)
        loss = _loss_slot(space, rows, chain, self.t, rows if part is None else part.batch)
        self.scores, self.losses = chain.y, loss.losses
        self.dx: Any = chain.dx
        self._stacked = bool(network.members)
        self._forward: Steps = [*chain.onward, (space.losses[0].forward, loss)]
        self._backward: Steps = [(space.losses[0].backward, loss), *chain.back]
        if space.weighted:
            of = Part(rows, self.w, 0) if part is None else part
            weighing = Weighing(loss, of.w, carve("factor", (ROWS, 1), rows), of.start)
            self._forward.append((weighing.forward, loss))
            self._backward.insert(1, (weighing.backward, loss))

    def forward(self) -> None:
        """From ``x`` and ``t`` to ``scores`` and ``losses``."""
        for run, slot in self._forward:
            run(slot)

    def score(self) -> None:
        """From ``x`` to ``scores``, where nobody asks for the loss."""
        self._chain.forward()

    def backward(self) -> None:
        """Write the gradient of ``loss_sum / weight`` to the arena's ``grad``. Once after each ``forward``."""
        for run, slot in self._backward:
            run(slot)

    def watch(self, look: Look) -> None:
        """From now on, look at every layer, also those inside others, right after it has run."""
        self._chain.watch(look)
        self._take_over()

    def time(self, timer: Timer) -> None:
        """From now on, let every layer and the loss run as the timer wants it."""
        self._chain.wrap(timer.layer)
        self._take_over()
        for way, steps, own in (
            ("forward", self._forward, slice(len(self._chain.onward), None)),
            ("backward", self._backward, slice(len(self._backward) - len(self._chain.back))),
        ):
            steps[own] = [(timer.loss(way, run), slot) for run, slot in steps[own]]
        vars(self)["loss_sum"] = timer.loss("forward", self.loss_sum)

    def _take_over(self) -> None:
        """Run the chain's steps as they are now."""
        chain = self._chain
        self._forward[: len(chain.onward)] = chain.onward
        self._backward[len(self._backward) - len(chain.back) :] = chain.back

    def loss_sum(self) -> Any:
        """The sum of the rows' losses: a number, or (K,) for a stack."""
        return loss_sums(self.losses) if self._stacked else loss_sum(self.losses)

    def weight(self) -> Any:
        """What ``loss_sum`` is to be divided by, the rows or the sum of their weights: a number, or (K,)."""
        return self.rows if self.w is None else np.add.reduce(self.w, -1, np.float64)


def _target_shape(loss: Loss, network: Network) -> Shape:
    """The shape of the targets of a batch."""
    return (ROWS, *network.output[:-1], loss.targets(network.output[-1]))


def _loss_slot(space: Workspace, rows: int, chain: ChainPass, targets: Array, batch: int) -> Slot:
    s, loss, width = Slot(), space.losses[0], space.network.output
    share(s, space, batch)
    s.o = stacked_options(space.losses, space.arena.members, 1 + len(width), space.arena.dtype)
    s.y, s.t = chain.y, targets
    s.losses = space.memory.carve("losses", (ROWS,), rows)
    s.dy = chain.dy if chain.dy is not None else space.memory.carve("dy", (ROWS, *width), rows)
    for name, shape in loss.scratch(width[-1]).items():
        setattr(s, name, space.memory.carve(f"loss.{name}", shape, rows))
    loss.bind(s)
    return s
