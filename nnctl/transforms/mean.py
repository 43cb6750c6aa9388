"""The mean for missing numbers."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Imputer, Values


@component("mean")
class Mean(Imputer):
    """The mean of the numbers that are there."""

    def fit(self, x: Values) -> float:
        known = x[~np.isnan(x)]
        return float(np.mean(known)) if known.size else 0.0
