"""Dropout that keeps mean and variance behind selu."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Inputs, Layer, Plan, Scratch, Slot
from nnctl.layers.selu import ALPHA, SCALE

DROPPED = -SCALE * ALPHA  # what selu tends to for very negative inputs


@component("alpha_dropout", examples=[{}, {"rate": 0.2}])
class AlphaDropout(Layer):
    """Alpha dropout, ``y = a (m x + (1 - m) d) + b`` with m = 0 with probability ``rate``, else 1.

    It is the identity at evaluation. d = -1.7581 is the lower limit of selu; with ``a = 1 / sqrt((1 - rate) (1 + rate
    d^2))`` and ``b = -a rate d`` inputs of mean 0 and variance 1 give such outputs.
    Shapes: x (*K, B, *I) -> y (*K, B, *I)
    Source: Klambauer et al. 2017. Every element is dropped by itself, as in PyTorch.
    """

    rate: float = option(default=0.5, ge=0, lt=1, stack=True, help="Fraction of the inputs dropped, 0-1.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        full = Scratch((ROWS, *inputs.shape), evaluation=(0,))
        return Plan(inputs.shape, scratch={"factor": full, "added": full, "kept": replace(full, dtype=np.bool_)})

    def bind(self, s: Slot) -> None:
        s.rates = np.ravel(s.o.rate).tolist()
        s.a = np.asarray(s.one / np.sqrt((s.one - s.o.rate) * (s.one + s.o.rate * s.constant(DROPPED**2))))
        s.minus_d = s.constant(-DROPPED)
        s.dropped = np.asarray(s.a * (s.one - s.o.rate) * s.constant(DROPPED))  # a d + b

    def forward(self, s: Slot) -> None:
        if not s.training:
            if s.y is not s.x:
                np.copyto(s.y, s.x)
            return
        s.rng.keep(s.kept, s.rates)
        np.multiply(s.kept, s.a, s.factor)
        # What is added: a d + b where the input is dropped, a d + b - a d where it is kept.
        np.multiply(s.factor, s.minus_d, s.added)
        np.add(s.added, s.dropped, s.added)
        np.multiply(s.x, s.factor, s.y)
        np.add(s.y, s.added, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.factor, s.dx)
