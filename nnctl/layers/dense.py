"""The dense (fully connected) layer."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Inputs, Plan, Scratch, Slot
from nnctl.layers.weighted import Weighted


@component("dense", examples=[{"units": 3}, {"units": 2, "bias": False}, {"units": 4, "activation": "tanh"}])
class Dense(Weighted):
    """Affine map of the last axis, ``y = x @ W + b``, and then its activation.

    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., O);  W (I, O), b (O), O = units
    Source: Glorot and Bengio 2010, He et al. 2015 for the default initializers.
    """

    units: int = option(ge=1, help="Number of outputs O.")

    def plan(self, inputs: Inputs) -> Plan:
        *axes, fan_in = inputs.shape
        return Plan(
            (*axes, self.units),
            parameters=self.parameters((fan_in, self.units), fan_in=fan_in, fan_out=self.units),
            scratch={"ones": Scratch((ROWS, *axes), fill=1.0)},
            reads=frozenset({"x"}),
        )

    def bind(self, s: Slot) -> None:
        s.x2, s.y2 = s.matrix(s.x), s.matrix(s.y)  # (*K, N, I), (*K, N, O), N = B for vectors
        s.W, s.xT, s.WT = s.p.W, s.x2.mT, s.p.W.mT
        if self.bias:
            # A single number is added in a quarter of the time of a row of one number.
            s.b = s.p.b.reshape(()) if self.units == 1 and not s.members else s.p.b[..., None, :]
        if s.training:
            s.dW, s.dy2, s.dx2 = s.g.W, s.matrix(s.dy), None if s.dx is None else s.matrix(s.dx)
        if s.training and self.bias:
            s.db, s.ones_row = s.g.b[..., None, :], s.ones.reshape(*s.members, 1, -1)

    def forward(self, s: Slot) -> None:
        s.product(s.x2, s.W, s.y2)
        if self.bias:
            np.add(s.y2, s.b, s.y2)

    def backward(self, s: Slot) -> None:
        s.product(s.xT, s.dy2, s.dW)
        if self.bias:
            s.product(s.ones_row, s.dy2, s.db)  # a product with ones sums over the rows faster than a reduction
        if s.dx2 is not None:
            s.product(s.dy2, s.WT, s.dx2)
