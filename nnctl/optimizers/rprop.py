"""Resilient backpropagation: steps by the sign of the gradient, each of a size of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Optimizer, OptimizerSlot, learning_rate


@component("rprop", examples=[{}, {"eta_minus": 0.4, "eta_plus": 1.5, "step_max": 0.1, "step_init": 0.02}])
class Rprop(Optimizer):
    """Rprop, ``theta -= lr d sign(grad)``.

    d grows by eta_plus while the sign stays, and shrinks by eta_minus when it turns: then there is no step, and the
    next one counts as the first. Meant for ``batch_size: full``: the signs of small batches turn by chance. ``lr`` is
    a factor on all steps, 1 in the source; schedules and weight decay act through it.
    Source: Riedmiller and Braun 1993, in the form of PyTorch (its ``lr`` is ``step_init``).
    """

    lr: float = learning_rate(1.0)
    eta_minus: float = option(default=0.5, gt=0, lt=1, stack=True, help="Factor on a step whose sign has turned.")
    eta_plus: float = option(default=1.2, gt=1, stack=True, help="Factor on a step whose sign has stayed.")
    step_min: float = option(default=1e-6, gt=0, stack=True, help="Smallest step.")
    step_max: float = option(default=50.0, gt=0, stack=True, help="Largest step.")
    step_init: float = option(default=0.01, gt=0, stack=True, help="First step.")

    vectors = ("sign", "d")
    spares = ("change",)

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if self.step_min > self.step_max:
            yield "step_min", f"must be <= `step_max`, which is {self.step_max:g}, got {self.step_min:g}"
        elif not self.step_min <= self.step_init <= self.step_max:
            between = f"between `step_min` and `step_max`, {self.step_min:g} and {self.step_max:g}"
            yield "step_init", f"must be {between}, got {self.step_init:g}"

    def bind(self, s: OptimizerSlot) -> None:
        s.d[...] = s.o.step_init
        s.turned = np.zeros(s.theta.shape, bool)

    def step(self, s: OptimizerSlot) -> None:
        np.sign(s.grad, s.grad)
        np.multiply(s.grad, s.sign, s.sign)  # 1 where the sign stays, -1 where it turns, 0 after a turn
        s.change.fill(1)
        np.greater(s.sign, 0, s.turned)
        np.copyto(s.change, s.o.eta_plus, where=s.turned)
        np.less(s.sign, 0, s.turned)
        np.copyto(s.change, s.o.eta_minus, where=s.turned)
        np.multiply(s.d, s.change, s.d)
        np.maximum(s.d, s.o.step_min, out=s.d)
        np.minimum(s.d, s.o.step_max, out=s.d)
        np.copyto(s.grad, 0, where=s.turned)
        np.copyto(s.sign, s.grad)
        np.multiply(s.grad, s.d, s.grad)
        np.multiply(s.grad, s.lr, s.grad)
        np.subtract(s.theta, s.grad, s.theta)
