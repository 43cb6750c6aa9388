"""RMSprop."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, epsilon, learning_rate


@component("rmsprop", examples=[{}, {"momentum": 0.5}, {"alpha": 0.9, "momentum": 0.9, "centered": True}])
class RmsProp(Optimizer):
    """RMSprop, ``w = momentum w + grad / (sqrt(v) + eps)``, ``theta -= lr w``, v the average of grad^2.

    Centered, the square of the average gradient is taken off v; what rounding leaves below zero counts as zero (PyTorch
    has no such bound, and gives NaN). Averages are kept divided by ``1 - alpha``, and w multiplied by
    ``sqrt(1 - alpha)``, so that an average is one product and one sum.
    Source: Hinton 2012, lecture 6e; Graves 2013, centered; defaults and eps (outside the root) as in PyTorch.
    """

    lr: float = learning_rate(0.01)
    alpha: float = option(default=0.99, ge=0, lt=1, stack=True, help="Decay of the averages, 0-1.")
    eps: float = epsilon()
    momentum: float = option(default=0.0, ge=0, lt=1, stack=True, help="Share of the velocity that is kept, 0-1.")
    centered: bool = option(default=False, help="Divide by the deviation of the gradient instead of its size.")

    vectors = ("V", "M", "w")
    spares = ("root",)

    def bind(self, s: OptimizerSlot) -> None:
        s.share = s.scalar(1 - s.exact.alpha)
        s.root_share = (1 - s.exact.alpha) ** 0.5
        s.e = s.scalar(s.exact.eps / s.root_share)
        s.a = s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        s.a[...] = s.rate / s.root_share
        np.multiply(s.grad, s.grad, s.root)
        np.multiply(s.V, s.o.alpha, s.V)
        np.add(s.V, s.root, s.V)
        if self.centered:
            np.multiply(s.M, s.o.alpha, s.M)
            np.add(s.M, s.grad, s.M)
            np.multiply(s.M, s.M, s.root)
            np.multiply(s.root, s.share, s.root)
            np.subtract(s.V, s.root, s.root)
            np.maximum(s.root, 0, out=s.root)
            np.sqrt(s.root, s.root)
        else:
            np.sqrt(s.V, s.root)
        np.add(s.root, s.e, s.root)
        np.divide(s.grad, s.root, s.grad)
        np.multiply(s.w, s.o.momentum, s.w)
        np.add(s.w, s.grad, s.w)
        np.multiply(s.w, s.a, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
