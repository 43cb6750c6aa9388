"""A learned factor for every feature."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.constant import Constant
from nnctl.layers import ROWS, Inputs, Layer, Parameter, Plan, Scratch, Slot


@component("scale", examples=[{}, {"init": 0.5}])
class Scale(Layer):
    """Scaling, ``y = x factor`` with one learned factor for every feature; it never decays.

    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  factor (I)
    Source: Holzmüller, Grinsztajn and Steinwart 2024, the scaling layer of RealMLP.
    """

    init: float = option(default=1.0, stack=True, help="Every factor before training.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        *axes, features = inputs.shape
        return Plan(
            inputs.shape,
            parameters={"factor": Parameter((features,), Constant(value=self.init), 1, 1, decay=False)},
            scratch={"ones": Scratch((ROWS, *axes), fill=1.0)},
            reads=frozenset({"x"}),
        )

    def bind(self, s: Slot) -> None:
        s.x2, s.y2 = s.matrix(s.x), s.matrix(s.y)  # (*K, N, I), N = B for vectors
        s.factor = s.p.factor[..., None, :]
        if s.training:
            s.dy2, s.dx2 = s.matrix(s.dy), None if s.dx is None else s.matrix(s.dx)
            s.dfactor, s.ones_row = s.g.factor[..., None, :], s.ones.reshape(*s.members, 1, -1)

    def forward(self, s: Slot) -> None:
        np.multiply(s.x2, s.factor, s.y2)

    def backward(self, s: Slot) -> None:
        np.multiply(s.dy2, s.x2, s.y2)
        s.product(s.ones_row, s.y2, s.dfactor)
        if s.dx2 is not None:
            np.multiply(s.dy2, s.factor, s.dx2)
