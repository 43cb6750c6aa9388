"""What the hinge losses share: targets as sides, -1 and 1, of a boundary at 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import section
from nnctl.losses import ROWS, Array
from nnctl.losses.elementwise import Elementwise


@section
class Hinged(Elementwise):
    """A loss of how far a score falls short of 1 on its side, ``z = 2 t - 1``, which is -1 or 1.

    A row is positive where y > 0; there are no probabilities. Several labels are averaged.
    """

    tasks = frozenset({"binary", "multilabel"})
    probabilities = False
    boundary = 0.0

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {**super().scratch(width), "side": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        s.two = s.constant(2)

    def fall_short(self, s: Any, short: Array) -> None:
        """Write the sides, and ``max(0, 1 - z y)``."""
        np.multiply(s.t, s.two, s.side)
        np.subtract(s.side, s.one, s.side)
        np.multiply(s.side, s.y, short)
        np.subtract(s.one, short, short)
        np.maximum(short, s.zero, out=short)

    def scores(self, t: Array) -> Array:
        return 2 * np.asarray(t, np.float64) - 1
