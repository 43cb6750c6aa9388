"""Codes for the embedding layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Encoder, State


@component("embedding")
class Embedding(Encoder):
    """One column of codes, ``1 .. L`` for L levels, that the network's embedding layer turns into learned vectors.

    Code 0 is the reserved slot of missing, rare and unknown values. Codes ride as floats in the feature matrix, exact
    up to 2^24 levels in float32; they reach no layer as numbers.
    """

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        return {"levels": list(levels)}

    def width(self, state: State) -> int:
        return 1

    def feature_names(self, column: str, state: State) -> list[str]:
        return [column]

    def code_levels(self, state: State) -> int:
        return len(state["levels"]) + 1

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        out[:, 0] = codes + 1
