"""Adam with Nesterov's momentum."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate


@component("nadam", examples=[{}, {"lr": 0.01, "beta1": 0.8, "momentum_decay": 0.01}])
class NAdam(Optimizer):
    """NAdam, ``theta -= lr (a grad + b m) / (sqrt(v') + eps)``, v' as in adam.

    ``a = (1 - mu_t) / (1 - p_t)``, ``b = mu_t+1 / (1 - p_t mu_t+1)``, p_t is the product of all mu so far, and
    ``mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2)``. The vectors kept are ``M = m / (1 - beta1)`` and
    ``V = v / (1 - beta2)``.
    Source: Dozat 2016, as in PyTorch (v' corrected by ``1 - beta2^t``).
    """

    lr: float = learning_rate(0.002)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()
    momentum_decay: float = option(default=4e-3, ge=0, stack=True, help="Pace at which mu rises to beta1.")

    vectors = ("M", "V")
    numbers = ("p",)
    spares = ("part",)

    def bind(self, s: OptimizerSlot) -> None:
        s.p[...] = 1
        s.a, s.b, s.e = s.scalar(), s.scalar(), s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        beta1, beta2, pace = s.exact.beta1, s.exact.beta2, s.exact.momentum_decay
        mu, ahead = (beta1 * (1 - 0.96 ** (t * pace) / 2) for t in (s.t, s.t + 1))
        s.p[...] = s.p * mu
        root = ((1 - beta2) / (1 - beta2**s.t)) ** 0.5  # sqrt(v') = root sqrt(V)
        a = (1 - mu) / (1 - s.p)
        s.b[...] = ahead / (1 - s.p * ahead) * (1 - beta1) / a  # grad + b M comes first, then the factor a
        s.a[...] = s.rate * a / root
        s.e[...] = s.exact.eps / root
        np.multiply(s.M, s.o.beta1, s.M)
        np.add(s.M, s.grad, s.M)
        np.multiply(s.grad, s.grad, s.part)
        np.multiply(s.V, s.o.beta2, s.V)
        np.add(s.V, s.part, s.V)
        np.multiply(s.M, s.b, s.part)
        np.add(s.grad, s.part, s.grad)
        np.sqrt(s.V, s.part)
        np.add(s.part, s.e, s.part)
        np.divide(s.grad, s.part, s.grad)
        np.multiply(s.grad, s.a, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
