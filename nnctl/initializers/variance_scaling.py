"""The family that Glorot's, He's and LeCun's initializers belong to."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.initializers import TRUNCATED_STD, Initializer, draw_normal, draw_truncated, draw_uniform


@component(
    "variance_scaling",
    examples=[
        {},
        {"scale": 2.0, "mode": "fan_out", "distribution": "untruncated_normal"},
        {"mode": "fan_avg", "distribution": "uniform"},
    ],
)
class VarianceScaling(Initializer):
    """Values around 0 with ``variance = scale / n``, n the inputs, the outputs or the mean of both.

    The truncated normal is cut at two standard deviations, and made wider before by as much as the cut takes away.
    Source: Keras' ``VarianceScaling``, its defaults included; PyTorch has no such initializer.
    """

    scale: float = option(default=1.0, gt=0, stack=True, help="Factor of the variance.")
    mode: Literal["fan_in", "fan_out", "fan_avg"] = option(
        default="fan_in", help="What divides the variance: inputs of a unit, outputs of an input, or their mean."
    )
    distribution: Literal["truncated_normal", "untruncated_normal", "uniform"] = option(
        default="truncated_normal", help="Distribution of the values."
    )

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        size = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, size)
        if self.distribution == "uniform":
            return draw_uniform(shape, rng, variance=variance)
        if self.distribution == "untruncated_normal":
            return draw_normal(shape, rng, variance=variance)
        return draw_truncated(shape, rng, std=math.sqrt(variance) / TRUNCATED_STD)
