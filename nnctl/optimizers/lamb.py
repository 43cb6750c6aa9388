"""Adam with a step as long as the parameters that it moves."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nnctl.component import component
from nnctl.optimizers import Optimizer, OptimizerSlot, beta1, beta2, epsilon, learning_rate
from nnctl.optimizers.moments import average, corrections, direct


@component("lamb", examples=[{}, {"lr": 0.01, "beta1": 0.8, "eps": 1e-3, "weight_decay": 0.1}])
class Lamb(Optimizer):
    """LAMB, ``theta -= lr (|theta| / |u|) u`` with adam's direction ``u = m' / (sqrt(v') + eps)``.

    The norms are those of one parameter (a matrix, an offset) at a time; where one of the two is 0 their ratio counts
    as 1. Biases and norms are parameters like others, as the paper has it; TensorFlow Addons can leave them out of the
    ratio. The vectors kept are ``M = m / (1 - beta1)`` and ``V = v / (1 - beta2)``.
    Source: You et al. 2020, algorithm 2, with phi the identity; but weight decay stays beside the step, as for every
    optimizer here, where the paper makes it a part of u. PyTorch has none.
    """

    lr: float = learning_rate(0.001)
    beta1: float = beta1()
    beta2: float = beta2()
    eps: float = epsilon(1e-6)

    vectors = ("M", "V")
    spares = ("squares",)
    elementwise = False

    def bind(self, s: OptimizerSlot) -> None:
        s.a, s.e = s.scalar(), s.scalar()
        shape = (*s.theta.shape[:-1], len(s.segments) - 1)
        s.lengths, s.moves, s.trust = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        s.nonzero, s.rates = np.zeros(shape, bool), np.zeros(shape, s.dtype)
        s.parts = [slice(*bounds) for bounds in pairwise(s.segments)]

    def step(self, s: OptimizerSlot) -> None:
        s.a[...], s.e[...] = corrections(s, 1.0)
        average(s)
        direct(s, s.V)
        self._trust(s)
        np.multiply(s.trust, s.rate, s.rates, casting="same_kind")
        for place, part in enumerate(s.parts):
            np.multiply(s.grad[..., part], s.rates[..., place, None], s.grad[..., part])
        np.subtract(s.theta, s.grad, s.theta)

    def _trust(self, s: OptimizerSlot) -> None:
        """Write |theta| / |u| of every parameter to ``s.trust``."""
        for vector, sums in ((s.theta, s.lengths), (s.grad, s.moves)):
            np.multiply(vector, vector, s.squares)
            for place, part in enumerate(s.parts):
                np.add.reduce(s.squares[..., part], -1, np.float64, sums[..., place])
        np.multiply(s.lengths, s.moves, s.trust)
        np.greater(s.trust, 0, s.nonzero)
        s.trust.fill(1)
        np.divide(s.lengths, s.moves, s.trust, where=s.nonzero)
        np.sqrt(s.trust, s.trust)
