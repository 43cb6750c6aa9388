"""Noise on the inputs of a layer."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Inputs, Layer, Plan, Scratch, Slot


@component("gaussian_noise", examples=[{}, {"std": 0.5}])
class GaussianNoise(Layer):
    """Gaussian noise, ``y = x + std N(0, 1)`` anew in every pass of training; identity at evaluation.

    Shapes: x (*K, B, *I) -> y (*K, B, *I)
    Source: Bishop 1995, training with noise is Tikhonov regularization.
    """

    std: float = option(default=0.1, ge=0, stack=True, help="Standard deviation of the noise, in units of the input.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        return Plan(inputs.shape, scratch={"noise": Scratch((ROWS, *inputs.shape), evaluation=(0,))})

    def forward(self, s: Slot) -> None:
        if not s.training:
            if s.y is not s.x:
                np.copyto(s.y, s.x)
            return
        s.rng.normal(s.noise)
        np.multiply(s.noise, s.o.std, s.noise)
        np.add(s.x, s.noise, s.y)

    def backward(self, s: Slot) -> None:
        """Nothing to do: dx is dy."""
