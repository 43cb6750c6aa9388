"""The schedules of a stack: each member's factor on its learning rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnctl.training.trainer import Trainer


class Factors:
    """The factors of a step: one number where all schedules are flat, else one for each member, (K, 1) in float64.

    Members with the same schedule over the same number of steps share what it says, unless it watches a value.
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        self._flat = all(trainer.job.schedule.flat for trainer in trainers)
        groups: dict[Any, list[int]] = {}
        for member, trainer in enumerate(trainers):
            job = trainer.job
            own = member if job.schedule.watches is not None else None
            groups.setdefault((job.schedule, job.epochs, own), []).append(member)
        self._groups = [(trainers[members[0]].stepping, np.array(members)) for members in groups.values()]
        self._factors = np.ones((len(trainers), 1))

    def at(self, step: int) -> Any:
        """The factors of a step of the run, counted from 0."""
        if self._flat:
            return 1.0
        for stepping, members in self._groups:
            self._factors[members] = stepping.factor(step)
        return self._factors
