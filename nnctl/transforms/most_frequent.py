"""The most frequent number for missing ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.transforms import Imputer, Values
from nnctl.transforms.sample import Sample

Counts = NDArray[np.int64]

HELD = 2**16  # numbers that are counted at once


@component("most_frequent")
class MostFrequent(Imputer):
    """The number that most cells hold; of several the smallest, as scikit-learn's ``SimpleImputer``.

    Of more than 2^20 rows it is that number if more than one row in 65,536 holds it, or if there are no more different
    numbers than that; else it is one of the frequent ones.

    Source: Misra and Gries 1982, merged as in Agarwal et al. 2012; a second pass counts exactly what they leave.
    """

    def fit(self, x: Sample) -> float:
        if not x.count:
            return 0.0
        values, counts = _frequent(x.blocks())
        if not len(values):
            return x.low  # all are different, or nearly
        if counts.sum() < x.count:
            counts = sum((_counted(block, values) for block in x.blocks()), np.zeros_like(counts))
        return float(values[np.argmax(counts)])


def _frequent(blocks: Iterator[Values]) -> tuple[Values, Counts]:
    """The numbers, ascending, that more than one row in 65,537 holds, and others; all of a sample of one block.

    Where some had to be left out, the counts of all are too low by the same number at most.
    """
    values, counts = np.unique(next(blocks), return_counts=True)
    for block in blocks:
        more, count = np.unique(block, return_counts=True)
        values, where = np.unique(np.concatenate([values, more]), return_inverse=True)
        counts = np.bincount(where, np.concatenate([counts, count])).astype(np.int64)
        if len(values) > HELD:
            counts -= np.partition(counts, -HELD - 1)[-HELD - 1]
            values, counts = values[counts > 0], counts[counts > 0]
    return values, counts


def _counted(block: Values, values: Values) -> Counts:
    """How often each of the values, ascending, is in a block."""
    place = np.minimum(np.searchsorted(values, block), len(values) - 1)
    return np.bincount(place[values[place] == block], minlength=len(values))
