"""Plain gradient descent."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("sgd", examples=[{}, {"lr": 0.1, "weight_decay": 0.01}])
class Sgd(Optimizer):
    """Gradient descent, ``theta -= lr grad``.

    With ``batch_size: full`` this is gradient descent proper, with ``batch_size: 1`` the single-sample form.
    Source: Robbins and Monro 1951.
    """

    lr: float = learning_rate(0.01)

    def step(self, s: OptimizerSlot) -> None:
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
