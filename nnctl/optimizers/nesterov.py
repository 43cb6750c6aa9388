"""Gradient descent with Nesterov's momentum."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("nesterov", examples=[{}, {"momentum": 0.5}])
class Nesterov(Optimizer):
    """Nesterov's momentum, ``v = momentum v + grad``, ``theta -= lr (grad + momentum v)``.

    Source: Sutskever et al. 2013, in the form of PyTorch (the gradient is taken at theta, the step looks ahead).
    """

    lr: float = learning_rate(0.01)
    momentum: float = option(default=0.9, ge=0, lt=1, stack=True, help="Share of the velocity that is kept, 0-1.")

    vectors = ("v",)
    spares = ("ahead",)

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.v, s.o.momentum, s.v)
        np.add(s.v, s.grad, s.v)
        np.multiply(s.v, s.o.momentum, s.ahead)
        np.add(s.grad, s.ahead, s.grad)
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
