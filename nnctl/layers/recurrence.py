"""What the recurrent layers have in common: a state that every step takes from the one before."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from nnctl.component import option, section
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer
from nnctl.initializers.glorot_uniform import GlorotUniform
from nnctl.initializers.orthogonal import Orthogonal
from nnctl.initializers.zeros import Zeros
from nnctl.layers import ROWS, Array, Inputs, Layer, Parameter, Plan, Scratch, Slot

WAYS = ("", "_reverse")  # endings of the parameters' names: forward in time, and from the last step to the first


@section
class Recurrence(Layer):
    """A cell that is run over the steps of a sequence, each time with its own last output h beside the input.

    Inside, the batch is the last axis: the blocks of gates of one step are then stretches of memory. Step t works on
    the column ``told = [h; 1; x_t]``, so that a step is one product, ``sums = [R; b; W]' told``, and so are, after
    the last step, the gradients of all three. In both directions, a further axis in front of the steps holds the two
    ways: they run at the same time, one of them on the steps in reverse order.

    A cell's gates have the places 0 .. G - 1 in its parameters. Among the sums, gate k takes what comes from h in
    block ``from_state[k]`` and what comes from x (and its bias) in block ``from_input[k]``.
    """

    units: int = option(ge=1, help="Number of outputs U of each direction.")
    return_sequences: bool = option(default=False, help="Give the outputs of all steps, not only of the last one.")
    bidirectional: bool = option(default=False, help="Run a second cell over the steps in reverse, and join both.")
    init: Initializer = option(default_factory=GlorotUniform, help="Initializer of the input weights W.")
    recurrent_init: Initializer = option(default_factory=Orthogonal, help="Initializer of the recurrent weights R.")

    example_input = (4, 3)
    from_state: ClassVar[tuple[int, ...]] = (0,)
    from_input: ClassVar[tuple[int, ...]] = (0,)
    sigmoids: ClassVar[tuple[int, ...]] = ()  # blocks under a sigmoid, which is computed as (1 + tanh(sum / 2)) / 2

    def plan(self, inputs: Inputs) -> Plan:
        if len(inputs.shape) != 2:
            message = f"needs steps and features, got the shape {inputs.shape}"
            raise SpecError(Problem(f"{message}: put `{{type: reshape, shape: [steps, features]}}` in front"))
        steps, features = inputs.shape
        width = len(self._ways) * self.units
        return Plan(
            (steps, width) if self.return_sequences else (width,),
            parameters={
                f"{name}{way}": parameter for way in self._ways for name, parameter in self.parameters(features).items()
            },
            scratch=self._shared(steps, features) | self.scratch(steps),
        )

    def parameters(self, features: int) -> dict[str, Parameter]:
        """Those of one direction."""
        units, width = self.units, len(self.from_input) * self.units
        return {
            "W": Parameter((features, width), self.init, features, width),
            "R": Parameter((units, width), self.recurrent_init, units, width),
            "b": Parameter((width,), self.bias_init(), features, width, decay=False),
        }

    def bias_init(self) -> Initializer:
        return Zeros()

    def scratch(self, steps: int) -> dict[str, Scratch]:
        """Working arrays of the cell."""
        return {}

    def per_way(self, *shape: int, fill: float | None = None) -> Scratch:
        """A working array that each direction has one of."""
        return Scratch((2, *shape) if self.bidirectional else shape, fill)

    def per_step(self, steps: int, *shape: int) -> Scratch:
        """A working array for every step; in evaluation one that all steps take."""
        return replace(self.per_way(steps, *shape), evaluation=self.per_way(1, *shape).shape)

    def for_training(self, *shape: int) -> Scratch:
        """A working array of the backward pass."""
        return replace(self.per_way(*shape), evaluation=(0,))

    def _shared(self, steps: int, features: int) -> dict[str, Scratch]:
        rows, columns = self.units + 1 + features, self.units * (1 + max(self.from_state + self.from_input))
        arrays = {
            "told": self.per_way(steps + 1, rows, ROWS),
            "told_by_row": self.for_training(rows, steps, ROWS),
            "sums": self.per_step(steps, columns, ROWS),
            "sums_by_row": self.for_training(columns, steps, ROWS),
            "weights": self.per_way(rows, columns, fill=0.0),  # blocks that no gate takes stay 0
            "halved": self.per_way(rows, columns),
            "dweights": self.for_training(rows, columns),
            "dh": self.for_training(self.units, ROWS),
        }
        if self.return_sequences:
            arrays["dhs"] = self.for_training(steps, self.units, ROWS)
        if self.bidirectional:
            arrays["dx_reverse"] = Scratch((ROWS, steps, features), evaluation=(0,))
        return arrays

    def bind(self, s: Slot) -> None:
        units, steps = self.units, s.x.shape[-2]
        s.times = s.products if self.bidirectional else s.product
        s.half = s.constant(0.5)
        s.halves = np.ones(s.weights.shape[-1], s.dtype)
        for block in self.sigmoids:
            s.halves[self.block(block)] = s.half
        s.start, s.ones = s.told[..., 0, :units, :], s.told[..., units, :]
        s.packing, s.fed, s.given = [], [], []
        for way, ending in enumerate(self._ways):
            s.packing += self.links(s.p, ending, self._of_way(s, s.weights, way))
            told = self._of_way(s, s.told, way)
            s.fed.append((_in_time(s.x, way), np.moveaxis(told[..., :steps, units + 1 :, :], -1, -3)))
            outputs = np.moveaxis(told[..., 1:, :units, :], -1, -3)  # (*K, B, T, U)
            s.given.append((outputs if self.return_sequences else outputs[..., -1, :], self._half(s.y, way)))
        self.bind_cell(s)
        s.steps = [self.forward_step(s, t) for t in range(steps)]
        if s.training:
            self._bind_backward(s, steps)
            s.steps_back = [self.backward_step(s, t) for t in reversed(range(steps))]

    def _bind_backward(self, s: Slot, steps: int) -> None:
        units, span = self.units, self._span(self.from_input)
        s.recurrent = s.weights[..., :units, self._span(self.from_state)]
        s.told_steps, s.sums_steps = s.told[..., :steps, :, :].swapaxes(-3, -2), s.sums.swapaxes(-3, -2)
        s.told_matrix = s.told_by_row.reshape(*s.told_by_row.shape[:-2], -1)
        s.sums_matrix = s.sums_by_row.reshape(*s.sums_by_row.shape[:-2], -1).mT
        s.taken = [copy for way in range(len(self._ways)) for copy in self._copies_of_dy(s, steps, way)]
        s.dh_of = [s.dhs[..., t, :, :] for t in range(steps)] if self.return_sequences else []
        s.unpacking, s.passed_on = [], []
        for way, ending in enumerate(self._ways):
            s.unpacking += self.links(s.g, ending, self._of_way(s, s.dweights, way))
            if s.dx is not None:
                dsums = self._of_way(s, s.sums, way)[..., span, :].mT  # (*K, T, B, columns)
                weights = self._of_way(s, s.weights, way)[..., None, units + 1 :, span].mT
                dx = _in_time(s.dx_reverse if way else s.dx, way).swapaxes(-3, -2)
                s.passed_on.append((dsums, weights, dx))

    def _copies_of_dy(self, s: Slot, steps: int, way: int) -> list[tuple[Array, Array]]:
        """For sequences, first step by step, in memory that is free till then: the steps of dy may lie so that few of
        them fit into a cache at a time, and then a transposition from there takes five times as long.
        """
        half = self._half(s.dy, way)
        if not self.return_sequences:
            return [(half, self._of_way(s, s.dh, way).mT)]
        free = self._of_way(s, s.sums_by_row, way)[..., : self.units, :, :]
        by_step = free.reshape(*s.members, steps, s.rows, self.units)
        return [(half.swapaxes(-3, -2), by_step), (by_step.mT, self._of_way(s, s.dhs, way))]

    def bind_cell(self, s: Slot) -> None:
        """Keep views of the cell's own working arrays."""

    def forward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        """The views that step t works on."""
        raise NotImplementedError

    def backward_step(self, s: Slot, t: int) -> tuple[Any, ...]:
        """The views that step t works on in the backward pass."""
        raise NotImplementedError

    def at(self, s: Slot, array: Array, t: int) -> Array:
        """What a working array holds of step t; in evaluation all steps take the same place."""
        return array[..., t if s.training else 0, :, :]

    def product_of(self, s: Slot, t: int) -> tuple[Array, Array]:
        """The factors of step t's sums. The first h is 0 and is left out."""
        first = self.units if t == 0 else 0
        weights = s.halved if self.sigmoids else s.weights
        return weights[..., first:, :].mT, s.told[..., t, first:, :]

    def block(self, first: int, last: int | None = None) -> slice:
        """The rows of a block of the sums, or of all blocks from one to another."""
        return slice(first * self.units, (1 + (first if last is None else last)) * self.units)

    def read_inputs(self, s: Slot) -> None:
        """Pack the parameters and write x and the ones into every ``told``."""
        for parameter, packed in s.packing:
            np.copyto(packed, parameter)
        if self.sigmoids:
            np.multiply(s.weights, s.halves, s.halved)
        for source, target in s.fed:
            np.copyto(target, source)
        np.copyto(s.ones, s.one)
        np.copyto(s.start, s.zero)

    def write_output(self, s: Slot) -> None:
        for source, target in s.given:
            np.copyto(target, source)

    def read_gradient(self, s: Slot) -> None:
        """Leave the gradient of the last h in ``s.dh``; for a sequence that of every output in ``s.dhs``."""
        for source, target in s.taken:
            np.copyto(target, source)
        if self.return_sequences:
            np.copyto(s.dh, s.dh_of[-1])

    def pass_back(self, s: Slot, dsums: Array, t: int) -> None:
        """From the gradient of step t's sums leave that of the h before in ``s.dh``."""
        s.times(s.recurrent, dsums, s.dh)
        if self.return_sequences:
            np.add(s.dh, s.dh_of[t - 1], s.dh)

    def write_gradients(self, s: Slot) -> None:
        """From the gradients of the sums, which lie in ``s.sums``, those of the parameters and of the input."""
        np.copyto(s.told_by_row, s.told_steps)
        np.copyto(s.sums_by_row, s.sums_steps)
        s.times(s.told_matrix, s.sums_matrix, s.dweights)
        for gradient, packed in s.unpacking:
            np.copyto(gradient, packed)
        for dsums, weights, dx in s.passed_on:
            s.products(dsums, weights, dx)
        if self.bidirectional and s.dx is not None:
            np.add(s.dx, s.dx_reverse, s.dx)

    def links(self, p: SimpleNamespace, way: str, weights: Array) -> list[tuple[Array, Array]]:
        """Parameters of one direction, and the parts of ``[R; b; W]`` that they are."""
        W, R, b = (getattr(p, f"{name}{way}") for name in ("W", "R", "b"))
        h, x = self.units, self.units + 1
        found = []
        for gate, (state, fed) in enumerate(zip(self.from_state, self.from_input, strict=True)):
            own = self.block(gate)
            found.append((R[..., own], weights[..., :h, self.block(state)]))
            found.append((b[..., own], weights[..., h, self.block(fed)]))
            found.append((W[..., own], weights[..., x:, self.block(fed)]))
        return found

    @property
    def _ways(self) -> tuple[str, ...]:
        return WAYS if self.bidirectional else WAYS[:1]

    def _of_way(self, s: Slot, array: Array, way: int) -> Array:
        """One direction's part of a working array."""
        return array[(slice(None),) * len(s.members) + (way,)] if self.bidirectional else array

    def _half(self, y: Array, way: int) -> Array:
        """One direction's half of the outputs; those of a sequence in the order in which it makes them."""
        half = y[..., self.block(way)]
        return _in_time(half, way) if self.return_sequences else half

    def _span(self, blocks: tuple[int, ...]) -> slice:
        return self.block(min(blocks), max(blocks))


def _in_time(x: Array, way: int) -> Array:
    """A sequence (*K, B, T, D) in the order in which a direction reads it."""
    return x[..., ::-1, :] if way else x
