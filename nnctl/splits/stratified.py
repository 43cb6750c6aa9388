"""A random split in which every part has the classes in the proportions of the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component
from nnctl.errors import Problem, SpecError
from nnctl.splits import DrawnSplit, Indices, Parts, Rows, Split, parts_of, plural, too_few

Counts = NDArray[np.int64]


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
        _, code, counts = np.unique(rows.classes, return_inverse=True, return_counts=True)
        to_test, to_val = self._shares(counts, test, val)
        drawn = rng.permutation(rows.count)
        alone = drawn[counts[code[drawn]] == 1]
        spare_test, spare_val = test - to_test.sum(), val - to_val.sum()

        # Each row's place among the rows of its class, in the order they are drawn.
        drawn = drawn[np.argsort(code[drawn], kind="stable")]
        rank = np.arange(rows.count) - np.repeat(np.cumsum(counts) - counts, counts)
        held = np.repeat(to_test, counts), np.repeat(to_test + to_val, counts)
        part = np.empty(rows.count, np.int64)
        part[drawn] = (rank >= held[0]).astype(np.int64) + (rank >= held[1])
        part[alone[:spare_test]] = 0
        part[alone[spare_test : spare_test + spare_val]] = 1
        return parts_of(*(np.flatnonzero(part == which) for which in (2, 1, 0)))

    def deal(self, rows: Rows, folds: int, rng: np.random.Generator) -> Indices:
        assert rows.classes is not None
        _, code, counts = np.unique(rows.classes, return_inverse=True, return_counts=True)
        place = np.empty(len(counts), np.int64)
        place[np.argsort(counts, kind="stable")] = np.arange(len(counts))
        drawn = rng.permutation(rows.count)
        drawn = drawn[np.argsort(place[code[drawn]], kind="stable")]
        # Dealt class by class, each going on where the one before has ended; the rare ones first, so that two rows of
        # other classes than the largest never fall into one fold, which then would train on the largest alone.
        fold_of = np.empty(rows.count, np.int64)
        fold_of[drawn] = np.arange(rows.count) % folds
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
