"""The softplus."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Scratch, Shape, Slot


@component("softplus", examples=[{}, {"beta": 2.5}])
class Softplus(Activation):
    """Softplus, ``y = log(1 + exp(beta x)) / beta`` with derivative ``1 - exp(-beta y)``.

    Computed as ``max(x, 0) + log(1 + exp(-beta |x|)) / beta``, which cannot overflow. PyTorch returns x itself where
    beta x > 20, which is 2e-9 / beta less at 20.
    Source: Dugas et al. 2001.
    """

    beta: float = option(default=1.0, gt=0, stack=True, help="Sharpness of the bend at 0.")

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {"bend": Scratch((ROWS, *shape))}

    def bind(self, s: Slot) -> None:
        s.minus_beta, s.per_beta = np.asarray(-s.o.beta), np.asarray(s.one / s.o.beta)

    def forward(self, s: Slot) -> None:
        np.abs(s.x, s.bend)
        np.multiply(s.bend, s.minus_beta, s.bend)
        np.exp(s.bend, s.bend)
        np.log1p(s.bend, s.bend)
        np.multiply(s.bend, s.per_beta, s.bend)
        np.maximum(s.x, s.zero, out=s.y)
        np.add(s.y, s.bend, s.y)

    def backward(self, s: Slot) -> None:
        np.multiply(s.y, s.minus_beta, s.y)
        np.expm1(s.y, s.y)
        np.multiply(s.dy, s.y, s.dx)
        np.negative(s.dx, s.dx)
