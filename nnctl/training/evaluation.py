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
from nnctl.metrics.predictions import kept
from nnctl.network.arena import Arena
from nnctl.network.network import Network
from nnctl.network.workspace import Workspace, loss_sum

Array = NDArray[Any]

MOST_ROWS = 4096  # at a time
CACHED = 2**18  # numbers in the widest activation of so many rows: a processor's own cache holds it, and the next one
FEWEST_ROWS = 256  # fewer multiply a large matrix slowly ...
MOST_NUMBERS = 2**20  # ... but no more than so many numbers in the widest activation


class Evaluator:
    """Runs a network on rows it does not learn from."""

    def __init__(self, network: Network, loss: Loss, arena: Arena) -> None:
        self.network, self.loss = network, loss
        self.rows = rows_at_once(network)
        self.space = Workspace(network, [loss], arena, self.rows, training=False)

    def outputs(self, x: Array) -> Array:
        """The outputs (N, O) in float64, the link of the loss applied."""
        scores = self._whole(Scoring(self, x)).scores
        with np.errstate(all="ignore"):
            return self.loss.predict(scores)

    def judge(self, examples: Examples, target: Target) -> tuple[float, Predictions]:
        """The loss on all rows, and what the network says about them."""
        scoring = self._whole(self.begin(examples))
        return scoring.loss, Judged.of(examples, self.loss, target, scoring.scores)

    def evaluate(self, examples: Examples, target: Target, metrics: Sequence[Metric]) -> dict[str, float]:
        """The loss and the metrics by name, on all rows."""
        return self.measure(self._whole(self.begin(examples)), examples, target, metrics)

    def begin(self, examples: Examples) -> Scoring:
        """Begin to score all rows, for one who has something else to do now and then: then comes ``measure``."""
        return Scoring(self, examples.x, examples.t, examples.w)

    def measure(
        self, scoring: Scoring, examples: Examples, target: Target, metrics: Sequence[Metric]
    ) -> dict[str, float]:
        """The loss and the metrics by name, once all rows are scored."""
        return {"loss": scoring.loss, **measured(scoring.scores, examples, self.loss, target, metrics)}

    def _whole(self, scoring: Scoring) -> Scoring:
        with np.errstate(all="ignore"):
            while not scoring.whole:
                scoring.advance()
        return scoring


class Scoring:
    """All rows of a part on their way through a network, some of them in each ``advance``; without t no loss is taken.

    Ruined weights give a loss that is not finite, which says it all: who advances says ``np.errstate``.

    Shapes: scores (N, O), those of the rows so far.
    """

    def __init__(self, evaluator: Evaluator, x: Array, t: Array | None = None, w: Array | None = None) -> None:
        self._space, self._rows = evaluator.space, evaluator.rows
        self._x, self._t, self._w = x, t, w
        self.scores = np.empty((len(x), *evaluator.network.output), x.dtype)
        self._done, self._loss, self._weight = 0, 0.0, 0.0

    @property
    def loss(self) -> float:
        """The mean loss of the rows so far, weighted by w (N,)."""
        return self._loss / self._weight if self._weight else math.nan

    @property
    def whole(self) -> bool:
        """Whether all rows are scored."""
        return self._done == len(self._x)

    def advance(self) -> None:
        """Score the next rows, of which there must be some."""
        start, stop = self._done, min(self._done + self._rows, len(self._x))
        run = self._space.at(stop - start)
        run.x[...] = self._x[start:stop]
        if self._t is None:
            run.score()
        else:
            run.t[...] = self._t[start:stop]
            run.forward()
            part, share = loss_and_weight(run.losses, None if self._w is None else self._w[start:stop])
            self._loss, self._weight = self._loss + part, self._weight + share
        self.scores[start:stop] = run.scores
        self._done = stop


class Judged(Predictions):
    """Predictions that are read off a network's scores (N, O) where a metric asks for them.

    Of many rows it keeps no more than the scores and, once asked for, the codes of classes. Scores that are no numbers
    make NumPy warn in the middle of a link: whoever asks says ``np.errstate``, once for all metrics.
    """

    loss: Loss
    target: Target
    scores: Array

    def __init__(
        self,
        loss: Loss,
        target: Target,
        scores: Array,
        truth: Array,
        weight: Array | None,
        remembered: dict[Any, Any] | None = None,
    ) -> None:
        # Into the dictionary, since a frozen dataclass lets no attribute be set.
        self.__dict__ |= {
            "task": target.task,
            "truth": truth,
            "classes": len(target.classes or target.pairs),
            "positive": target.positive,
            "weight": weight,
            "loss": loss,
            "target": target,
            "scores": scores,
            "remembered": {} if remembered is None else remembered,
        }

    @classmethod
    def of(cls, examples: Examples, loss: Loss, target: Target, scores: Array) -> Judged:
        """What the scores say about all rows of a part."""
        return cls(loss, target, scores, examples.truth, examples.weight, examples.remembered)

    def part(self, rows: slice) -> Predictions:
        found = self._part(rows)
        if self.classes:
            found.__dict__["predicted"] = self.predicted[rows]
        return found

    @kept
    def outputs(self) -> Array:
        """The outputs (N, T) in float64, one for each target."""
        return self.loss.point(self.loss.predict(self.scores))

    @kept
    def predicted(self) -> Array:
        if not self.few:
            return np.concatenate([self._part(rows).predicted for rows in self._slices()])
        return self.target.codes(self.outputs) if self.classes else self.target.values(self.outputs)

    @kept
    def probability(self) -> Array | None:
        if not (self.classes and self.target.probabilities):
            return None
        if not self.few:
            return np.concatenate([self.target.probability(self._part(rows).outputs) for rows in self._slices()])
        return self.target.probability(self.outputs)

    def share(self, code: int) -> Array:
        if self.target.task == "binary" and self.scores.shape[-1] == 1:
            return self.target.share(self.outputs, code)
        return super().share(code)

    def _part(self, rows: slice) -> Judged:
        weight = None if self.weight is None else self.weight[rows]
        return Judged(self.loss, self.target, self.scores[rows], self.truth[rows], weight)


def measured(
    scores: Array, examples: Examples, loss: Loss, target: Target, metrics: Sequence[Metric]
) -> dict[str, float]:
    """The metrics by name of scores (N, O) for all rows."""
    predictions = Judged.of(examples, loss, target, scores)
    with np.errstate(all="ignore"):
        return {metric.name: metric.compute(predictions) for metric in metrics}


def loss_and_weight(losses: Array, w: Array | None) -> tuple[float, float]:
    """The sum of the losses, and of the weights; rows of weight 0 do not count, whatever their loss."""
    if w is None:
        return loss_sum(losses), len(losses)
    counting, weights = w > 0, w.astype(np.float64)
    return float((weights[counting] * losses[counting]).sum()), float(weights.sum())


def rows_at_once(network: Network) -> int:
    """How many rows are evaluated together: a power of two, fewer where activations are large.

    It depends on the network alone, so that the same rows give the same bits in training and in `nnctl eval`. Against
    1,024 rows at a time 30-64-64-1 takes 0.81 x and 8-16-1 0.68 x the time, a network of convolutions 0.9 x.
    """
    widest = math.prod(network.input)
    for node in network.walk():
        arrays = [scratch.shape_in(training=False) for scratch in node.plan.scratch.values()]
        of_rows = [[size for size in shape if size != ROWS] for shape in arrays if ROWS in shape]
        widest = max(widest, math.prod(node.plan.output), *map(math.prod, of_rows))
    fitting = max(1, CACHED // widest, min(FEWEST_ROWS, MOST_NUMBERS // widest))
    return min(MOST_ROWS, 1 << (fitting.bit_length() - 1))
