"""What the convolutions have in common: patches of the input, and one matrix product for a block of rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from nnctl.component import option, section
from nnctl.layers import ROWS, Array, Inputs, Plan, Scratch, Slot
from nnctl.layers.weighted import Weighted
from nnctl.layers.windows import Axis, Index, Padding, Size, sliding, taps

BLOCK = 2**18  # numbers in the patches of a block: the product reads them from the cache that they were written to
SHARE = 4  # into which the outputs of a block go, too: a quarter of its numbers


@section
class Convolution(Weighted):
    """A convolution over one or two axes, ``y = patches(x) @ W + b``, the channels last.

    The patches are made a block of rows at a time, and once more in the backward pass: inside the cache that is
    cheaper than to keep them, and takes no memory that grows with the batch. The gradient of x is a convolution of
    that of y, where windows do not stride: 0.5 to 0.8 x the time of adding up what every tap gets.
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
        patch, output = math.prod(places) * fan_in, math.prod(places) * self.filters  # numbers of one row
        rows = max(1, BLOCK // max(patch, SHARE * output))
        patches, scratch = rows * patch, {}
        if (back := _backwards(axes)) is not None:
            patch_back = math.prod(axis.size for axis in axes) * fan_out
            rows_back = max(1, BLOCK // patch_back)
            patches = max(patches, rows_back * patch_back)
            around = (rows_back, *(axis.padded for axis in back), self.filters)
            scratch = {
                "dpadded": Scratch(around, fill=0.0, evaluation=(0,)),
                "turned": Scratch((fan_out, channels), evaluation=(0,)),
            }
        return Plan(
            (*places, self.filters),
            parameters=self.parameters((*kernel, channels, self.filters), fan_in=fan_in, fan_out=fan_out),
            scratch={
                "padded": Scratch((rows, *(axis.padded for axis in axes), channels), fill=0.0),
                "patches": Scratch((patches,), evaluation=(rows * patch,)),
                "part": Scratch((fan_in, self.filters), evaluation=(0,)),
                "ones": Scratch((ROWS, *places), fill=1.0),
                **scratch,
            },
            reads=frozenset({"x"}),
        )

    def bind(self, s: Slot) -> None:
        s.W = s.matrix(s.p.W)  # (*K, taps C, F)
        if self.bias:
            s.b = s.p.b[..., None, :]
        axes = self.axes(s.inputs)
        s.blocks = [_Block(s, axes, rows) for rows in _some(s, s.padded)]
        if s.training:
            s.dW, s.back = s.matrix(s.g.W), () if s.dx is None else self._way_back(s, axes)
        if s.training and self.bias:
            s.dy2, s.db, s.ones_row = s.matrix(s.dy), s.g.b[..., None, :], s.ones.reshape(*s.members, 1, -1)

    def _way_back(self, s: Slot, axes: tuple[Axis, ...]) -> list[Callable[[], None]]:
        """What writes dx, one after the other."""
        back, taps = _backwards(axes), s.p.W.reshape(*s.members, -1, *s.p.W.shape[-2:])
        if back is None:
            return [_Spread(s, axes, rows, taps.mT).run for rows in _some(s, s.padded)]
        turned = s.turned.reshape(taps.mT.shape)
        return [
            partial(np.copyto, turned, taps[..., ::-1, :, :].mT),
            *(_Correlated(s, back, rows).run for rows in _some(s, s.dpadded)),
        ]

    def forward(self, s: Slot) -> None:
        for block in s.blocks:
            block.gather()
            s.product(block.matrix, s.W, block.y)
            if self.bias:
                np.add(block.y, s.b, block.y)

    def backward(self, s: Slot) -> None:
        s.dW.fill(0.0)
        for block in s.blocks:
            block.gather()
            s.product(block.matrixT, block.dy, s.part)
            np.add(s.dW, s.part, s.dW)
        for run in s.back:
            run()
        if self.bias:
            s.product(s.ones_row, s.dy2, s.db)


def _backwards(axes: tuple[Axis, ...]) -> tuple[Axis, ...] | None:
    """The windows over dy that each input is seen from, whose taps stand in the opposite order.

    None where windows stride, or padding is wider than they are: then not all inputs are seen alike.
    """
    if any(axis.stride > 1 or max(axis.before, axis.after) >= axis.extent for axis in axes):
        return None
    return tuple(
        replace(axis, size=axis.places, before=axis.extent - 1 - axis.before, after=axis.extent - 1 - axis.after)
        for axis in axes
    )


def _some(s: Slot, padded: Array) -> list[slice]:
    """The rows of the batch, so many at a time as there is padded memory for, the members' together."""
    lead = len(s.members)
    count = max(1, padded.shape[lead] // math.prod(s.members))
    return [slice(start, min(start + count, s.rows)) for start in range(0, s.rows, count)]


def _rows(x: Array, axes: tuple[Axis, ...], rows: slice) -> Array:
    """Some rows of (*K, B, *places, C)."""
    here: Index = (..., rows, *(slice(None),) * (len(axes) + 1))
    return x[here]


class _Patches:
    """The windows of some rows, N of them, gathered into a matrix.

    Shapes: x (*K, N, *sizes, C), padded (*K, N or more, *padded, C), 0 around the inputs; windows, patches
    (*K, N, *places, *taps, C); matrix, the same memory, (*K, N places, taps C).
    """

    def __init__(self, s: Slot, x: Array, padded: Array, axes: tuple[Axis, ...]) -> None:
        count = x.shape[len(s.members)]
        padded = _rows(padded, axes, slice(count))
        inside: Index = (..., *(slice(axis.before, axis.before + axis.size) for axis in axes), slice(None))
        self.x, self.inside, self.windows = x, padded[inside], _windows(padded, axes)
        # A part of the memory, so that the arrays of every member are contiguous where the block is a short one.
        memory = s.patches[..., : self.windows[(0,) * len(s.members)].size]
        self.patches = _patches(memory, self.windows.shape, len(axes))
        places = count * math.prod(axis.places for axis in axes)
        self.matrix = self.patches.reshape(*s.members, places, -1)

    def gather(self) -> None:
        """Write the patches."""
        np.copyto(self.inside, self.x)
        np.copyto(self.patches, self.windows)


class _Block(_Patches):
    """Some rows on their way forward, and to the gradient of W.

    Shapes: y, dy (*K, N places, F)
    """

    def __init__(self, s: Slot, axes: tuple[Axis, ...], rows: slice) -> None:
        super().__init__(s, _rows(s.x, axes, rows), s.padded, axes)
        self.matrixT, self.y = self.matrix.mT, s.matrix(_rows(s.y, axes, rows))
        self.dy = s.matrix(_rows(s.dy, axes, rows)) if s.training else None


class _Correlated(_Patches):
    """Some rows of dx as a convolution of dy, ``dx = patches(dy) @ W``, the taps of W turned around.

    Shapes: turned (*K, taps F, C); dx (*K, N inputs, C)
    """

    def __init__(self, s: Slot, axes: tuple[Axis, ...], rows: slice) -> None:
        super().__init__(s, _rows(s.dy, axes, rows), s.dpadded, axes)
        self.product, self.turned, self.dx = s.product, s.turned, s.matrix(_rows(s.dx, axes, rows))

    def run(self) -> None:
        self.gather()
        self.product(self.matrix, self.turned, self.dx)


class _Spread:
    """Some rows of dx where windows stride: what each tap of each window gets, added to the input that it lies on.

    Shapes: dy (*K, 1, N places, F), WT (*K, taps, F, C), spread (*K, taps, N places, C)
    """

    def __init__(self, s: Slot, axes: tuple[Axis, ...], rows: slice, WT: Array) -> None:
        met, channels, count = taps(axes), s.x.shape[-1], rows.stop - rows.start
        places = tuple(axis.places for axis in axes)
        memory = s.patches[..., : len(met) * count * math.prod(places) * channels]
        self.products, self.WT, self.dx = s.products, WT, _rows(s.dx, axes, rows)
        self.dy = s.matrix(_rows(s.dy, axes, rows))[..., None, :, :]
        self.spread = memory.reshape(*s.members, len(met), -1, channels)
        at_places = memory.reshape(*s.members, len(met), count, *places, channels)
        self.shifted = [
            (self.dx[inputs], at_places[(..., tap, slice(None), *places[1:])])
            for tap, (places, inputs) in enumerate(met)
        ]

    def run(self) -> None:
        self.dx.fill(0.0)
        self.products(self.dy, self.WT, self.spread)
        for dx, part in self.shifted:
            np.add(dx, part, dx)


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
