"""The reduction: the gradients of the parts of a batch become the gradient of the batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.network.team import Task, Team

Array = NDArray[Any]

CHUNK = 2**16  # numbers that are added up together: those of two gradients fit into the cache of a core
LONG = 2**18  # numbers that are worth waking another thread for


class Reduction:
    """``total += the others, one after the other``: the one place where what the parts of a batch found comes together.

    Everything before it belongs to one part alone, everything behind it sees the gradient of the whole batch. Were
    other parts computed by other processes, on other hosts, they would join here: one sum of one flat vector (an
    all-reduce of ``total``), in a fixed order, as the bits depend on it.

    Shapes: total and each of the others (P,)
    """

    def __init__(self, total: Array, others: Sequence[Array], team: Team) -> None:
        self._total, self._others, self._team = total, others, team
        starts = range(0, len(total), CHUNK if len(total) >= LONG else LONG)
        self._squares = np.zeros(len(starts), total.dtype)
        self._chunks = [slice(start, start + starts.step) for start in starts]
        self._tasks: dict[int, list[Task]] = {}

    def add(self, count: int) -> None:
        """Add the first ``count`` of the others."""
        if count not in self._tasks:  # that of a whole batch, and perhaps that of the last one
            self._tasks[count] = [
                partial(
                    _add, self._total[chunk], [each[chunk] for each in self._others[:count]], self._squares[at, ...]
                )
                for at, chunk in enumerate(self._chunks)
            ]
        self._team.run(self._tasks[count])

    def finite(self) -> bool:
        """Whether the sum holds finite numbers alone; see ``Finite``, whose product is taken while a chunk is near."""
        return math.isfinite(np.add.reduce(self._squares)) or bool(np.isfinite(self._total).all())


def _add(total: Array, others: Sequence[Array], square: Array) -> None:
    for other in others:
        np.add(total, other, total)
    total.dot(total, square)
