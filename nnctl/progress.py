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
    stopping: dict[str, Any] = field(default_factory=dict)
    schedule: dict[str, Any] = field(default_factory=dict)
