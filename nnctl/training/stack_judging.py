"""The values of an epoch of all members of a stack: their losses and metrics in one pass over the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.losses import Loss
from nnctl.network.arena import Arena
from nnctl.network.finite import Finite
from nnctl.network.network import Network
from nnctl.network.workspace import Workspace, loss_sums
from nnctl.training.evaluation import loss_and_weight, measured, rows_at_once
from nnctl.training.judging import Judging
from nnctl.training.waiting import Values, Waiting

Array = NDArray[Any]


class Verdict(NamedTuple):
    """What an evaluation says about a member: its values by column name, those that decide, whether all is finite."""

    values: Mapping[str, float]
    judged: Mapping[str, float]
    finite: bool


class StackJudging:
    """Judges the members of a stack as ``Judging`` does a single network; ``alone`` is that of the first member."""

    def __init__(self, alone: Judging, network: Network, losses: Sequence[Loss], weights: Arena) -> None:
        self.job, self._alone, self._weights = alone.job, alone, weights
        self._rows = rows_at_once(network)
        self._space = Workspace(network, losses, weights, self._rows, training=False)
        self._finite = Finite(weights.theta)
        count = len(losses)
        self._scores = {
            part: np.empty((count, len(examples), *network.output), weights.dtype)
            for part, examples in alone.parts.items()
        }
        self._waiting = {
            part: Waiting(part, examples, self.job, count)
            for part, examples in alone.parts.items()
            if Waiting.fits(examples, self.job)
        }

    def verdicts(self, members: Sequence[int], means: Sequence[float]) -> list[Verdict]:
        """The verdicts on some members, whose mean losses over the epoch as the weights moved are given."""
        known: list[dict[str, float]] = [{} for _ in members]
        finite = [math.isfinite(mean) for mean in means]
        if not self._finite():
            sound = np.logical_and.reduce(np.isfinite(self._weights.theta), -1)
            finite = [each and bool(sound[member]) for each, member in zip(finite, members, strict=True)]
        for part, examples in self._alone.parts.items():
            losses = self._score(part, examples)
            for place, member in enumerate(members):
                loss = known[place][f"{part}_loss"] = losses[member]
                finite[place] = finite[place] and math.isfinite(loss)
            self._measure(part, examples, members, known)
        return [self._verdict(own, mean, finite=each) for own, mean, each in zip(known, means, finite, strict=True)]

    def _score(self, part: str, examples: Examples) -> list[float]:
        """Run all rows of a part; the mean loss of every member."""
        scores = self._scores[part]
        total, weight = np.zeros(len(scores)), 0.0
        for start in range(0, len(examples), self._rows):
            stop = min(start + self._rows, len(examples))
            run = self._space.at(stop - start)
            run.x[...], run.t[...] = examples.x[start:stop], examples.t[start:stop]
            run.forward()
            if examples.w is None:
                total += loss_sums(run.losses)
                weight += stop - start
            else:
                sums = [loss_and_weight(own, examples.w[start:stop]) for own in run.losses]
                total += [own for own, _ in sums]
                weight += sums[0][1]
            scores[:, start:stop] = run.scores
        means: list[float] = (total / weight).tolist() if weight else [math.nan] * len(scores)
        return means

    def _measure(
        self, part: str, examples: Examples, members: Sequence[int], known: Sequence[dict[str, float]]
    ) -> None:
        """Add the metrics of some members to what is known of them, or have it wait."""
        scores = self._scores[part]
        if part in self._waiting:
            self._waiting[part].add_each(scores if len(members) == len(scores) else scores[list(members)], known)
            if self.job.optimizer.averages:
                self._waiting[part].settle()
            return
        for member, own in zip(members, known, strict=True):
            job = self.job
            for name, value in measured(scores[member], examples, job.loss, job.target, job.metrics).items():
                own[f"{part}_{name}"] = value

    def _verdict(self, known: dict[str, float], mean: float, *, finite: bool) -> Verdict:
        if self.job.optimizer.averages:
            return Verdict(self._in_order({**known, "train_loss": mean}), {"train_loss": mean, **known}, finite)
        known["train_loss"] = mean
        values = self._in_order(known)
        return Verdict(values, values, finite)

    def _in_order(self, known: dict[str, float]) -> Values:
        return Values(self._alone.columns, known, self._waiting.values())
