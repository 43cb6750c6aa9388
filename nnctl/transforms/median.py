"""The median for missing numbers."""

from __future__ import annotations

from nnctl.component import component
from nnctl.transforms import Imputer
from nnctl.transforms.sample import Sample


@component("median")
class Median(Imputer):
    """The median of the numbers that are there."""

    def fit(self, x: Sample) -> float:
        return x.median if x.count else 0.0
