"""The position of a level in an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Encoder, State


@component("ordinal")
class Ordinal(Encoder):
    """One column, ``(code + 1) / L`` in (0, 1] for L levels; 0, the reserved slot, for missing and unknown values."""

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        return {"levels": list(levels)}

    def width(self, state: State) -> int:
        return 1

    def feature_names(self, column: str, state: State) -> list[str]:
        return [column]

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        # A column without any known level has only codes of -1.
        out[:, 0] = (codes + 1) / max(1, len(state["levels"]))
