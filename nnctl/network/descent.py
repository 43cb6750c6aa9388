"""The slot of an optimizer: theta, its gradient, and the optimizer's own vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.network.members import exact_options, stacked_options
from nnctl.optimizers import Optimizer, OptimizerSlot

Array = NDArray[Any]


def optimizer_slot(optimizers: Sequence[Optimizer], theta: Array, grad: Array, *, decayed: int) -> OptimizerSlot:
    """A fresh slot for the optimizer of every member (one for a single network).

    Shapes: theta, grad (*K, P); the first ``decayed`` elements are those that weight decay applies to.
    """
    members = theta.shape[:-1]
    slot = OptimizerSlot()
    slot.theta, slot.grad, slot.decayed, slot.dtype = theta, grad, theta[..., :decayed], theta.dtype
    for name in (*optimizers[0].vectors, *optimizers[0].spares):
        setattr(slot, name, np.zeros_like(theta))
    for name in optimizers[0].numbers:
        setattr(slot, name, slot.number())
    slot.o = stacked_options(optimizers, members, 1, theta.dtype)
    slot.exact = exact_options(optimizers, members)
    optimizers[0].attach(slot)
    return slot
