"""A given number for missing ones."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.transforms import Imputer
from nnctl.transforms.sample import Sample


@component("constant", examples=[{"value": -1.0}])
class Constant(Imputer):
    """A given number, before scaling; also written ``missing: {constant: 0}``."""

    short = "value"

    value: float = option(help="Number that stands for missing cells, in units of the column.")

    def fit(self, x: Sample) -> float:
        return self.value
