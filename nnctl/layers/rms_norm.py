"""Normalisation by the root mean square."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.initializers.constant import Constant
from nnctl.layers import ROWS, Inputs, Layer, Parameter, Plan, Scratch, Slot


@component("rms_norm", examples=[{}, {"eps": 1e-3}, {"affine": False}])
class RmsNorm(Layer):
    """Root mean square normalisation, ``y = gamma x / sqrt(mean(x^2) + eps)``, the mean over the last axis.

    PyTorch's eps is by default the distance from 1 to the next number of the dtype; the 1e-6 here is that of Keras.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  gamma (I)
    Source: Zhang and Sennrich 2019.
    """

    eps: float = option(default=1e-6, gt=0, stack=True, help="Added to the mean square.")
    affine: bool = option(default=True, help="Learn a factor gamma for every feature.")

    transparent = True
    overwrites_x = True
    overwrites_dy = True

    def plan(self, inputs: Inputs) -> Plan:
        *axes, features = inputs.shape
        parameters = {}
        if self.affine:
            parameters["gamma"] = Parameter((features,), Constant(value=1.0), features, features, decay=False)
        per_row = Scratch((ROWS, *axes, 1))
        return Plan(
            inputs.shape,
            parameters=parameters,
            scratch={
                "ones": Scratch((ROWS, *axes), fill=1.0),
                "average": Scratch((features, 1), fill=1 / features),  # x @ average is the mean of every row
                "weights": Scratch((features, 1)),  # gamma average
                "normal": Scratch((ROWS, *inputs.shape)),  # x / sqrt(mean(x^2) + eps)
                "mean": per_row,
                "factor": per_row,  # 1 / sqrt(mean(x^2) + eps)
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
        s.gamma, s.gamma_column, s.dgamma = s.p.gamma[..., None, :], s.p.gamma[..., None], s.g.gamma[..., None, :]

    def forward(self, s: Slot) -> None:
        np.multiply(s.x2, s.x2, s.normal)
        s.product(s.normal, s.average, s.factor)
        np.add(s.factor, s.eps, s.factor)
        np.sqrt(s.factor, s.factor)
        np.divide(s.one, s.factor, s.factor)
        np.multiply(s.x2, s.factor, s.normal)
        if self.affine:
            np.multiply(s.gamma_column, s.average, s.weights)
            np.multiply(s.normal, s.gamma, s.y2)
        else:
            np.copyto(s.y2, s.normal)

    def backward(self, s: Slot) -> None:
        """``dx = (gamma dy - normal mean(gamma dy normal)) / sqrt(mean(x^2) + eps)``, the mean over a row."""
        np.multiply(s.dy2, s.normal, s.y2)
        if self.affine:
            s.product(s.ones, s.y2, s.dgamma)
        if s.dx2 is None:
            return
        s.product(s.y2, s.weights, s.mean)
        if self.affine:
            np.multiply(s.dy2, s.gamma, s.dx2)
        np.multiply(s.normal, s.mean, s.normal)
        np.subtract(s.dx2, s.normal, s.dx2)
        np.multiply(s.dx2, s.factor, s.dx2)
