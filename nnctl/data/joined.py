"""The batches of a stack whose members learn from rows of their own, such as the folds of a cross-validation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnctl.data.batches import Array, Batches, Examples
from nnctl.network.members import Streams
from nnctl.network.workspace import Pass


class JoinedBatches(Batches):
    """As many rows for each member, all in one matrix, so that a batch of them all is one gather.

    The orders (K, N) are those of each member's own rows.
    """

    def __init__(self, parts: Sequence[Examples], size: int, *, shuffle: bool, streams: Streams) -> None:
        super().__init__(parts[0], size, shuffle=shuffle, streams=streams)
        self._parts = parts
        if self.whole:
            return
        self._x, self._t = (np.concatenate([getattr(part, name) for part in parts]) for name in ("x", "t"))
        self.weights = None if parts[0].w is None else np.concatenate([part.w for part in parts if part.w is not None])
        self._first = (np.arange(len(parts)) * len(parts[0]))[:, None]  # of each member's rows
        self._rows: dict[int, Array] = {}  # for so many rows: where they lie

    def load(self, batch: int, run: Pass, first: int = 0) -> None:
        if self.whole:
            self._load_whole(run)
            return
        start = batch * self.size
        if run.rows not in self._rows:
            self._rows[run.rows] = np.empty((len(self._parts), run.rows), np.int64)
        rows = np.add(self.order[:, start : start + run.rows], self._first, self._rows[run.rows])
        self._x.take(rows, 0, run.x, "clip")
        self._t.take(rows, 0, run.t, "clip")
        if run.w is not None:
            self.weights.take(rows, 0, run.w, "clip")

    def _load_whole(self, run: Pass) -> None:
        if self._loaded.get(0) is run:
            return
        for member, part in enumerate(self._parts):
            run.x[member], run.t[member] = part.x, part.t
            if run.w is not None:
                run.w[member] = part.w
        self._loaded[0] = run
