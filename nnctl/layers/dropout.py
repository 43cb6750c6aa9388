"""Dropout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Inputs, Layer, Plan, Scratch, Slot


@component("dropout", examples=[{}, {"rate": 0.2}])
class Dropout(Layer):
    """Inverted dropout, ``y = x m / (1 - rate)`` with m = 0 with probability ``rate``, else 1; identity at evaluation.

    The probability is the multiple of 1/65536 next to the rate: an input costs 16 random bits.
    Shapes: x (*K, B, *I) -> y (*K, B, *I)
    Source: Srivastava et al. 2014; scaled in training, as all frameworks do, so that evaluation needs no factor.
    """

    rate: float = option(default=0.5, ge=0, lt=1, stack=True, help="Fraction of the inputs set to zero, 0-1.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        mask = Scratch((ROWS, *inputs.shape), evaluation=(0,))
        return Plan(inputs.shape, scratch={"mask": mask, **draws(mask)})

    def bind(self, s: Slot) -> None:
        s.threshold = threshold(s.o.rate)
        s.factor = (s.one / (s.one - s.o.rate)).astype(s.dtype)

    def forward(self, s: Slot) -> None:
        if not s.training:
            if s.y is not s.x:
                np.copyto(s.y, s.x)
            return
        s.rng.bits(s.bits)
        np.greater_equal(s.bits, s.threshold, s.kept)
        np.multiply(s.kept, s.factor, s.mask)
        np.multiply(s.x, s.mask, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy, s.mask, s.dx)


def draws(like: Scratch) -> dict[str, Scratch]:
    """Scratch for the random bits of every input, and for which of them are kept."""
    return {"bits": replace(like, dtype=np.uint16), "kept": replace(like, dtype=np.bool_)}


def threshold(rate: Any) -> Any:
    """The number of 16 bits from which on an input is kept."""
    return np.asarray(np.minimum(np.rint(rate * 65536.0), 65535.0), np.uint16)
