"""A random split in which every part has the classes in the proportions of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import blocks
from nnctl.component import component
from nnctl.errors import Problem, SpecError
from nnctl.splits import DrawnSplit, Folds, Indices, Parts, Rows, Split, drawn, fold_type, parts_where, plural, too_few

Counts = NDArray[np.int64]
Classes = NDArray[np.integer[Any]]


@component(
    "stratified",
    examples=[
        {},
        {"val": 0.1, "test": 0.1, "seed": 7},
        {"val": 3, "test": 0.25},
        {"folds": 3, "fold": 1, "test": 0.2},
    ],
)
class Stratified(DrawnSplit):
    """Rows drawn class by class, each class giving a part its share ``size * rows of the class / all rows``.

    The fractions are settled by largest remainder, so that the sizes are exact; on a tie the class with more rows left
    gives, then the one with the lower code. Every class of two or more rows keeps one for training. A class of one
    row trains, unless the other classes cannot fill the parts: then such rows are drawn among themselves. The test
    part is filled first, so that another ``val`` leaves it as it is. The sizes of folds, and the rows of a class in
    them, differ by one at most; a class of fewer rows than there are folds is in some of them only.

    Raises: SpecError if a fraction is not below 1, or the target has no classes; DataError if no training row, or not
    one of each class with two or more, would be left.
    """

    def resolved(self, task: str) -> Split:
        if task not in ("binary", "multiclass"):
            message = f"stratified needs a target with classes, for {task} write `type: random`"
            raise SpecError(Problem(message, "data.split.type"))
        return self

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        assert rows.classes is not None
        val, test = self.sizes(rows.count)
        kinds, counts = _kinds(rows.classes)
        to_test, to_val = self._shares(counts, test, val)
        part, alone = np.empty(rows.count, np.int8), []
        for places, code, rank in _dealt(rows.classes, kinds, rng):
            part[places] = (rank >= to_test[code]).astype(np.int8) + (rank >= (to_test + to_val)[code])
            alone.append(places[counts[code] == 1])
        single, spare_test, spare_val = np.concatenate(alone), test - to_test.sum(), val - to_val.sum()
        part[single[:spare_test]] = 0
        part[single[spare_test : spare_test + spare_val]] = 1
        del places  # a view that would keep the drawn order
        return parts_where(part)

    def deal(self, rows: Rows, folds: int, rng: np.random.Generator) -> Folds:
        assert rows.classes is not None
        kinds, counts = _kinds(rows.classes)
        order = np.argsort(counts, kind="stable")
        start = np.empty(len(counts), np.int64)
        start[order] = np.cumsum(counts[order]) - counts[order]
        # Dealt class by class, each going on where the one before has ended; the rare ones first, so that two rows of
        # other classes than the largest never fall into one fold, which then would train on the largest alone.
        fold_of = np.empty(rows.count, fold_type(folds))
        for places, code, rank in _dealt(rows.classes, kinds, rng):
            fold_of[places] = (start[code] + rank) % folds
        return fold_of

    def _shares(self, counts: Counts, test: int, val: int) -> tuple[Counts, Counts]:
        """The rows that each class gives to the test and the validation part; single rows come on top."""
        room = counts - 1
        if test + val > room.sum() + (counts == 1).sum():
            raise too_few(
                f"{plural(int(counts.sum()), 'row')} of {len(counts)} classes cannot give {val} for validation "
                f"(val: {self.val}) and {test} for the test (test: {self.test}) and leave every class one for training",
                "write `type: random`, which looks at no class",
            )
        to_test = _largest_remainders(test, counts, room)
        return to_test, _largest_remainders(val, counts, room - to_test)


def _kinds(classes: Classes) -> tuple[Classes, Counts]:
    """The classes that there are, ascending, and the rows of each."""
    kinds, counts = classes[:0], np.zeros(0, np.int64)
    for block in blocks(len(classes)):
        more, count = np.unique(classes[block], return_counts=True)
        kinds, place = np.unique(np.concatenate([kinds, more]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, count]), len(kinds)).astype(np.int64)
    return kinds, counts


def _dealt(classes: Classes, kinds: Classes, rng: np.random.Generator) -> Iterator[tuple[Indices, Counts, Counts]]:
    """The rows in a drawn order, block by block: each with its class, and how many of that were drawn before it."""
    order, before = drawn(len(classes), rng), np.zeros(len(kinds), np.int64)
    for block in blocks(len(classes)):
        places = order[block]
        code = np.searchsorted(kinds, classes[places])
        counts = np.bincount(code, minlength=len(kinds))
        rank = np.empty(len(code), np.int64)
        rank[np.argsort(code, kind="stable")] = np.arange(len(code)) - np.repeat(np.cumsum(counts) - counts, counts)
        yield places, code, before[code] + rank
        before += counts


def _largest_remainders(size: int, counts: Counts, room: Counts) -> Counts:
    """Whole shares of a part in proportion to ``counts``, none above its ``room``, ``size`` or all room in sum."""
    quota, remainder = np.divmod(size * counts, counts.sum())  # whole numbers: no tie is decided by rounding
    shares: Counts = np.minimum(quota, room)
    missing = min(size, int(room.sum())) - int(shares.sum())
    while missing > 0:
        left = room - shares
        order = np.lexsort((np.arange(len(counts)), -left, -remainder))
        order = order[left[order] > 0][:missing]
        shares[order] += 1
        missing -= len(order)
    return shares
