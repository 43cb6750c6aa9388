"""One chain of layers in the buffers of a workspace: their slots, and the way through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnctl.layers import ROWS, Shape, Slot
from nnctl.network.buffers import gradient_buffers, output_buffers
from nnctl.network.members import stacked_options
from nnctl.network.network import Node
from nnctl.network.order import in_order

if TYPE_CHECKING:
    from nnctl.network.workspace import Workspace

Array = NDArray[Any]
Run = Callable[[Any], None]  # a layer's or loss's forward or backward, to which its slot is given
Steps = list[tuple[Run, Any]]
Product = Callable[[Array, Array, Array], Array]
Look = Callable[[Node, Slot, str], None]  # at a node and its slot, after its "forward" or "backward"


class Timer(Protocol):
    """Measures the steps of passes: each method gives what is to run in the place of what it gets."""

    def layer(self, node: Node, way: str, run: Run) -> Run: ...
    def loss(self, way: str, run: Callable[..., Any]) -> Callable[..., Any]: ...
    def product(self, product: Product) -> Product: ...


class ChainPass:
    """A pass over a number of rows through one chain, ``level`` composites deep.

    ``forward`` reads x and leaves y. ``backward`` reads dy and leaves the gradient of the parameters, and dx, which
    is None unless it is wanted: no layer before the first one that learns runs backward then.
    """

    def __init__(
        self, space: Workspace, nodes: Sequence[Node], x: Array, rows: int, *, level: int, wants_dx: bool
    ) -> None:
        self.space, self.rows, self.level = space, rows, level
        nodes = in_order(nodes)
        self.nodes, self.x = nodes, x
        self.outputs = output_buffers(nodes, level, training=space.training)
        self.gradients = gradient_buffers(nodes, level)
        first = 0 if wants_dx else next((i for i, node in enumerate(nodes) if node.learns), len(nodes))
        slots: list[Slot] = []
        for place in range(len(nodes)):
            slots.append(self._slot(place, slots[-1].y if slots else x, wants_dx=wants_dx or place > first))
        self.y = slots[-1].y if slots else x
        self.dy = self._gradient(len(nodes), x.shape[1 + len(space.arena.members) :]) if space.training else None
        self.dx = (slots[0].dx if slots else self.dy) if wants_dx else None
        self.onward: Steps = [(node.layer.forward, slot) for node, slot in zip(nodes, slots, strict=True)]
        self.back: Steps = [
            (nodes[place].layer.backward, slots[place]) for place in range(len(nodes) - 1, first - 1, -1)
        ]

    def forward(self) -> None:
        for run, slot in self.onward:
            run(slot)

    def backward(self) -> None:
        for run, slot in self.back:
            run(slot)

    def watch(self, look: Look) -> None:
        """From now on, look at every layer right after it has run; at those inside another one before that one."""
        self.wrap(lambda node, way, run: partial(_watched, run, look, node, way))

    def wrap(self, around: Callable[[Node, str, Run], Run]) -> None:
        """From now on, run what ``around`` gives for every layer and way, also for the layers inside others."""
        for place, (run, slot) in enumerate(self.onward):
            self.onward[place] = (around(self.nodes[place], "forward", run), slot)
            for chain in slot.chains:
                chain.wrap(around)
        for place, (run, slot) in enumerate(self.back):
            self.back[place] = (around(self.nodes[-1 - place], "backward", run), slot)

    def _slot(self, place: int, x: Array, *, wants_dx: bool) -> Slot:
        space, node = self.space, self.nodes[place]
        arena, carve = space.arena, space.memory.carve
        s = Slot()
        share(s, space, self.rows)
        s.rng, s.inputs = space.streams, node.inputs
        s.o = stacked_options(node.layers, arena.members, 1 + len(node.inputs.shape), arena.dtype)
        s.x, s.dx = x, None
        over_x = place > 0 and self.outputs[place] == self.outputs[place - 1]
        same = node.plan.output == node.inputs.shape
        s.y = x if over_x and same else carve(self.outputs[place], (ROWS, *node.plan.output), self.rows)
        if space.training:
            s.dy = self._gradient(place + 1, node.inputs.shape)
            if wants_dx:
                over_dy = node.layer.overwrites_dy and same
                s.dx = s.dy if over_dy else carve(self.gradients[place], (ROWS, *node.inputs.shape), self.rows)
        s.p = _views(node, arena.named(arena.theta), node.plan.parameters)
        s.g = _views(node, arena.named(arena.grad), node.plan.parameters)
        s.stats = _views(node, arena.named_statistics(), node.plan.statistics)
        for name, scratch in node.plan.scratch.items():
            shape = scratch.shape_in(training=space.training)
            setattr(s, name, carve(f"{node.name}.{name}", shape, self.rows))
        s.chains = tuple(
            ChainPass(space, chain, s.x, self.rows, level=self.level + 1, wants_dx=wants_dx) for chain in node.chains
        )
        node.layer.bind(s)
        return s

    def _gradient(self, place: int, input_shape: Shape) -> Array:
        """The gradient of what the node before that place gives; of the chain's input before the first one."""
        shape = self.nodes[place - 1].plan.output if place else input_shape
        return self.space.memory.carve(self.gradients[place], (ROWS, *shape), self.rows)


def share(s: Any, space: Workspace, rows: int) -> None:
    """Give a slot what those of layers and losses have in common."""
    s.rows, s.training, s.members, s.dtype = rows, space.training, space.arena.members, space.arena.dtype
    s.zero, s.one = s.constant(0), s.constant(1)
    s.per_row = s.constant(1 / rows)
    # The method skips the broadcasting of matmul and the dispatch of np.dot: small products take a third of the time.
    s.product, s.products = np.matmul if s.members else np.ndarray.dot, np.matmul
    if space.timer is not None:
        s.product, s.products = space.timer.product(s.product), space.timer.product(s.products)


def _watched(run: Callable[[Slot], None], look: Look, node: Node, way: str, slot: Slot) -> None:
    run(slot)
    look(node, slot, way)


def _views(node: Node, views: dict[str, Array], names: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: views[f"{node.name}.{name}"] for name in names})
