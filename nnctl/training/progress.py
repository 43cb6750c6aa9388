"""How far a run is: its counters, and its best weights so far."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(slots=True, eq=False)
class Best:
    """The best weights so far."""

    theta: Array
    stats: Array
    epoch: int = 0  # 0: none yet
    value: float = math.nan


@dataclass(slots=True)
class Progress:
    """The counters of a run."""

    epoch: int = 0  # finished epochs
    batch: int = 0  # finished batches of the epoch that runs
    seconds: float = 0.0
    loss: float = 0.0  # sum over the rows of the epoch that runs
    weight: float = 0.0  # of those rows: their number, or the sum of their weights
    skipped: int = 0  # batches of the epoch that runs which count for nothing
    rollbacks: int = 0  # since the last best epoch
    rate: float = 1.0  # factor on the learning rate, halved by every rollback
    anew: int = 0  # optimizer steps before the last rollback, where the optimizer began anew
    stopping: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
