"""Initializers: what a parameter is before the first step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component

# The standard deviation of a standard normal that is cut off at -2 and 2.
TRUNCATED_STD = math.sqrt(1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2)))


class Initializer(Component):
    """Draws the first values of a parameter."""

    kind = "initializers"

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise SpecError if a parameter of that shape cannot be drawn."""

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        """New values of that shape.

        ``fan_in`` inputs feed one unit and ``fan_out`` units read one input: for W (I, O) they are I and O, for a
        convolution each times the cells of its kernel.
        """
        raise NotImplementedError


def draw_uniform(shape: tuple[int, ...], rng: np.random.Generator, *, variance: float) -> NDArray[np.float64]:
    """Uniform over ``-limit .. limit``, ``limit = sqrt(3 variance)``."""
    limit = math.sqrt(3 * variance)
    return rng.uniform(-limit, limit, shape)


def draw_normal(shape: tuple[int, ...], rng: np.random.Generator, *, variance: float) -> NDArray[np.float64]:
    """Normal around 0, not truncated."""
    return rng.normal(0.0, math.sqrt(variance), shape)


def draw_truncated(shape: tuple[int, ...], rng: np.random.Generator, *, std: float) -> NDArray[np.float64]:
    """Normal around 0, cut off at two standard deviations: what lies beyond is drawn again."""
    values = rng.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = rng.standard_normal(int(beyond.sum()))
    return values * std
