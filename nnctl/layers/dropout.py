"""Dropout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Inputs, Layer, Plan, Scratch, Slot


@component("dropout", examples=[{}, {"rate": 0.2}])
class Dropout(Layer):
    """Inverted dropout, ``y = x m / (1 - rate)`` with m = 0 with probability ``rate``, else 1; identity at evaluation.

    Shapes: x (*K, B, *I) -> y (*K, B, *I)
    Source: Srivastava et al. 2014; scaled in training, as all frameworks do, so that evaluation needs no factor.
    """

    rate: float = option(default=0.5, ge=0, lt=1, stack=True, help="Fraction of the inputs set to zero, 0-1.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        mask = Scratch((ROWS, *inputs.shape), evaluation=(0,))
        return Plan(inputs.shape, scratch={"mask": mask, "kept": replace(mask, dtype=np.bool_)})

    def bind(self, s: Slot) -> None:
        s.rates = np.ravel(s.o.rate).tolist()
        s.factor = (s.one / (s.one - s.o.rate)).astype(s.dtype)

    def forward(self, s: Slot) -> None:
        if not s.training:
            if s.y is not s.x:
                np.copyto(s.y, s.x)
            return
        s.rng.keep(s.kept, s.rates)
        np.multiply(s.kept, s.factor, s.mask)
        np.multiply(s.x, s.mask, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.mask, s.dx)
