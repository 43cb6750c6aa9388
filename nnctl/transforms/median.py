"""The median for missing numbers."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Imputer, Values


@component("median")
class Median(Imputer):
    """The median of the numbers that are there."""

    def fit(self, x: Values) -> float:
        known = x[~np.isnan(x)]
        return float(np.median(known)) if known.size else 0.0
