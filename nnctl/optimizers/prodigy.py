"""Adam that finds its learning rate by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.optimizers import Array, Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate


@component("prodigy", examples=[{}, {"lr": 0.5, "beta1": 0.8, "beta2": 0.99, "d0": 1e-4, "weight_decay": 0.1}])
class Prodigy(Optimizer):
    """Prodigy, ``theta -= lr d m / (sqrt(v) + d eps)``; d estimates the distance from the start to the minimum.

    m and v are adam's averages of ``d grad`` and ``(d grad)^2``, without correction of bias. d never falls:
    ``d = max(d, r / |w|_1)`` with r and w the decaying sums of ``d^2 lr grad (start - theta)`` and ``d^2 lr grad``, by
    beta3 = sqrt(beta2). ``lr`` stays 1; schedules act through it. Weights decay by ``lr d weight_decay theta``.
    All is kept in units of d0 (m / d0, v / d0^2), so that squares of small numbers do not vanish, and start - theta in
    a vector of its own: at first it is smaller than theta's last digits.
    Source: Mishchenko and Defazio 2023, algorithm 4; defaults as in the authors' package, whose eps meets the next d.
    """

    lr: float = learning_rate(1.0)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon()
    d0: float = option(default=1e-6, gt=0, stack=True, help="First estimate of the distance.")

    vectors = ("M", "V", "w", "moved")
    numbers = ("d", "r")
    spares = ("part",)
    elementwise = False

    def bind(self, s: OptimizerSlot) -> None:
        s.d[...] = 1  # in units of d0
        s.beta3 = s.exact.beta2**0.5
        s.a, s.e, s.b, s.fade = s.scalar(), s.scalar(), s.scalar(), s.scalar(s.beta3)
        weights = s.decayed.shape[-1]
        s.moved_weights, s.part_weights = s.moved[..., :weights], s.part[..., :weights]

    def decay(self, s: OptimizerSlot, rate: float) -> None:
        """In ``step``, once the gradient has met the theta that it was taken at."""

    def bound(self, s: OptimizerSlot, apply: Callable[[], None]) -> None:
        np.copyto(s.part, s.theta)
        apply()
        np.subtract(s.part, s.theta, s.part)
        np.add(s.moved, s.part, s.moved)

    def step(self, s: OptimizerSlot) -> None:
        estimate = self._estimate(s)
        rate = s.rate * s.exact.d0 * s.d
        s.a[...] = s.d  # m / (1 - beta1) and v / (1 - beta2) are kept, in units of d0
        root = (1 - s.exact.beta2) ** 0.5
        s.e[...] = s.d * s.exact.eps / root
        s.b[...] = rate * (1 - s.exact.beta1) / root
        np.multiply(s.grad, s.a, s.grad)
        np.multiply(s.M, s.o.beta1, s.M)
        np.add(s.M, s.grad, s.M)
        np.multiply(s.grad, s.grad, s.grad)
        np.multiply(s.V, s.o.beta2, s.V)
        np.add(s.V, s.grad, s.V)
        np.sqrt(s.V, s.grad)
        np.add(s.grad, s.e, s.grad)
        np.divide(s.M, s.grad, s.grad)
        np.multiply(s.grad, s.b, s.grad)
        if s.decays:
            s.b[...] = rate * s.exact.weight_decay
            np.multiply(s.decayed, s.b, s.part_weights)
            np.subtract(s.decayed, s.part_weights, s.decayed)
            np.add(s.moved_weights, s.part_weights, s.moved_weights)
        np.subtract(s.theta, s.grad, s.theta)
        np.add(s.moved, s.grad, s.moved)
        s.d[...] = np.maximum(s.d, estimate)

    def _estimate(self, s: OptimizerSlot) -> Any:
        """Take the gradient into r and w; the distance that they tell, in units of d0."""
        share = s.rate * s.d**2
        np.multiply(s.moved, s.grad, s.part)
        s.r[...] = s.beta3 * s.r + share * self._sum(s, s.part)
        s.a[...] = share
        np.multiply(s.grad, s.a, s.part)
        np.multiply(s.w, s.fade, s.w)
        np.add(s.w, s.part, s.w)
        np.absolute(s.w, s.part)
        return s.r / np.maximum(self._sum(s, s.part), np.finfo(np.float64).tiny) / s.exact.d0

    def _sum(self, s: OptimizerSlot, vector: Array) -> Any:
        """The sum over theta's elements: a number, or (K, 1) for a stack."""
        total = np.add.reduce(vector, -1, np.float64)
        return total[..., None] if s.theta.ndim > 1 else total
