"""Layer normalisation."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.constant import Constant
from nnctl.initializers.zeros import Zeros
from nnctl.layers import ROWS, Inputs, Layer, Parameter, Plan, Scratch, Slot


@component("layer_norm", examples=[{}, {"eps": 1e-3}, {"affine": False}])
class LayerNorm(Layer):
    """Layer normalisation, ``y = gamma (x - mean) / sqrt(var + eps) + beta``, mean and variance over the last axis.

    The variance is that of the numbers at hand (divided by I). Keras adds eps = 1e-3, PyTorch 1e-5.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  gamma, beta (I)
    Source: Ba, Kiros and Hinton 2016.
    """

    eps: float = option(default=1e-5, gt=0, stack=True, help="Added to the variance.")
    affine: bool = option(default=True, help="Learn a factor gamma and an offset beta for every feature.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        *axes, features = inputs.shape
        parameters = {}
        if self.affine:
            one = Constant(value=1.0)
            parameters["gamma"] = Parameter((features,), one, features, features, decay=False)
            parameters["beta"] = Parameter((features,), Zeros(), features, features, decay=False)
        per_row = Scratch((ROWS, *axes, 1))
        return Plan(
            inputs.shape,
            parameters=parameters,
            scratch={
                "ones": Scratch((ROWS, *axes), fill=1.0),
                "average": Scratch((features, 1), fill=1 / features),  # x @ average is the mean of every row
                "weights": Scratch((features, 1)),  # gamma average
                "normal": Scratch((ROWS, *inputs.shape)),  # (x - mean) / sqrt(var + eps)
                "mean": per_row,
                "factor": per_row,  # 1 / sqrt(var + eps)
            },
        )

    def bind(self, s: Slot) -> None:
        s.x2, s.y2, s.normal, s.mean, s.factor = map(s.matrix, (s.x, s.y, s.normal, s.mean, s.factor))  # (*K, N, ...)
        s.eps = s.o.eps.reshape(*s.members, 1, 1) if s.members else s.o.eps
        if s.training:
            s.dy2, s.dx2 = s.matrix(s.dy), None if s.dx is None else s.matrix(s.dx)
            s.ones = s.ones.reshape(*s.members, 1, -1)
        if not self.affine:
            s.weights = s.average
            return
        s.gamma, s.beta, s.gamma_column = s.p.gamma[..., None, :], s.p.beta[..., None, :], s.p.gamma[..., None]
        s.dgamma, s.dbeta = s.g.gamma[..., None, :], s.g.beta[..., None, :]

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
        s.product(s.dy2, s.weights, s.mean)
        if self.affine:
            np.multiply(s.dy2, s.gamma, s.dx2)
        np.subtract(s.dx2, s.mean, s.dx2)
        s.product(s.y2, s.weights, s.mean)
        np.multiply(s.normal, s.mean, s.normal)
        np.subtract(s.dx2, s.normal, s.dx2)
        np.multiply(s.dx2, s.factor, s.dx2)
