"""Adadelta."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("adadelta", examples=[{}, {"lr": 0.5, "rho": 0.95, "eps": 1e-5}])
class Adadelta(Optimizer):
    """Adadelta, ``d = grad sqrt(u + eps) / sqrt(v + eps)``, ``theta -= lr d``.

    v and u are the averages of grad^2 and d^2. The vectors kept are ``V = v / (1 - rho)`` and ``U = u / (1 - rho)``, so
    that each is one product and one sum; the quotient of the roots stays the same with ``e = eps / (1 - rho)``.
    Source: Zeiler 2012, algorithm 1; defaults and the factor lr as in PyTorch.
    """

    lr: float = learning_rate(1.0)
    rho: float = option(default=0.9, ge=0, lt=1, stack=True, help="Decay of both averages, 0-1.")
    eps: float = option(default=1e-6, gt=0, stack=True, help="Added to both averages, under the root.")

    vectors = ("V", "U")
    spares = ("root",)

    def bind(self, s: OptimizerSlot) -> None:
        s.e = s.scalar(s.exact.eps / (1 - s.exact.rho))

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.grad, s.grad, s.root)
        np.multiply(s.V, s.o.rho, s.V)
        np.add(s.V, s.root, s.V)
        np.add(s.V, s.e, s.root)
        np.sqrt(s.root, s.root)
        np.divide(s.grad, s.root, s.grad)
        np.add(s.U, s.e, s.root)
        np.sqrt(s.root, s.root)
        np.multiply(s.grad, s.root, s.grad)  # d
        np.multiply(s.grad, s.grad, s.root)
        np.multiply(s.U, s.o.rho, s.U)
        np.add(s.U, s.root, s.U)
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
