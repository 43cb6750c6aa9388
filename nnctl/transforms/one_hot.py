"""One column for each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Encoder, State, ordered


@component("one_hot")
class OneHot(Encoder):
    """One column for each level, 1 in that of the row's level and 0 in the others.

    Where training rows have missing cells a last column, ``NAME=<missing>``, is 1 for missing and unknown values;
    without it such a row is 0 in all columns.
    """

    def fit(self, levels: Sequence[str], *, missing: bool, order: Sequence[str] | None) -> State:
        return {"levels": ordered(levels, order), "missing": missing}

    def width(self, state: State) -> int:
        return len(state["levels"]) + int(state["missing"])

    def feature_names(self, column: str, state: State) -> list[str]:
        names = [*state["levels"], "<missing>"] if state["missing"] else state["levels"]
        return [f"{column}={name}" for name in names]

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        out.fill(0)
        # Code -1 is the last column, which is the reserved one if there is one.
        rows = np.arange(len(codes)) if state["missing"] else np.flatnonzero(codes >= 0)
        out[rows, codes[rows]] = 1
