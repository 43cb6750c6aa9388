"""Adam whose adaptive step waits until its variance is known."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate
from nnctl.optimizers.moments import average

TRACTABLE = 5  # least length of the average at which its variance is used; 4 in the paper


@component("radam", examples=[{}, {"lr": 0.01, "beta1": 0.8, "beta2": 0.9}, {"beta2": 0.5}])
class RAdam(Optimizer):
    """Rectified Adam, ``theta -= lr r sqrt(1 - beta2^t) m' / (sqrt(v) + eps)``, at first ``theta -= lr m'``.

    r corrects the variance of the adaptive step by the length ``rho`` of the average v; the first steps are those with
    ``rho <= 5``. The vectors kept are ``M = m / (1 - beta1)`` and ``V = v / (1 - beta2)``; what differs between the two
    kinds of step are three scalars: ``theta -= a M / (k sqrt(V) + e)``.
    Source: Liu et al. 2020, algorithm 2; the bound 5 (not 4) and the place of eps as in PyTorch.
    """

    lr: float = learning_rate(0.001)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()

    vectors = ("M", "V")

    def bind(self, s: OptimizerSlot) -> None:
        s.a, s.e, s.k = s.scalar(), s.scalar(), s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        self._scalars(s)
        average(s)
        np.sqrt(s.V, s.grad)
        np.multiply(s.grad, s.k, s.grad)
        np.add(s.grad, s.e, s.grad)
        np.divide(s.M, s.grad, s.grad)
        np.multiply(s.grad, s.a, s.grad)
        np.subtract(s.theta, s.grad, s.theta)

    def _scalars(self, s: OptimizerSlot) -> None:
        """This step's a, k and e, for every member by its own rho; ``early`` and ``late`` are 0 and 1 or 1 and 0.

        Products with them choose alike among Python floats, for a single network, and among arrays.
        """
        beta1, power = s.exact.beta1, s.exact.beta2**s.t
        limit = 2 / (1 - s.exact.beta2) - 1
        rho = limit - 2 * s.t * power / (1 - power)
        late = (rho > TRACTABLE) * 1.0
        early = 1.0 - late
        rho, limit = late * rho + early * TRACTABLE, late * limit + early * TRACTABLE
        r = ((rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)) ** 0.5
        s.a[...] = s.rate * (1 - beta1) / (1 - beta1**s.t) * (late * r * (1 - power) ** 0.5 + early)
        s.k[...] = late * (1 - s.exact.beta2) ** 0.5
        s.e[...] = late * s.exact.eps + early
