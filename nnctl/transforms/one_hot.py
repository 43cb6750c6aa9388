"""One column for each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Encoder, State


@component("one_hot")
class OneHot(Encoder):
    """One column for each level, 1 in that of the row's level and 0 in the others.

    Where training rows have missing cells or rare levels a last column, ``NAME=<missing>``, is 1 for missing, rare and
    unknown values: the reserved slot. Without it nothing could be learned about such a row, and it is 0 in all columns.
    """

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        return {"levels": list(levels), "missing": reserved > 0}

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
