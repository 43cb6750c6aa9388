"""How common a level is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Encoder, State


@component("frequency")
class Frequency(Encoder):
    """One column, the share of the training rows that have the row's level, in 0 .. 1.

    Missing, rare and unknown values, the reserved slot, are 0, and so is a level that only ``order`` names. Levels that
    are equally common become equal.
    """

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        rows = max(1, sum(counts) + reserved)
        return {"levels": list(levels), "shares": [count / rows for count in counts]}

    def width(self, state: State) -> int:
        return 1

    def feature_names(self, column: str, state: State) -> list[str]:
        return [column]

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        out[:, 0] = np.array([*state["shares"], 0.0])[codes]  # code -1 is the last entry
