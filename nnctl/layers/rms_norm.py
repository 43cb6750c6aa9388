"""Normalisation by the root mean square."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.layers import Slot
from nnctl.layers.row_norm import RowNorm


@component("rms_norm", examples=[{}, {"eps": 1e-3}, {"affine": False}])
class RmsNorm(RowNorm):
    """Root mean square normalisation, ``y = gamma x / sqrt(mean(x^2) + eps)``, the mean over the last axis.

    PyTorch's eps is by default the distance from 1 to the next number of the dtype; the 1e-6 here is that of Keras.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., I);  gamma (I)
    Source: Zhang and Sennrich 2019.
    """

    eps: float = option(default=1e-6, gt=0, stack=True, help="Added to the mean square.")
    affine: bool = option(default=True, help="Learn a factor gamma for every feature.")

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
        # dx lies where dy lies: what is not scaled by gamma is there already.
        s.product(s.y2, s.weights, s.mean)
        if self.affine:
            np.multiply(s.dy2, s.gamma, s.dx2)
        np.multiply(s.normal, s.mean, s.normal)
        np.subtract(s.dx2, s.normal, s.dx2)
        np.multiply(s.dx2, s.factor, s.dx2)
