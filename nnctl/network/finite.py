"""Whether a vector is finite, at the price of one pass over it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Finite:
    """Says whether a vector holds finite numbers alone.

    Its product with itself is one: no other reduction is as fast, and none hides an infinity or what is no number. Only
    where it is not finite the elements are looked at, since the squares of large ones overflow.
    """

    def __init__(self, vector: NDArray[Any]) -> None:
        self._vector = vector.reshape(-1)
        self._product, self._squares = self._vector.dot, np.zeros((), vector.dtype)

    @classmethod
    def of(cls, vector: NDArray[Any]) -> bool:
        """Whether this vector does, for who asks once."""
        with np.errstate(all="ignore"):
            return cls(vector)()

    def __call__(self) -> bool:
        return math.isfinite(self._product(self._vector, self._squares)) or bool(np.isfinite(self._vector).all())
