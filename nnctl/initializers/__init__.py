"""Initializers: what a parameter is before the first step."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component


class Initializer(Component):
    """Draws the first values of a parameter."""

    kind = "initializers"

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
