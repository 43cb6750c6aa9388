"""Adagrad."""

from __future__ import annotations

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, epsilon, learning_rate


@component("adagrad", examples=[{}, {"initial_accumulator": 0.1, "eps": 1e-6}])
class Adagrad(Optimizer):
    """Adagrad, ``a += grad^2``, ``theta -= lr grad / (sqrt(a) + eps)``.

    Source: Duchi, Hazan and Singer 2011, in its diagonal form; defaults and eps (outside the root) as in PyTorch.
    """

    lr: float = learning_rate(0.01)
    initial_accumulator: float = option(default=0.0, ge=0, stack=True, help="Sum of the squares before the first step.")
    eps: float = epsilon(1e-10)

    vectors = ("a",)
    spares = ("root",)

    def bind(self, s: OptimizerSlot) -> None:
        s.a[...] = s.o.initial_accumulator

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.grad, s.grad, s.root)
        np.add(s.a, s.root, s.a)
        np.sqrt(s.a, s.root)
        np.add(s.root, s.o.eps, s.root)
        np.divide(s.grad, s.root, s.grad)
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
