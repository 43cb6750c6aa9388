"""Adam."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate
from nnctl.optimizers.moments import average, corrections, direct


@component("adam", examples=[{}, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99}])
class Adam(Optimizer):
    """Adam, ``theta -= lr m' / (sqrt(v') + eps)`` with bias-corrected averages m', v' of grad and grad^2.

    The vectors kept are ``M = m / (1 - beta1)`` and ``V = v / (1 - beta2)``, so that each is one product and one sum;
    what is left of the algorithm is two scalars a step: ``theta -= a M / (sqrt(V) + e)``.
    Source: Kingma and Ba 2015, algorithm 1; eps as in PyTorch (outside the root).
    """

    lr: float = learning_rate(0.001)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()

    vectors = ("M", "V")

    def bind(self, s: OptimizerSlot) -> None:
        s.a, s.e = s.scalar(), s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        s.a[...], s.e[...] = corrections(s, s.rate)
        average(s)
        direct(s, s.V)
        np.subtract(s.theta, s.grad, s.theta)
