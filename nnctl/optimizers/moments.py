"""The averages of the gradient and of its square that adam and its relatives keep.

``M = m / (1 - beta1)`` and ``V = v / (1 - beta2)``, so that each is one product and one sum; what is left of the
corrections of bias are two scalars a step: ``m' / (sqrt(v') + eps) = a M / (sqrt(V) + e)``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnctl.optimizers import OptimizerSlot


def average(s: OptimizerSlot) -> None:
    """Take the gradient into M and V; it is scratch afterwards."""
    np.multiply(s.M, s.o.beta1, s.M)
    np.add(s.M, s.grad, s.M)
    np.multiply(s.grad, s.grad, s.grad)
    np.multiply(s.V, s.o.beta2, s.V)
    np.add(s.V, s.grad, s.V)


def corrections(s: OptimizerSlot, rate: Any) -> tuple[Any, Any]:
    """The factor a of M, times the rate, and the e beside the root of V: Python floats, or (K, 1) in a stack."""
    beta1, beta2 = s.exact.beta1, s.exact.beta2
    root = ((1 - beta2) / (1 - beta2**s.t)) ** 0.5  # sqrt(v') = root sqrt(V)
    return rate * (1 - beta1) / (1 - beta1**s.t) / root, s.exact.eps / root


def direct(s: OptimizerSlot, square: Any) -> None:
    """Leave ``a M / (sqrt(square) + e)`` in the gradient, with the slot's scalars a and e."""
    np.sqrt(square, s.grad)
    np.add(s.grad, s.e, s.grad)
    np.divide(s.M, s.grad, s.grad)
    np.multiply(s.grad, s.a, s.grad)
