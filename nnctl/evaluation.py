"""Evaluation: a network's loss and metrics on all rows of a part of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.data.target import Target
from nnctl.layers import ROWS
from nnctl.losses import Loss
from nnctl.metrics import Metric, Predictions
from nnctl.network.arena import Arena
from nnctl.network.network import Network
from nnctl.network.workspace import Workspace

Array = NDArray[Any]

MOST_ROWS = 1024  # at a time
MOST_NUMBERS = 2**22  # in one activation of so many rows


class Evaluator:
    """Runs a network on rows it does not learn from."""

    def __init__(self, network: Network, loss: Loss, arena: Arena) -> None:
        self.network, self.loss = network, loss
        self.rows = rows_at_once(network)
        self._space = Workspace(network, [loss], arena, self.rows, training=False)

    def outputs(self, x: Array) -> Array:
        """The outputs (N, O) in float64, the link of the loss applied."""
        return self._run(x, None)[0]

    def judge(self, examples: Examples, target: Target) -> tuple[float, Predictions]:
        """The loss on all rows, and what the network says about them."""
        outputs, loss = self._run(examples.x, examples.t, examples.w)
        return loss, target.predictions(self.loss.point(outputs), examples.truth, examples.weight)

    def evaluate(self, examples: Examples, target: Target, metrics: Sequence[Metric]) -> dict[str, float]:
        """The loss and the metrics by name, on all rows."""
        loss, predictions = self.judge(examples, target)
        with np.errstate(all="ignore"):
            return {"loss": loss, **{metric.name: metric.compute(predictions) for metric in metrics}}

    def _run(self, x: Array, t: Array | None, w: Array | None = None) -> tuple[Array, float]:
        """The outputs, and the mean loss, weighted by w (N,), where there are targets."""
        scores = np.empty((len(x), *self.network.output), x.dtype)
        losses = np.empty(len(x))
        with np.errstate(all="ignore"):  # ruined weights give a loss that is not finite, which says it all
            for start in range(0, len(x), self.rows):
                stop = min(start + self.rows, len(x))
                run = self._space.at(stop - start)
                run.x[...] = x[start:stop]
                run.t[...] = 0 if t is None else t[start:stop]
                run.forward()
                scores[start:stop] = run.scores
                losses[start:stop] = run.losses
            return self.loss.predict(scores), _mean(losses, w)


def _mean(losses: Array, w: Array | None) -> float:
    """The mean loss; rows of weight 0 do not count, whatever their loss."""
    if w is None:
        return float(losses.sum()) / max(len(losses), 1)
    counting, weights = w > 0, w.astype(np.float64)
    return float((weights[counting] * losses[counting]).sum() / weights.sum())


def rows_at_once(network: Network) -> int:
    """How many rows are evaluated together: a power of two, fewer where activations are large.

    It depends on the network alone, so that the same rows give the same bits in training and in `nnctl eval`.
    """
    widest = math.prod(network.input)
    for node in network.walk():
        arrays = [scratch.shape_in(training=False) for scratch in node.plan.scratch.values()]
        of_rows = [[size for size in shape if size != ROWS] for shape in arrays if ROWS in shape]
        widest = max(widest, math.prod(node.plan.output), *map(math.prod, of_rows))
    fitting = max(1, MOST_NUMBERS // widest)
    return min(MOST_ROWS, 1 << (fitting.bit_length() - 1))
