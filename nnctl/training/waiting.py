"""Metrics of few rows wait until somebody looks at one: then they are computed for many epochs at once.

An epoch of a tiny network lasts 50 microseconds, which is what its metrics would take by themselves.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from nnctl.data.batches import Examples
from nnctl.metrics import Series
from nnctl.training.evaluation import Array, Judged
from nnctl.training.job import Job

FEW = 2**12  # scores of one epoch up to which they may wait
MOST = 2**16, 2**10  # scores, and epochs, that wait together


class Waiting:
    """The scores (N, O) of one part of the data, of epochs whose metrics nobody has asked for.

    So many ``members`` of a stack are judged at once.
    """

    def __init__(self, part: str, examples: Examples, job: Job, members: int = 1) -> None:
        self._examples, self._job = examples, job
        self._metrics = {f"{part}_{metric.name}": metric for metric in job.metrics}
        count = max(members, min(MOST[0] // _size(examples, job), MOST[1]))
        self._scores = np.empty((count, len(examples), *job.network.output), examples.x.dtype)
        self._known: list[dict[str, float]] = []  # what is known of each of these epochs

    @staticmethod
    def fits(examples: Examples, job: Job) -> bool:
        """Whether the metrics of these rows may wait."""
        return examples.weight is None and _size(examples, job) <= FEW

    def add(self, scores: Array, known: dict[str, float]) -> None:
        """Keep the scores of an epoch; its metrics will be put in among what is known of it."""
        if len(self._known) == len(self._scores):
            self.settle()
        self._scores[len(self._known)] = scores
        self._known.append(known)

    def add_each(self, scores: Array, known: Sequence[dict[str, float]]) -> None:
        """Keep the scores (K, N, O) of an epoch of several members, of each of which something else is known."""
        if len(self._known) + len(known) > len(self._scores):
            self.settle()
        self._scores[len(self._known) : len(self._known) + len(known)] = scores
        self._known += known

    def settle(self) -> None:
        """Compute the metrics of all epochs that wait."""
        count, truth = len(self._known), self._examples.truth
        if not count:
            return
        scores = self._scores[:count].reshape(count * len(truth), *self._scores.shape[2:])
        loss, target = self._job.loss, self._job.target
        every = Judged(loss, target, scores, np.concatenate([truth] * count), None)
        series = Series(Judged.of(self._examples, loss, target, scores[: len(truth)]), every)
        with np.errstate(all="ignore"):
            for name, metric in self._metrics.items():
                for known, value in zip(self._known, metric.of_each(series), strict=True):
                    known[name] = value
        self._known = []


def _size(examples: Examples, job: Job) -> int:
    """The scores of one epoch."""
    return len(examples) * math.prod(job.network.output)


class Values(Mapping[str, float]):
    """The values of an evaluated epoch by column name; what waits is computed at the first look."""

    __slots__ = ("_columns", "_known", "_waiting")

    def __init__(self, columns: Sequence[str], known: dict[str, float], waiting: Iterable[Waiting]) -> None:
        self._columns, self._known, self._waiting = columns, known, waiting

    def __getitem__(self, name: str) -> float:
        if name not in self._known:
            self.known()
        return self._known[name]

    def known(self) -> dict[str, float]:
        """All of them, in no order."""
        if len(self._known) < len(self._columns):
            for waiting in self._waiting:
                waiting.settle()
        return self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
