"""Conformance checks of initializers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from nnctl.errors import SpecError
from nnctl.initializers import Initializer
from nnctl.testing.harness import Array, made

# A bias, W of a dense layer, and the kernels of conv1d and conv2d: inputs and units are always the last two axes.
SHAPES = ((3,), (1, 1), (3, 2), (2, 5), (3, 4, 2), (3, 3, 2, 4))


def check_draws(cls: type[Initializer]) -> None:
    """Values are finite, float64 and of the shape that is asked for, whatever its number of axes."""
    for init, shape, values in drawn(cls):
        assert values.shape == shape, f"{init}: asked for {shape}, got {values.shape}"
        assert values.dtype == np.float64, f"{init}: draws {values.dtype}, not float64"
        assert np.isfinite(values).all(), f"{init}: draws numbers that are not finite"


def check_generator(cls: type[Initializer]) -> None:
    """The generator decides alone: its state gives the values, and every call a new array."""
    for init, shape, values in drawn(cls):
        before = values.copy()
        values.fill(7.0)
        again = draw(init, shape)
        assert np.array_equal(again, before), f"{init}: the same generator draws other values of {shape}"
        assert not np.shares_memory(again, values), f"{init}: hands out the same array twice"


def check_fans(cls: type[Initializer]) -> None:
    """The fans that are said count, not those that a shape suggests: a kernel is like a matrix of the same fans."""
    for init, shape, values in drawn(cls):
        rng = np.random.default_rng(0)
        other = init.draw(shape, rng, fan_in=4 * fan_in(shape), fan_out=4 * shape[-1])
        size, wider = np.abs(values).max(), np.abs(other).max()
        assert wider <= size * (1 + 1e-12), f"{init}: four times the fans give larger values of {shape}"
        assert wider >= size / 2 * (1 - 1e-12), f"{init}: four times the fans give less than half the size of {shape}"


def drawn(cls: type[Initializer]) -> Iterator[tuple[Initializer, tuple[int, ...], Array]]:
    """Values of every example in all shapes that it takes; it must take one, and refuse the others by SpecError."""
    for example in cls.examples:
        init: Initializer = made(cls, example)
        taken = 0
        for shape in SHAPES:
            try:
                values = draw(init, shape)
            except SpecError:
                continue
            taken += 1
            yield init, shape, values
        assert taken, f"{init}: takes none of the shapes {SHAPES}"


def draw(init: Initializer, shape: tuple[int, ...]) -> Array:
    """Values of a shape from a new generator, with the fans of that shape."""
    return init.draw(shape, np.random.default_rng(0), fan_in=fan_in(shape), fan_out=shape[-1])


def fan_in(shape: tuple[int, ...]) -> int:
    """The inputs of one unit, times the cells of a kernel."""
    return math.prod(shape[:-1]) if len(shape) > 1 else shape[0]


CHECKS = (check_draws, check_generator, check_fans)
