"""What the poolings have in common: windows whose inputs become one number for every channel."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from nnctl.component import option, section
from nnctl.errors import Problem, SpecError
from nnctl.layers import ROWS, Array, Inputs, Layer, Plan, Scratch, Shape, Slot
from nnctl.layers.windows import Axis, Padding, Size, sliding, taps


@section
class Pooling(Layer):
    """Pooling over one or two axes, the channels last. What lies in the padding counts for nothing.

    Every tap of the window gives an array of its own, for all rows, places and channels at once.
    """

    size: Size = option(ge=1, help="Size of the window: one number, or one for rows and one for columns.")
    stride: Size | None = option(default=None, ge=1, help="Steps between two windows; likewise. Null: the size.")
    padding: Padding = option(
        default="valid",
        ge=0,
        help="Places added around the input: valid (none), same (ceil(inputs / stride) outputs), or so many.",
    )

    dimensions: ClassVar[int]

    transparent = True

    def axes(self, inputs: Inputs) -> tuple[Axis, ...]:
        """The axes between batch and channels. Raises SpecError if the input has others, or the window does not fit."""
        stride = self.size if self.stride is None else self.stride
        axes = sliding(inputs.shape, self.dimensions, self.size, stride, padding=self.padding)
        if any(axis.before >= axis.window for axis in axes):
            message = f"must be smaller than the size {self.size}, got {self.padding}: a window would hold no input"
            raise SpecError(Problem(message, "padding"))
        return axes

    def plan(self, inputs: Inputs) -> Plan:
        axes = self.axes(inputs)
        output = (*(axis.places for axis in axes), inputs.shape[-1])
        return Plan(output, scratch=self.scratch(axes, output))

    def scratch(self, axes: tuple[Axis, ...], output: Shape) -> dict[str, Scratch]:
        """Working arrays."""
        return {}

    def bind(self, s: Slot) -> None:
        s.taps = [
            SimpleNamespace(places=places, x=s.x[inputs], y=s.y[places], dx=None if s.dx is None else s.dx[inputs])
            for places, inputs in taps(self.axes(s.inputs))
        ]


@section
class MaxPooling(Pooling):
    """The largest input of every window. The gradient goes to the first of equal ones, as in PyTorch."""

    takes_largest = True

    def scratch(self, axes: tuple[Axis, ...], output: Shape) -> dict[str, Scratch]:
        window = math.prod(axis.window for axis in axes)
        found = {
            "gates": Scratch((window, ROWS, *output), dtype=np.bool_),
            "taken": Scratch((ROWS, *output), dtype=np.bool_),
        }
        return found if _tile(axes) else {**found, "part": Scratch((ROWS, *output))}

    def bind(self, s: Slot) -> None:
        super().bind(s)
        s.tile = _tile(self.axes(s.inputs))
        s.whole = all(tap.y.shape == s.y.shape for tap in s.taps)  # no window overhangs the inputs
        s.first, s.last, s.others = s.taps[0], s.taps[-1], s.taps[1:-1] if s.whole else s.taps
        for number, tap in enumerate(s.taps):
            tap.gate, tap.taken = s.gates[(..., number, slice(None), *tap.places[1:])], s.taken[tap.places]
            if s.dx is not None:
                tap.dy, tap.part = s.dy[tap.places], tap.dx if s.tile else s.part[tap.places]

    def forward(self, s: Slot) -> None:
        if s.whole:
            np.maximum(s.first.x, s.last.x, out=s.y)
        else:
            s.y.fill(-math.inf)
        for tap in s.others:
            np.maximum(tap.y, tap.x, out=tap.y)
        if s.training:
            s.taken.fill(False)
            for tap in s.taps:
                np.equal(tap.x, tap.y, tap.gate)
                np.greater(tap.gate, tap.taken, tap.gate)
                np.logical_or(tap.gate, tap.taken, tap.taken)

    def backward(self, s: Slot) -> None:
        if not s.tile:
            s.dx.fill(0.0)
        for tap in s.taps:
            np.multiply(tap.dy, tap.gate, tap.part)
            if not s.tile:
                np.add(tap.dx, tap.part, tap.dx)


@section
class AvgPooling(Pooling):
    """The mean of the inputs in every window.

    As in Keras it is taken over the inputs alone where a window overhangs them; PyTorch counts the padding as zeros
    unless told not to.
    """

    def bind(self, s: Slot) -> None:
        super().bind(s)
        s.share = np.asarray(1 / _inputs_met(self.axes(s.inputs)), s.dtype)

    def forward(self, s: Slot) -> None:
        s.y.fill(0.0)
        for tap in s.taps:
            np.add(tap.y, tap.x, tap.y)
        np.multiply(s.y, s.share, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.share, s.y)
        s.dx.fill(0.0)
        for tap in s.taps:
            np.add(tap.dx, tap.y, tap.dx)


def _tile(axes: tuple[Axis, ...]) -> bool:
    """Whether every input lies in exactly one window."""
    return all(axis.stride == axis.window and axis.places * axis.stride >= axis.before + axis.size for axis in axes)


def _inputs_met(axes: tuple[Axis, ...]) -> Any:
    """The number of inputs in every window: one number where it is the same everywhere, else (*places, 1)."""
    met: Array = np.zeros((*(axis.places for axis in axes), 1))
    for places, _ in taps(axes):
        met[places] += 1
    return met.max() if met.max() == met.min() else met
