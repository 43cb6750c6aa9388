"""Adam by the largest gradient instead of the averaged square."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, learning_rate


@component("adamax", examples=[{}, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99}])
class AdaMax(Optimizer):
    """Adamax, ``theta -= lr m' / u`` with ``u = max(beta2 u, |grad| + eps)`` and m' as in adam.

    The vector kept for m is ``M = m / (1 - beta1)``.
    Source: Kingma and Ba 2015, algorithm 2; eps beside the size of the gradient as in PyTorch.
    """

    lr: float = learning_rate(0.002)
    beta1: float = beta1()
    beta2: float = option(default=0.999, ge=0, lt=1, stack=True, help="Decay of the largest gradient, 0-1.")
    eps: float = option(default=1e-8, gt=0, stack=True, help="Added to the size of the gradient.")

    vectors = ("M", "u")

    def bind(self, s: OptimizerSlot) -> None:
        s.a = s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        beta1 = s.exact.beta1
        s.a[...] = s.rate * (1 - beta1) / (1 - beta1**s.t)
        np.multiply(s.M, s.o.beta1, s.M)
        np.add(s.M, s.grad, s.M)
        np.absolute(s.grad, s.grad)
        np.add(s.grad, s.o.eps, s.grad)
        np.multiply(s.u, s.o.beta2, s.u)
        np.maximum(s.u, s.grad, out=s.u)
        np.divide(s.M, s.u, s.grad)
        np.multiply(s.grad, s.a, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
