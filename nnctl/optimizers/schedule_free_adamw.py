"""Adam with an average of its points in place of a schedule."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate


@component("schedule_free_adamw", examples=[{}, {"lr": 0.01, "beta1": 0.95, "beta2": 0.99, "weight_decay": 0.1}])
class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW, ``z -= lr grad / (sqrt(v') + eps)``, ``x += c (z - x)``, ``y = (1 - beta1) z + beta1 x``.

    The gradient is taken at y, which is theta; x, an average of all z, is what evaluation, best and predictions use.
    ``c = lr_max^2 / sum lr_max^2`` with lr_max the largest learning rate so far, which is 1 / t at a constant one. The
    weights of z decay by ``lr weight_decay y``. The vector kept for v is ``V = v / (1 - beta2)``.
    Source: Defazio et al. 2024, algorithm 1; defaults and c as in the authors' package, warmup by the schedule
    (`constant`; any other contradicts what it does).
    """

    lr: float = learning_rate(0.0025)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()

    vectors = ("z", "x", "V")
    numbers = ("lr_max", "total")
    spares = ("part",)
    averaged = "x"
    bounded = ("z", "x", "theta")
    scheduled = False
    excludes = ("optimizer.ema",)
    reason = "averages the weights by itself"

    def bind(self, s: OptimizerSlot) -> None:
        s.z[...], s.x[...] = s.theta, s.theta
        s.a, s.e, s.c, s.shrink = s.scalar(), s.scalar(), s.scalar(), s.scalar()
        weights = s.decayed.shape[-1]
        s.z_weights, s.part_weights = s.z[..., :weights], s.part[..., :weights]

    def decay(self, s: OptimizerSlot, rate: float) -> None:
        s.shrink[...] = rate * s.exact.weight_decay
        np.multiply(s.decayed, s.shrink, s.part_weights)
        np.subtract(s.z_weights, s.part_weights, s.z_weights)

    def step(self, s: OptimizerSlot) -> None:
        self._scalars(s)
        np.multiply(s.grad, s.grad, s.part)
        np.multiply(s.V, s.o.beta2, s.V)
        np.add(s.V, s.part, s.V)
        np.sqrt(s.V, s.part)
        np.add(s.part, s.e, s.part)
        np.divide(s.grad, s.part, s.grad)
        np.multiply(s.grad, s.a, s.grad)
        np.subtract(s.z, s.grad, s.z)
        np.subtract(s.z, s.x, s.part)
        np.multiply(s.part, s.c, s.part)
        np.add(s.x, s.part, s.x)
        np.subtract(s.x, s.z, s.part)
        np.multiply(s.part, s.o.beta1, s.part)
        np.add(s.z, s.part, s.theta)

    def _scalars(self, s: OptimizerSlot) -> None:
        beta2 = s.exact.beta2
        root = ((1 - beta2) / (1 - beta2**s.t)) ** 0.5  # sqrt(v') = root sqrt(V)
        s.a[...] = s.rate / root
        s.e[...] = s.exact.eps / root
        s.lr_max[...] = np.maximum(s.lr_max, s.rate)
        s.total[...] += s.lr_max**2
        s.c[...] = s.lr_max**2 / np.maximum(s.total, np.finfo(np.float64).tiny)
