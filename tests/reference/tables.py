"""Tables in data/ as arrays, for makers and tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.reference.records import Array

DATA = Path(__file__).parent.parent.parent / "data"


def standardized(name: str) -> tuple[Array, Array]:
    """The columns of numbers but for the last, with mean 0 and deviation 1; and the last, as text."""
    cells = np.loadtxt(DATA / f"{name}.csv", delimiter=",", dtype=str)[1:]
    x = cells[:, :-1].astype(float)
    return (x - x.mean(axis=0)) / x.std(axis=0), cells[:, -1]


def breast_cancer() -> tuple[Array, Array]:
    """The standardized columns, and 1 for malignant, -1 for benign."""
    x, label = standardized("breast_cancer")
    return x, np.where(label == "malignant", 1.0, -1.0)
