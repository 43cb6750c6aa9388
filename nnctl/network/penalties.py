"""Penalties: what the size of the weights adds to the loss of a batch, and the bound on the weights into a unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import option, section
from nnctl.network.arena import Arena
from nnctl.network.members import stacked_options

Array = NDArray[Any]


@section
class Regularization:
    """Penalties on the weights, never on biases and norms; reported losses leave them out."""

    l1: float = option(default=0.0, ge=0, stack=True, help="Factor of the sum of |w|, added to a batch's loss.")
    l2: float = option(default=0.0, ge=0, stack=True, help="Factor of half the sum of w^2, added to a batch's loss.")
    max_norm: float | None = option(
        default=None,
        gt=0,
        stack=True,
        null=math.inf,
        help="Largest norm of the weights into a unit, held after every step.",
    )


class Penalties:
    """``l1 sum |w| + l2 / 2 sum w^2`` over the weights w of an arena, its gradient, and the bound ``max_norm``.

    The weights into a unit are all that share the last index of their array: a column of W (I, O), all of a filter.
    Source: Srivastava et al. 2014 for the bound.
    """

    def __init__(self, variants: Sequence[Regularization], arena: Arena, bounded: Sequence[Array] = ()) -> None:
        self.o = stacked_options(variants, arena.members, 1, arena.dtype)
        self.w = arena.decayed
        self.grad = arena.grad[..., : self.w.shape[-1]]
        self.spare = np.zeros_like(self.w)
        self._l1, self._l2 = bool(np.any(self.o.l1 > 0)), bool(np.any(self.o.l2 > 0))
        self.adds = self._l1 or self._l2
        self.bounds = self.o.max_norm is not None
        self._largest = np.asarray(np.finfo(arena.dtype).max)[...]
        self._units = [self._by_unit(arena, flat) for flat in bounded] if self.bounds else []

    def add_gradient(self) -> None:
        """Add ``l1 sign(w) + l2 w`` to the gradient of the weights."""
        if self._l2:
            np.multiply(self.w, self.o.l2, self.spare)
            np.add(self.grad, self.spare, self.grad)
        if self._l1:
            np.sign(self.w, self.spare)
            np.multiply(self.spare, self.o.l1, self.spare)
            np.add(self.grad, self.spare, self.grad)

    def value(self) -> float:
        """The penalty of a single network."""
        value = 0.0
        if self._l1:
            np.absolute(self.w, self.spare)
            value += float(self.o.l1) * float(np.add.reduce(self.spare, dtype=np.float64))
        if self._l2:
            np.multiply(self.w, self.w, self.spare)
            value += float(self.o.l2) / 2 * float(np.add.reduce(self.spare, dtype=np.float64))
        return value

    def bound(self) -> None:
        """Scale the weights into each unit down to ``max_norm``, in all bounded vectors."""
        for units in self._units:
            for w, squares, norms, most in units:
                np.multiply(w, w, squares)
                np.add.reduce(squares, -2, None, norms, keepdims=True)
                np.sqrt(norms, norms)
                np.maximum(norms, most, out=norms)
                np.minimum(norms, self._largest, out=norms)  # else a member without a bound would lose huge weights
                np.divide(most, norms, norms)  # exactly 1 up to the bound
                np.multiply(w, norms, w)

    def _by_unit(self, arena: Arena, flat: Array) -> list[tuple[Array, ...]]:
        """Every array of weights as columns (*K, I, O), with working memory and the bound."""
        found = []
        most = np.minimum(self.o.max_norm, np.finfo(arena.dtype).max)  # no infinity, whose quotients are no numbers
        for segment in arena.parameters:
            if segment.decay:
                columns = (*arena.members, -1, segment.shape[-1])
                norms = np.zeros((*arena.members, 1, segment.shape[-1]), arena.dtype)
                views = (segment.view(vector).reshape(columns) for vector in (flat, self.spare))
                found.append((*views, norms, most[..., None]))
        return found
