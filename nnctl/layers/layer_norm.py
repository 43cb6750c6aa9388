"""Layer normalisation."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.zeros import Zeros
from nnctl.layers import Parameter, Slot
from nnctl.layers.row_norm import RowNorm


@component("layer_norm", examples=[{}, {"eps": 1e-3}, {"affine": False}])
class LayerNorm(RowNorm):
    """Layer normalisation, ``y = gamma (x - mean) / sqrt(var + eps) + beta``, mean and variance over the last axis.

    The variance is that of the numbers at hand (divided by I). Keras adds eps = 1e-3, PyTorch 1e-5.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  gamma, beta (I)
    Source: Ba, Kiros and Hinton 2016.
    """

    eps: float = option(default=1e-5, gt=0, stack=True, help="Added to the variance.")
    affine: bool = option(default=True, help="Learn a factor gamma and an offset beta for every feature.")

    def parameters(self, features: int) -> dict[str, Parameter]:
        beta = Parameter((features,), Zeros(), features, features, decay=False)
        return {**super().parameters(features), "beta": beta}

    def bind(self, s: Slot) -> None:
        super().bind(s)
        if self.affine:
            s.beta, s.dbeta = s.p.beta[..., None, :], s.g.beta[..., None, :]

    def forward(self, s: Slot) -> None:
        s.product(s.x2, s.average, s.mean)
        np.subtract(s.x2, s.mean, s.normal)
        np.multiply(s.normal, s.normal, s.y2)
        s.product(s.y2, s.average, s.factor)
        np.add(s.factor, s.eps, s.factor)
        np.sqrt(s.factor, s.factor)
        np.divide(s.one, s.factor, s.factor)
        np.multiply(s.normal, s.factor, s.normal)
        if self.affine:
            np.multiply(s.gamma_column, s.average, s.weights)
            np.multiply(s.normal, s.gamma, s.y2)
            np.add(s.y2, s.beta, s.y2)
        else:
            np.copyto(s.y2, s.normal)

    def backward(self, s: Slot) -> None:
        """``dx = (gamma dy - mean(gamma dy) - normal mean(gamma dy normal)) / sqrt(var + eps)``, means over a row."""
        np.multiply(s.dy2, s.normal, s.y2)
        if self.affine:
            s.product(s.ones, s.y2, s.dgamma)
            s.product(s.ones, s.dy2, s.dbeta)
        if s.dx2 is None:
            return
        # dx lies where dy lies: what is not scaled by gamma is there already.
        s.product(s.dy2, s.weights, s.mean)
        if self.affine:
            np.multiply(s.dy2, s.gamma, s.dx2)
        np.subtract(s.dx2, s.mean, s.dx2)
        s.product(s.y2, s.weights, s.mean)
        np.multiply(s.normal, s.mean, s.normal)
        np.subtract(s.dx2, s.normal, s.dx2)
        np.multiply(s.dx2, s.factor, s.dx2)
