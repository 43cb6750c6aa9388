"""Batches: rows of the training part gathered into the buffers of a pass, in a new order for every epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.network.members import Streams
from nnctl.network.workspace import Pass

Array = NDArray[Any]

MANY_ROWS = 2**20  # from here on their order takes half the bytes; a batch of few is gathered faster by 64-bit indices


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """The rows of one part of the data.

    Shapes: x (N, F) features; t (N, T) what the loss compares with; truth (N,) class codes, (N, L) label codes or
            (N, T) numbers; w (N,) weights of the rows in the loss, those of their classes put in; weight (N,) the
            column of weights alone, which metrics use
    ``remembered`` is for metrics, see ``Predictions.of_truth``.
    """

    x: Array
    t: Array
    truth: Array
    w: Array | None = None
    weight: Array | None = None
    remembered: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.x)

    def same(self, other: Examples) -> bool:
        """Whether these are the same rows: the same objects, or equal ones."""
        return self is other or all(
            _equal(getattr(self, name), getattr(other, name)) for name in ("x", "t", "truth", "w", "weight")
        )


def _equal(one: Array | None, other: Array | None) -> bool:
    if one is other or one is None or other is None:
        return one is other
    return one.dtype == other.dtype and np.array_equal(one, other)


class Batches:
    """The batches of one epoch after the other.

    The last batch of an epoch holds the rows that remain. A batch of all rows is copied once and never shuffled:
    the order of the rows does not matter to its mean. The order (*K, N) is shuffled from the order before it, so it is
    part of the state of a run.
    """

    def __init__(self, examples: Examples, size: int, *, shuffle: bool, streams: Streams) -> None:
        self.examples, self.size = examples, min(size, len(examples))
        self.whole = self.size == len(examples)
        self.weights: Any = examples.w
        self.shuffles, self.streams = shuffle and not self.whole, streams
        rows = np.arange(len(examples), dtype=np.int32 if MANY_ROWS <= len(examples) < 2**31 else np.int64)
        self.order: Array = np.tile(rows, (*streams.members, 1)) if streams.members else rows
        self._loaded: dict[int, Pass] = {}  # by the first of its rows

    def __len__(self) -> int:
        """The number of batches in an epoch."""
        return -(-len(self.examples) // self.size)

    def rows(self, batch: int) -> int:
        """The number of rows in that batch of an epoch."""
        return min(self.size, len(self.examples) - batch * self.size)

    def shuffle(self) -> None:
        """Begin an epoch."""
        if self.shuffles:
            self.streams.shuffle(self.order)

    def load(self, batch: int, run: Pass, first: int = 0) -> None:
        """Gather that batch of the epoch into the pass, or as many of its rows as that holds, from ``first`` on."""
        if self.whole:
            if self._loaded.get(first) is not run:
                own = slice(first, first + run.rows)
                run.x[...], run.t[...] = self.examples.x[own], self.examples.t[own]
                if run.w is not None:
                    run.w[...] = self.weights[own]
                self._loaded[first] = run
            return
        start = batch * self.size + first
        rows = self.order[..., start : start + run.rows]
        self.examples.x.take(rows, 0, run.x, "clip")
        self.examples.t.take(rows, 0, run.t, "clip")
        if run.w is not None:
            self.weights.take(rows, 0, run.w, "clip")

    def load_weights(self, batch: int, w: Array) -> None:
        """Gather the weights of that batch of the epoch into ``w`` (B,)."""
        if self.whole:
            w[...] = self.weights
            return
        start = batch * self.size
        self.weights.take(self.order[start : start + len(w)], 0, w, "clip")
