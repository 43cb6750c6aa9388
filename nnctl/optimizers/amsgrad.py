"""Adam with a memory for its largest averaged square."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate
from nnctl.optimizers.moments import average, corrections, direct


@component("amsgrad", examples=[{}, {"lr": 0.01, "beta1": 0.8, "beta2": 0.99}])
class AmsGrad(Optimizer):
    """AMSGrad, Adam with ``theta -= lr m' / (sqrt(w') + eps)``, ``w = max(w, v)``: no step grows back.

    The vectors kept are m, v and w divided by ``1 - beta1`` and ``1 - beta2``, as in adam.
    Source: Reddi, Kale and Kumar 2018; with the corrections of bias that PyTorch keeps (the paper has none).
    """

    lr: float = learning_rate(0.001)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()

    vectors = ("M", "V", "W")

    def bind(self, s: OptimizerSlot) -> None:
        s.a, s.e = s.scalar(), s.scalar()

    def step(self, s: OptimizerSlot) -> None:
        s.a[...], s.e[...] = corrections(s, s.rate)
        average(s)
        np.maximum(s.W, s.V, out=s.W)
        direct(s, s.W)
        np.subtract(s.theta, s.grad, s.theta)
