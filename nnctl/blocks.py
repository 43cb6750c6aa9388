"""Blocks: long arrays looked at piece by piece, so that nothing as long as they are is made on the way.

NumPy turns an array of indices, and one that it counts, into 8 bytes a row before it looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

BLOCK = 2**16  # rows


def blocks(count: int) -> Iterator[slice]:
    """The rows from 0 to count, block by block."""
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))


def taken(values: Array, places: Array) -> Array:
    """The entries of an array (M, ...) at some places (N,) -> (N, ...)."""
    values = np.asarray(values)
    if len(places) <= BLOCK:
        return values[places]
    out = np.empty((len(places), *values.shape[1:]), values.dtype)
    for rows in blocks(len(places)):
        out[rows] = values[places[rows]]
    return out


def counted(codes: Array, size: int, places: Array | None = None) -> NDArray[np.int64]:
    """How often each code from 0 to ``size`` is among some rows, or all of them; negative ones are left out."""
    codes = np.asarray(codes)
    counts = np.zeros(size + 1, np.int64)
    for rows in blocks(len(codes) if places is None else len(places)):
        some = codes[rows] if places is None else codes[places[rows]]
        counts += np.bincount(np.maximum(some, -1).astype(np.intp) + 1, minlength=size + 1)
    return counts[1:]


def where(mask: NDArray[np.bool_]) -> Array:
    """The places (M,) at which a mask (N,) is true, ascending, in the narrowest type for places in it."""
    out = np.empty(np.count_nonzero(mask), place_type(len(mask)))
    filled = 0
    for rows in blocks(len(mask)):
        found = np.flatnonzero(mask[rows]) + rows.start
        out[filled : filled + len(found)] = found
        filled += len(found)
    return out


def place_type(count: int) -> np.dtype[Any]:
    """The narrowest type for places in an array of so many entries."""
    return np.dtype(np.int32 if count < 2**31 else np.int64)
