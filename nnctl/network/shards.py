"""Shards: a batch split over the threads of a team, with a workspace and a gradient for each part."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnctl.losses import Loss
from nnctl.network.arena import Arena
from nnctl.network.members import Streams
from nnctl.network.network import Network
from nnctl.network.reduction import Reduction
from nnctl.network.team import Team
from nnctl.network.workspace import Part, Pass, Workspace

Array = NDArray[Any]


class Source(Protocol):
    """Where the rows of a batch come from."""

    def load(self, batch: int, run: Pass, first: int) -> None:
        """Gather as many of them as the pass holds, from ``first`` on."""

    def load_weights(self, batch: int, w: Array) -> None:
        """Gather the weights of all of them."""


def splits(network: Network, loss: Loss) -> bool:
    """Whether the parts of a batch can run side by side: no row needs the others, no forward pass moves statistics."""
    return not coupled(network, loss) and not network.members


def coupled(network: Network, loss: Loss) -> str:
    """What needs all rows of a batch at once, or moves statistics in its forward pass, by its name; empty: nothing."""
    for node in network.walk():
        if node.layer.couples_rows or node.plan.statistics:
            return f"{node.layer.name} ({node.name})"
    return loss.name if loss.couples_rows else ""


class Shards:
    """What a workspace is for a whole batch, for a batch in parts; the parameters and the gradient are the arena's.

    There are as many parts as ``streams``, which the rows fall to in order, the same number to each or one more to
    some: as many as there are rows, if there are fewer. Each draws its random numbers from its own stream. The bits
    depend on the number of parts, never on that of the threads that work on them.
    """

    def __init__(
        self,
        network: Network,
        loss: Loss,
        arena: Arena,
        rows: int,
        *,
        team: Team,
        streams: Sequence[Streams],
        source: Source,
        weighted: bool = False,
    ) -> None:
        if not splits(network, loss):
            raise ValueError("the rows of a batch of this network hang together")
        self.team, self.source, self.weighted = team, source, weighted
        others = [arena.vector() for _ in streams[1:]]
        self.reduction = Reduction(arena.grad, others, team)
        most = -(-rows // len(streams))
        self.spaces = [
            Workspace(network, [loss], own, most, training=True, streams=each, weighted=weighted)
            for own, each in zip([arena, *map(arena.with_grad, others)], streams, strict=True)
        ]
        self._passes: dict[int, ShardedPass] = {}

    def load(self, batch: int, run: ShardedPass) -> None:
        """Say which batch the pass is about."""
        run.load(batch)

    def at(self, rows: int) -> ShardedPass:
        """The pass over a batch of so many rows, made on the first call."""
        if rows not in self._passes:
            self._passes[rows] = ShardedPass(self, rows)
        return self._passes[rows]


class ShardedPass:
    """A pass over a batch in parts, used as a ``Pass`` is, but that it gathers its rows itself: ``load`` says which.

    Threads are handed work once for all that comes before the sum: ``forward`` goes on to the gradients of the parts
    whose loss is finite, ``backward`` adds them up.
    """

    def __init__(self, shards: Shards, rows: int) -> None:
        self.rows, self._shards = rows, shards
        self.batch = 0
        count = min(rows, len(shards.spaces))
        self._bounds = bounds = [place * rows // count for place in range(count + 1)]
        self.w: Any = np.empty(rows, shards.spaces[0].arena.dtype) if shards.weighted else None
        self.parts = [
            space.new(stop - start, Part(rows, self.w, start))
            for space, (start, stop) in zip(shards.spaces, pairwise(bounds), strict=False)
        ]
        self._losses = [0.0] * count
        self._tasks = [partial(self._learn, place) for place in range(count)]

    def load(self, batch: int) -> None:
        """Say which batch the next ``forward`` is about."""
        self.batch = batch
        if self.w is not None:
            self._shards.source.load_weights(batch, self.w)

    def forward(self) -> None:
        """Gather the batch, run it forward, and each part backward if its loss is finite."""
        self._shards.team.run(self._tasks)

    def backward(self) -> None:
        """Write the gradient of ``loss_sum / weight`` to the arena's ``grad``."""
        self._shards.reduction.add(len(self.parts) - 1)

    def loss_sum(self) -> float:
        """The sum of the rows' losses, each times its weight."""
        return sum(self._losses)

    def weight(self) -> Any:
        """What ``loss_sum`` is to be divided by: the rows, or the sum of their weights."""
        return self.rows if self.w is None else np.add.reduce(self.w, dtype=np.float64)

    def _learn(self, place: int) -> None:
        part = self.parts[place]
        self._shards.source.load(self.batch, part, self._bounds[place])
        part.forward()
        loss = self._losses[place] = float(part.loss_sum())
        if math.isfinite(loss):
            part.backward()
