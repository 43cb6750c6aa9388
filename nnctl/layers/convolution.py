"""What the convolutions have in common: patches of the input, and one matrix product for a block of rows."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnctl.component import option, section
from nnctl.layers import ROWS, Array, Inputs, Plan, Scratch, Slot
from nnctl.layers.weighted import Weighted
from nnctl.layers.windows import Axis, Index, Padding, Size, sliding, taps

BLOCK = 2**17  # numbers in the patches of a block: the product reads them from the cache that they were written to


@section
class Convolution(Weighted):
    """A convolution over one or two axes, ``y = patches(x) @ W + b``, the channels last.

    The patches are made a block of rows at a time, and once more in the backward pass: inside the cache that is
    cheaper than to keep them, and takes no memory that grows with the batch.
    """

    filters: int = option(ge=1, help="Number of output channels F.")
    kernel: Size = option(ge=1, help="Size of the window: one number, or one for rows and one for columns.")
    stride: Size = option(default=1, ge=1, help="Steps between two windows; likewise.")
    padding: Padding = option(
        default="valid",
        ge=0,
        help="Zeros around the input: valid (none), same (ceil(size / stride) outputs), or n.",
    )
    dilation: Size = option(default=1, ge=1, help="Steps between two inputs of a window; likewise.")

    dimensions: ClassVar[int]

    def axes(self, inputs: Inputs) -> tuple[Axis, ...]:
        """The axes between batch and channels. Raises SpecError if the input has others, or the window does not fit."""
        return sliding(
            inputs.shape, self.dimensions, self.kernel, self.stride, padding=self.padding, dilation=self.dilation
        )

    def plan(self, inputs: Inputs) -> Plan:
        axes, channels = self.axes(inputs), inputs.shape[-1]
        kernel, places = tuple(axis.window for axis in axes), tuple(axis.places for axis in axes)
        fan_in, fan_out = math.prod(kernel) * channels, math.prod(kernel) * self.filters
        patch = math.prod(places) * fan_in  # numbers in the patches of one row
        rows = max(1, BLOCK // patch)
        return Plan(
            (*places, self.filters),
            parameters=self.parameters((*kernel, channels, self.filters), fan_in=fan_in, fan_out=fan_out),
            scratch={
                "padded": Scratch((rows, *(axis.padded for axis in axes), channels), fill=0.0),
                "patches": Scratch((rows, patch)),
                "part": Scratch((fan_in, self.filters)),
                "ones": Scratch((ROWS, *places), fill=1.0),
            },
            reads=frozenset({"x"}),
        )

    def bind(self, s: Slot) -> None:
        s.W = s.matrix(s.p.W)  # (*K, taps C, F)
        if self.bias:
            s.b = s.p.b[..., None, :]
        if s.training:
            s.dW, s.WT = s.matrix(s.g.W), s.p.W.reshape(*s.members, -1, *s.p.W.shape[-2:]).mT  # WT (*K, taps, F, C)
        if s.training and self.bias:
            s.dy2, s.db, s.ones_row = s.matrix(s.dy), s.g.b[..., None, :], s.ones.reshape(*s.members, 1, -1)
        axes = self.axes(s.inputs)
        rows = max(1, s.patches.shape[-2] // math.prod(s.members))
        s.blocks = [_Block(s, axes, start, min(rows, s.rows - start)) for start in range(0, s.rows, rows)]

    def forward(self, s: Slot) -> None:
        for block in s.blocks:
            block.gather()
            s.product(block.matrix, s.W, block.y)
            if self.bias:
                np.add(block.y, s.b, block.y)

    def backward(self, s: Slot) -> None:
        s.dW.fill(0.0)
        if s.dx is not None:
            s.dx.fill(0.0)
        for block in s.blocks:
            block.gather()
            s.product(block.matrixT, block.dy, s.part)
            np.add(s.dW, s.part, s.dW)
            if s.dx is not None:
                s.products(block.dy_taps, s.WT, block.spread)
                for dx, part in block.shifted:
                    np.add(dx, part, dx)
        if self.bias:
            s.product(s.ones_row, s.dy2, s.db)


class _Block:
    """The views of some rows, N of them.

    Shapes: windows, patches (*K, N, *places, *taps, C); matrix, the same memory, (*K, N places, taps C);
    y, dy (*K, N places, F); dy_taps (*K, 1, N places, F); spread, in the memory of the patches,
    (*K, taps, N places, C): the gradient that goes to every tap of every window.
    """

    def __init__(self, s: Slot, axes: tuple[Axis, ...], start: int, count: int) -> None:
        everything = (slice(None),) * (len(axes) + 1)
        here: Index = (..., slice(start, start + count), *everything)
        self.x, self.y = s.x[here], s.matrix(s.y[here])
        padded = s.padded[(..., slice(count), *everything)]
        inside: Index = (..., *(slice(axis.before, axis.before + axis.size) for axis in axes), slice(None))
        self.inside = padded[inside]
        self.windows: Array = _windows(padded, axes)
        # A part of the memory, so that the arrays of every member are contiguous where the block is a short one.
        memory = s.patches.reshape(*s.members, -1)[..., : self.windows[(0,) * len(s.members)].size]
        self.patches = _patches(memory, self.windows.shape, len(axes))
        self.matrix = self.patches.reshape(*s.members, self.y.shape[-2], -1)
        self.matrixT = self.matrix.mT
        if s.training:
            self.dy = s.matrix(s.dy[here])
            self.dy_taps = self.dy[..., None, :, :]
        if s.training and s.dx is not None:
            met, channels = taps(axes), s.x.shape[-1]
            self.spread = memory.reshape(*s.members, len(met), -1, channels)
            at_places = memory.reshape(*s.members, len(met), count, *(axis.places for axis in axes), channels)
            self.shifted = [
                (s.dx[here][inputs], at_places[(..., tap, slice(None), *places[1:])])
                for tap, (places, inputs) in enumerate(met)
            ]

    def gather(self) -> None:
        """Write the patches."""
        np.copyto(self.inside, self.x)
        np.copyto(self.patches, self.windows)


def _windows(padded: Array, axes: tuple[Axis, ...]) -> Array:
    """The windows of (*K, N, *padded, C) as a view (*K, N, *places, *taps, C)."""
    lead, steps = padded.ndim - len(axes) - 1, padded.strides
    inner = steps[lead:-1]
    shape = (*padded.shape[:lead], *(axis.places for axis in axes), *(axis.window for axis in axes), padded.shape[-1])
    strides = (
        *steps[:lead],
        *(axis.stride * step for axis, step in zip(axes, inner, strict=True)),
        *(axis.dilation * step for axis, step in zip(axes, inner, strict=True)),
        steps[-1],
    )
    return as_strided(padded, shape, strides, writeable=False)


def _patches(memory: Array, shape: tuple[int, ...], dimensions: int) -> Array:
    """An array (*K, N, *places, *taps, C) over memory (*K, -1), in the order that is written fastest.

    Copies run along the innermost axis: few channels make short runs, and then the places are put there.
    """
    lead = len(shape) - 2 * dimensions - 2
    places, window = shape[lead : lead + 1 + dimensions], shape[lead + 1 + dimensions :]
    if math.prod(window[-2:]) >= places[-1]:
        return memory.reshape(shape)
    turned = memory.reshape(*shape[:lead], *window, *places)
    order = [*range(lead + len(window), turned.ndim), *range(lead, lead + len(window))]
    return turned.transpose(*range(lead), *order)
