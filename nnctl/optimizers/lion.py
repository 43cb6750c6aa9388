"""Lion: steps of equal size by the sign of a mean."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("lion", examples=[{}, {"beta1": 0.95, "beta2": 0.98, "weight_decay": 0.01}])
class Lion(Optimizer):
    """Lion, ``theta -= lr sign(beta1 m + (1 - beta1) grad)``, then ``m = beta2 m + (1 - beta2) grad``.

    The vector kept is ``M = m / (1 - beta2)``; the sign is that of ``c M + grad``.
    Source: Chen et al. 2023, algorithm 2; the learning rate wants to be 3 to 10 times smaller than adam's.
    """

    lr: float = learning_rate(1e-4)
    beta1: float = option(default=0.9, ge=0, lt=1, stack=True, help="Share of the average in the step, 0-1.")
    beta2: float = option(default=0.99, ge=0, lt=1, stack=True, help="Decay of the average of the gradient, 0-1.")

    vectors = ("M",)
    spares = ("move",)

    def bind(self, s: OptimizerSlot) -> None:
        s.c = s.scalar(s.exact.beta1 * (1 - s.exact.beta2) / (1 - s.exact.beta1))

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.M, s.c, s.move)
        np.add(s.move, s.grad, s.move)
        np.multiply(s.M, s.o.beta2, s.M)
        np.add(s.M, s.grad, s.M)
        np.sign(s.move, s.grad)  # in place, NumPy branches for every element
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
