"""Levels thrown into a fixed number of buckets."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.transforms import Encoder, State


@component("hash", examples=[{}, {"buckets": 5}])
class Hash(Encoder):
    """One column for each bucket, 1 in that of the row's level; a level's bucket is its hash modulo their number.

    A level that training did not show has a bucket too: none is unknown or rare, and they have no order. Where training
    rows have missing cells a last column, ``NAME#<missing>``, is 1 for those; without it such a row is 0 in all
    columns.

    Source: Weinberger et al. 2009, without the sign. The hash is BLAKE2b of the level's UTF-8: the same on every
            machine and in every version of Python, which ``hash()`` is not.
    """

    keeps_levels = False

    buckets: int = option(default=32, ge=1, le=65536, help="Number of buckets, columns of the feature matrix.")

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        return {"missing": reserved > 0}

    def codes(self, levels: Sequence[str], state: State) -> list[int]:
        return [_digest(level) % self.buckets for level in levels]

    def width(self, state: State) -> int:
        return self.buckets + int(state["missing"])

    def feature_names(self, column: str, state: State) -> list[str]:
        names = [str(bucket) for bucket in range(self.buckets)] + ["<missing>"] * state["missing"]
        return [f"{column}#{name}" for name in names]

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        out.fill(0)
        rows = np.arange(len(codes)) if state["missing"] else np.flatnonzero(codes >= 0)
        out[rows, codes[rows]] = 1  # code -1 is the last column


def _digest(level: str) -> int:
    return int.from_bytes(hashlib.blake2b(level.encode(errors="surrogatepass"), digest_size=8).digest(), "little")
