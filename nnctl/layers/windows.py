"""Windows that slide along the axes of a row: where they stand, and what each of their places meets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from nnctl.errors import Problem, SpecError
from nnctl.layers import Shape

Size = int | tuple[int, int]  # one number for every axis, or one for rows and one for columns
Padding = Literal["valid", "same"] | int
Index = Any  # a tuple of slices

AXES = {1: "steps and channels", 2: "rows, columns and channels"}


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of ``size`` inputs, and the window that slides along it."""

    size: int
    window: int
    stride: int
    dilation: int
    before: int  # zeros, or nothing at all, in front of the first input
    after: int

    @property
    def extent(self) -> int:
        """The number of inputs from the first to the last one in the window."""
        return (self.window - 1) * self.dilation + 1

    @property
    def padded(self) -> int:
        """The number of inputs, padding included."""
        return self.before + self.size + self.after

    @property
    def places(self) -> int:
        """The number of places that the window takes: one output each."""
        return (self.padded - self.extent) // self.stride + 1

    def meets(self, tap: int) -> tuple[slice, slice]:
        """The places at which that tap of the window lies on an input, and the inputs that it lies on."""
        offset = tap * self.dilation - self.before  # of the tap, when the window is at its first place
        first = max(0, -(offset // self.stride))
        count = max(0, min(self.places, (self.size - 1 - offset) // self.stride + 1) - first)
        start = first * self.stride + offset
        return slice(first, first + count), slice(start, start + count * self.stride, self.stride)


def sliding(
    shape: Shape, dimensions: int, window: Size, stride: Size, *, padding: Padding, dilation: Size = 1
) -> tuple[Axis, ...]:
    """The axes of a row of that shape, all but the last, with a window along each.

    ``same`` gives ceil(size / stride) places; where the padding is odd, the longer half is at the end.
    Raises: SpecError if the row has another number of axes, or the window does not fit.
    Source: TensorFlow's definition of ``same``, which PyTorch shares where the stride is 1.
    """
    if len(shape) != dimensions + 1:
        message = f"needs {AXES[dimensions]}, got the shape {shape}"
        raise SpecError(Problem(f"{message}: put `{{type: reshape, shape: {_other(shape, dimensions)}}}` in front"))
    along = zip(shape[:-1], *(each(value, dimensions) for value in (window, stride, dilation)), strict=True)
    axes = tuple(_axis(padding, *sizes) for sizes in along)
    if any(axis.places < 1 for axis in axes):
        extent, padded = _by(axis.extent for axis in axes), _by(axis.padded for axis in axes)
        message = f"a window of {extent} does not fit into {padded}: make it smaller, or write `padding: same`"
        raise SpecError(Problem(message))
    return axes


def taps(axes: Sequence[Axis]) -> list[tuple[Index, Index]]:
    """For every tap of the window the places at which it lies on an input, and these inputs.

    They are indices for arrays (..., *places, C) and (..., *inputs, C).
    """
    met = ([axis.meets(tap) for tap in range(axis.window)] for axis in axes)
    every = (tuple(zip(*one, strict=True)) for one in itertools.product(*met))
    return [((..., *places, slice(None)), (..., *inputs, slice(None))) for places, inputs in every]


def each(value: Size, dimensions: int) -> tuple[int, ...]:
    """A size for every axis, where one number stands for all of them."""
    return value if isinstance(value, tuple) else (value,) * dimensions


def _axis(padding: Padding, size: int, window: int, stride: int, dilation: int) -> Axis:
    if padding == "valid":
        padding = 0
    if isinstance(padding, int):
        return Axis(size, window, stride, dilation, padding, padding)
    extent = (window - 1) * dilation + 1
    padded = max(0, (-(-size // stride) - 1) * stride + extent - size)
    return Axis(size, window, stride, dilation, padded // 2, padded - padded // 2)


def _other(shape: Shape, dimensions: int) -> str:
    """A shape with the right number of axes for as many numbers, or what its axes mean."""
    total = math.prod(shape)
    if len(shape) > dimensions + 1:
        return str([*shape[: dimensions - 1], math.prod(shape[dimensions - 1 : -1]), shape[-1]])
    if dimensions == 1:
        return str([total, 1])
    if len(shape) == 2:
        return str([*shape, 1])
    for channels in (1, 3):
        side = math.isqrt(total // channels)
        if side * side * channels == total:
            return str([side, side, channels])
    return "[rows, columns, channels]"


def _by(sizes: Iterable[int]) -> str:
    return " x ".join(map(str, sizes))
