"""A split that keeps groups of rows together."""

from __future__ import annotations

from heapq import heapreplace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import counted, taken
from nnctl.component import component, option
from nnctl.errors import DataError, Problem
from nnctl.splits import FOLDS, SPLIT_COLUMN, DrawnSplit, Folds, Parts, Rows, fold_type, parts_where, plural
from nnctl.splits.cells import Cells

Sizes = NDArray[np.int64]
AROUND = 50  # groups before and after the place where a part is full that may change sides


@component(
    "group",
    examples=[
        {"column": "patient"},
        {"column": "patient", "val": 0.1, "test": 0.1, "seed": 7},
        {"column": "patient", "folds": 3, "fold": 2},
    ],
)
class Group(DrawnSplit):
    """Rows whose cells in a column are equal stay in one part: all visits of a patient train, or none does.

    Groups are drawn until a part is full; of the last ones those are taken that bring it closest to its size, so that
    up to a hundred groups it is as close as can be. Every part that is asked for, and the training part, has a group.
    The test part is filled first, so that another ``val`` leaves it as it is. The column is a feature only if
    ``data.columns`` says how it is scaled or encoded. Folds are filled with the largest groups first, each where the
    fewest rows are, so that the seed decides among groups of one size.

    Raises: SpecError if a fraction is not below 1; DataError if there are fewer groups than parts or folds.
    """

    complete = True

    column: str = option(help="Column whose equal cells make a group.")

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        assert rows.column is not None
        val, test = self.sizes(rows.count)
        group, sizes = _groups(Cells.of(rows.column))
        parts = 1 + (val > 0) + (test > 0)
        if len(sizes) < parts:
            raise DataError(
                Problem(
                    f"`{self.column}` makes {plural(len(sizes), 'group')} of the {plural(rows.count, 'row')}, the "
                    f"split needs one for each of {parts} parts; ask for fewer parts, or write `type: random`",
                    SPLIT_COLUMN,
                )
            )
        part = np.full(len(sizes), 2, np.int8)
        left = rng.permutation(len(sizes))
        for place, size, spare in ((0, test, 1 + (val > 0)), (1, val, 1)):
            chosen = _closest(sizes[left], size, spare) if size else []
            part[left[chosen]] = place
            left = np.delete(left, chosen)
        return parts_where(taken(taken(part, group), Cells.of(rows.column).codes))

    def deal(self, rows: Rows, folds: int, rng: np.random.Generator) -> Folds:
        assert rows.column is not None
        group, sizes = _groups(Cells.of(rows.column))
        if len(sizes) < folds:
            message = f"`{self.column}` makes {plural(len(sizes), 'group')} of the rows that are no test rows"
            raise DataError(Problem(f"{message}, {folds} folds need a group each; ask for fewer folds", FOLDS))
        order = rng.permutation(len(sizes))
        order = order[np.argsort(-sizes[order], kind="stable")]
        filled = [(0, fold) for fold in range(folds)]  # a heap: rows so far, and the fold that has them
        fold_of = np.empty(len(sizes), fold_type(folds))
        for each, size in zip(order.tolist(), sizes[order].tolist(), strict=True):
            count, fold = filled[0]
            fold_of[each] = fold
            heapreplace(filled, (count + size, fold))
        return taken(taken(fold_of, group), Cells.of(rows.column).codes)


def _groups(cells: Cells) -> tuple[NDArray[np.int64], Sizes]:
    """The group that each name makes, -1 if none, and the rows of each: groups are in the order of their texts."""
    counts = counted(cells.codes, len(cells.names))
    names = sorted(np.flatnonzero(counts).tolist(), key=lambda code: cells.names[code])
    group = np.full(len(cells.names), -1)
    group[names] = np.arange(len(names))
    return group, counts[names]


def _closest(sizes: Sizes, size: int, spare: int) -> list[int]:
    """The places of groups whose sizes come closest to ``size`` in sum; at least one, ``spare`` others are left.

    The first groups are taken until a few before the part is full, and the best choice is made among those around.
    """
    full = int(np.searchsorted(np.cumsum(sizes), size, side="right"))
    start, stop = max(0, full - AROUND), min(len(sizes), full + AROUND)
    free, missing = sizes[start:stop].tolist(), size - int(sizes[:start].sum())
    least = 0 if start else 1
    chosen = _subset(free, missing, least)
    spare -= len(sizes) - stop
    if len(free) - len(chosen) < spare:
        # One group has most of the rows. Each choice of those that are left over, by size, is tried.
        held = {tuple(sorted(free[each] for each in few)): few for few in combinations(range(len(free)), spare)}
        tried = [
            _subset([0 if each in few else rows for each, rows in enumerate(free)], missing, least)
            for few in held.values()
        ]
        chosen = min(tried, key=lambda few: abs(sum(free[each] for each in few) - missing))
    return [*range(start), *(start + each for each in chosen)]


def _subset(sizes: list[int], size: int, least: int) -> list[int]:
    """The places of sizes that come closest to ``size`` in sum, the sum at least ``least``; the first ones of equals.

    A size of 0 is never taken.
    """
    sums = [1]  # bit s of entry n: the first n sizes have a choice of the sum s
    for rows in sizes:
        sums.append(sums[-1] | sums[-1] << rows)
    found = sums[-1] >> least << least
    below = (found & ((1 << size + 1) - 1)).bit_length() - 1
    above = found >> size + 1
    over = size + (above & -above).bit_length()
    at = below if below >= 0 and (not above or size - below <= over - size) else over
    chosen = []
    for place in reversed(range(len(sizes))):
        if not sums[place] >> at & 1:
            chosen.append(place)
            at -= sizes[place]
    return chosen[::-1]
