"""The rectified linear unit with a learned slope below zero."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.constant import Constant
from nnctl.layers import ROWS, Activation, Inputs, Parameter, Plan, Scratch, Slot


@component("prelu", examples=[{}, {"slope": 1.3}])
class Prelu(Activation):
    """Parametric rectified linear unit, ``y = max(x, 0) + slope min(x, 0)``; its derivative at 0 is the slope.

    One slope is learned for the whole layer, as in PyTorch by default; the paper also has one for every channel, and
    Keras one for every element. It never decays, which would turn the unit into a relu.
    Shapes: x (*K, B, *I) -> y (*K, B, *I);  slope (1)
    Source: He et al. 2015.
    """

    slope: float = option(default=0.25, stack=True, help="Slope for negative inputs before training.")

    reads = frozenset({"x"})
    weights = "he_normal"

    def plan(self, inputs: Inputs) -> Plan:
        row = (ROWS, *inputs.shape)
        return Plan(
            inputs.shape,
            parameters={"slope": Parameter((1,), Constant(value=self.slope), 1, 1, decay=False)},
            scratch={
                "negative": Scratch(row),  # min(x, 0)
                "t": Scratch(row),
                "above": Scratch(row, dtype=np.bool_),
                "rest": Scratch((1,) * len(row)),  # 1 - slope
            },
            reads=self.reads,
        )

    def bind(self, s: Slot) -> None:
        s.slope = s.p.slope.reshape(s.rest.shape)
        s.negative_row = s.negative.reshape(*s.members, 1, -1)
        s.dy_column = s.dy.reshape(*s.members, -1, 1) if s.training else None
        s.dslope = s.g.slope[..., None]

    def forward(self, s: Slot) -> None:
        np.subtract(s.one, s.slope, s.rest)
        np.maximum(s.x, s.zero, out=s.t)
        np.subtract(s.x, s.t, s.negative)
        np.multiply(s.negative, s.slope, s.y)
        np.add(s.y, s.t, s.y)

    def backward(self, s: Slot) -> None:
        """``dslope = sum(dy min(x, 0))`` and ``dx = dy (slope + (1 - slope) [x > 0])``."""
        s.product(s.negative_row, s.dy_column, s.dslope)
        if s.dx is None:
            return
        np.greater(s.x, s.zero, s.above)
        np.multiply(s.above, s.rest, s.t)
        np.add(s.t, s.slope, s.t)
        np.multiply(s.dy, s.t, s.dx)
