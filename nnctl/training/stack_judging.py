"""The values of an epoch of all members of a stack: their losses and metrics in one pass over the rows."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.network.arena import Arena
from nnctl.network.finite import Finite
from nnctl.network.network import Network
from nnctl.network.workspace import Pass, Workspace, loss_sums
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
    """Judges the members of a stack as ``each`` of them is judged alone; they may have ``shared`` rows."""

    def __init__(self, each: Sequence[Judging], network: Network, weights: Arena, *, shared: bool) -> None:
        self.job, self._each, self._weights, self._shared = each[0].job, each, weights, shared
        losses = [own.job.loss for own in each]
        self._rows = rows_at_once(network)
        self._space = Workspace(network, losses, weights, self._rows, training=False)
        self._finite = Finite(weights.theta)
        count = len(each)
        self._scores = {
            part: np.empty((count, len(examples), *network.output), weights.dtype)
            for part, examples in each[0].parts.items()
        }
        self._losses: dict[str, list[float]] = {}  # of every member in the part, once it is scored
        self._waiting = {
            part: Waiting(part, examples, self.job, count)
            for part, examples in each[0].parts.items()
            if shared and Waiting.fits(examples, self.job)
        }

    def verdicts(self, members: Sequence[int], means: Sequence[float]) -> list[Verdict]:
        """The verdicts on some members, whose mean losses over the epoch as the weights moved are given."""
        with np.errstate(all="ignore"):
            return self._verdicts(members, means)

    def _verdicts(self, members: Sequence[int], means: Sequence[float]) -> list[Verdict]:
        known: list[dict[str, float]] = [{} for _ in members]
        finite = [math.isfinite(mean) for mean in means]
        if not self._finite():
            sound = np.logical_and.reduce(np.isfinite(self._weights.theta), -1)
            finite = [each and bool(sound[member]) for each, member in zip(finite, members, strict=True)]
        for part, losses in self._losses.items():
            for place, member in enumerate(members):
                loss = known[place][f"{part}_loss"] = losses[member]
                finite[place] = finite[place] and math.isfinite(loss)
            self._measure(part, members, known)
        return [self._verdict(own, mean, finite=each) for own, mean, each in zip(known, means, finite, strict=True)]

    def score(self) -> Iterator[None]:
        """Run all rows of all parts, with a pause after some of them: then come the ``verdicts``."""
        for part in self._scores:
            self._losses[part] = yield from self._score(part)

    def _score(self, part: str) -> Generator[None, None, list[float]]:
        """Run all rows of a part; the mean loss of every member."""
        scores, each = self._scores[part], [own.parts[part] for own in self._each]
        total, weight = np.zeros(len(each)), np.zeros(len(each))
        for start in range(0, len(each[0]), self._rows):
            rows = slice(start, min(start + self._rows, len(each[0])))
            with np.errstate(all="ignore"):
                run = self._space.at(rows.stop - rows.start)
                self._load(run, each, rows)
                run.forward()
                if each[0].w is None:
                    total += loss_sums(run.losses)
                    weight += run.rows
                else:
                    sums = np.array([_weighed(*own, rows) for own in zip(run.losses, each, strict=True)])
                    total += sums[:, 0]
                    weight += sums[:, 1]
            scores[:, rows] = run.scores
            yield
        with np.errstate(all="ignore"):
            means: list[float] = (total / weight).tolist()  # nan where no row has a weight
        return means

    def _load(self, run: Pass, each: Sequence[Examples], rows: slice) -> None:
        """Copy some rows to where all members find them."""
        if self._shared:
            run.x[...], run.t[...] = each[0].x[rows], each[0].t[rows]
            return
        for member, examples in enumerate(each):
            run.x[member], run.t[member] = examples.x[rows], examples.t[rows]

    def _measure(self, part: str, members: Sequence[int], known: Sequence[dict[str, float]]) -> None:
        """Add the metrics of some members to what is known of them, or have it wait."""
        scores = self._scores[part]
        if part in self._waiting:
            self._waiting[part].add_each(scores if len(members) == len(scores) else scores[list(members)], known)
            if self.job.optimizer.averages:
                self._waiting[part].settle()
            return
        for member, own in zip(members, known, strict=True):
            job, examples = self._each[member].job, self._each[member].parts[part]
            for name, value in measured(scores[member], examples, job.loss, job.target, job.metrics).items():
                own[f"{part}_{name}"] = value

    def _verdict(self, known: dict[str, float], mean: float, *, finite: bool) -> Verdict:
        if self.job.optimizer.averages:
            return Verdict(self._in_order({**known, "train_loss": mean}), {"train_loss": mean, **known}, finite)
        known["train_loss"] = mean
        values = self._in_order(known)
        return Verdict(values, values, finite)

    def _in_order(self, known: dict[str, float]) -> Values:
        return Values(self._each[0].columns, known, self._waiting.values())


def _weighed(losses: Array, examples: Examples, rows: slice) -> tuple[float, float]:
    """The sum of a member's losses (B,) of some rows, and that of their weights."""
    return loss_and_weight(losses, None if examples.w is None else examples.w[rows])
