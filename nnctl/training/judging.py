"""The values of an epoch: the loss and the metrics of every part of the data that is judged after it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from nnctl.training.evaluation import Evaluator, Scoring
from nnctl.training.job import Job
from nnctl.training.waiting import Values, Waiting


class Judging:
    """First ``begin``, then every scoring is brought to its end, then come the ``values``.

    ``waiting`` are the parts whose metrics wait until somebody looks at them.
    """

    def __init__(self, job: Job, evaluator: Evaluator) -> None:
        self.job, self.evaluator = job, evaluator
        parts = {"val": job.val, "train": job.train if job.measures_train else None}  # in the order of metrics.csv
        self.parts = {part: examples for part, examples in parts.items() if examples is not None}
        names = [f"{part}_{name}" for part in self.parts for name in ("loss", *(each.name for each in job.metrics))]
        self.columns = tuple(dict.fromkeys(["train_loss", *names]))
        self.waiting = {
            part: Waiting(part, examples, job)
            for part, examples in self.parts.items()
            if job.heeds_losses and Waiting.fits(examples, job)
        }

    def begin(self) -> dict[str, Scoring]:
        """The scorings of the parts, each with its first rows done."""
        scorings = {part: self.evaluator.begin(examples) for part, examples in self.parts.items()}
        for scoring in scorings.values():
            scoring.advance()
        return scorings

    def values(
        self, scorings: Mapping[str, Scoring], mean: float
    ) -> tuple[Mapping[str, float], Mapping[str, float], bool]:
        """The values by column name, those that decide, and whether all losses are finite.

        ``mean`` is the loss over the epoch as the weights moved. What decides about best, stopping and the schedule is
        the weights that are kept: where they are an average, the train_loss that decides is theirs.
        """
        job, finite = self.job, math.isfinite(mean)
        judged: dict[str, float] = {}
        for part, scoring in scorings.items():
            loss = judged[f"{part}_loss"] = scoring.loss
            finite = finite and math.isfinite(loss)
            if part in self.waiting:
                self.waiting[part].add(scoring.scores, judged)
                continue
            found = self.evaluator.measure(scoring, self.parts[part], job.target, job.metrics)
            for name, value in found.items():
                judged[f"{part}_{name}"] = value
        if job.optimizer.averages:
            return self._in_order({**judged, "train_loss": mean}), {"train_loss": mean, **judged}, finite
        judged["train_loss"] = mean
        values = self._in_order(judged)
        return values, values, finite

    def _in_order(self, known: dict[str, float]) -> Values:
        return Values(self.columns, known, self.waiting.values())
