"""What a loss asks of its targets beside being numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SUM_TOLERANCE = 1e-2  # shares are often written with two or three digits


@dataclass(frozen=True, slots=True)
class Asked:
    """The targets that a loss can learn from.

    Shapes: holds (N, T) -> (N, T), or (N, 1) for what is asked of a row; sample (N, T) -> (N, T)
    """

    what: str  # "must be ...", for messages
    holds: Callable[[Array], Array]  # which targets are as asked
    sample: Callable[[Array], Array]  # makes targets that are as asked of numbers of either sign
    of_rows: bool = False


def _shares(t: Array) -> Array:
    whole = np.abs(t.sum(axis=-1, keepdims=True, dtype=np.float64) - 1) <= SUM_TOLERANCE
    return np.asarray(whole & (t >= 0).all(axis=-1, keepdims=True))


def _rounded_shares(numbers: Array) -> Array:
    """Shares with three digits, so that their sum is hardly ever 1."""
    exponentials = np.exp(numbers)
    return np.asarray(np.round(exponentials / exponentials.sum(axis=-1, keepdims=True) + 0.0004, 3))


ANY = Asked("be a number", lambda t: np.ones(t.shape, bool), lambda numbers: numbers)
NOT_NEGATIVE = Asked("be >= 0", lambda t: t >= 0, lambda numbers: np.maximum(numbers, 0))
POSITIVE = Asked("be > 0", lambda t: t > 0, lambda numbers: np.abs(numbers) + 0.1)
NOT_ZERO = Asked("not be 0", lambda t: t != 0, lambda numbers: numbers + np.sign(numbers))
SHARES = Asked("be shares >= 0 that sum to 1", _shares, _rounded_shares, of_rows=True)
DIRECTION = Asked("not all be 0", lambda t: (t != 0).any(axis=-1, keepdims=True), lambda numbers: numbers, of_rows=True)
