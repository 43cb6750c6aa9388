"""Gradient descent with momentum."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("momentum", examples=[{}, {"momentum": 0.5}])
class Momentum(Optimizer):
    """Heavy-ball momentum, ``v = momentum v + grad``, ``theta -= lr v``.

    Source: Polyak 1964; the learning rate outside v, as in PyTorch, so that a schedule acts at once.
    """

    lr: float = learning_rate(0.01)
    momentum: float = option(default=0.9, ge=0, lt=1, stack=True, help="Share of the velocity that is kept, 0-1.")

    vectors = ("v",)

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.v, s.o.momentum, s.v)
        np.add(s.v, s.grad, s.v)
        np.multiply(s.v, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
