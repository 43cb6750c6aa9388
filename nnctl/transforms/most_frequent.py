"""The most frequent number for missing ones."""

from __future__ import annotations

import numpy as np

from nnctl.component import component
from nnctl.transforms import Imputer, Values


@component("most_frequent")
class MostFrequent(Imputer):
    """The number that most cells hold; of several the smallest, as scikit-learn's ``SimpleImputer``."""

    def fit(self, x: Values) -> float:
        values, counts = np.unique(x[~np.isnan(x)], return_counts=True)
        return float(values[np.argmax(counts)]) if values.size else 0.0
