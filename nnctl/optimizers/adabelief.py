"""Adam by the deviation of the gradient from its average."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, learning_rate


@component("adabelief", examples=[{}, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99, "eps": 1e-8}])
class AdaBelief(Optimizer):
    """AdaBelief, ``theta -= lr m' / (sqrt(s') + eps)``, ``s = beta2 s + (1 - beta2) (grad - m)^2 + eps``.

    m' and s' are corrected for their bias as in adam. The vectors kept are ``M = m / (1 - beta1)`` and
    ``S = s / (1 - beta2)``.
    Source: Zhuang et al. 2020, algorithm 2; eps as in the authors' package (1e-8 in the paper).
    """

    lr: float = learning_rate(0.001)
    beta1: float = beta1()
    beta2: float = option(default=0.999, ge=0, lt=1, stack=True, help="Decay of the averaged squared deviation, 0-1.")
    eps: float = option(default=1e-16, gt=0, stack=True, help="Added to the averaged square and to its root.")

    vectors = ("M", "S")
    spares = ("apart",)

    def bind(self, s: OptimizerSlot) -> None:
        s.a, s.e = s.scalar(), s.scalar()
        s.share = s.scalar(1 - s.exact.beta1)
        s.floor = s.scalar(s.exact.eps / (1 - s.exact.beta2))

    def step(self, s: OptimizerSlot) -> None:
        beta1, beta2 = s.exact.beta1, s.exact.beta2
        root = ((1 - beta2) / (1 - beta2**s.t)) ** 0.5  # sqrt(s') = root sqrt(S)
        s.a[...] = s.rate * (1 - beta1) / (1 - beta1**s.t) / root
        s.e[...] = s.exact.eps / root
        np.multiply(s.M, s.o.beta1, s.M)
        np.add(s.M, s.grad, s.M)
        np.multiply(s.M, s.share, s.apart)
        np.subtract(s.grad, s.apart, s.grad)
        np.multiply(s.grad, s.grad, s.grad)
        np.multiply(s.S, s.o.beta2, s.S)
        np.add(s.S, s.grad, s.S)
        np.add(s.S, s.floor, s.S)
        np.sqrt(s.S, s.grad)
        np.add(s.grad, s.e, s.grad)
        np.divide(s.M, s.grad, s.grad)
        np.multiply(s.grad, s.a, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
