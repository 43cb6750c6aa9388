"""The mean for missing numbers."""

from __future__ import annotations

import math

from nnctl.component import component
from nnctl.transforms import Imputer
from nnctl.transforms.sample import Sample


@component("mean")
class Mean(Imputer):
    """The mean of the numbers that are there."""

    def fit(self, x: Sample) -> float:
        return math.fsum(float(block.sum()) for block in x.blocks()) / max(1, x.count)
