"""Splits: which rows train, which validate and which test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import blocks, place_type, taken, where
from nnctl.component import Component, option, section
from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.splits.cells import Cells

Indices = NDArray[np.signedinteger[Any]]  # int32 for less than 2^31 rows
Folds = NDArray[np.signedinteger[Any]]  # (N,) the fold of each row, from 0

SPLIT_COLUMN = "data.split.column"  # the key of the column that a split looks at
FOLDS = "data.split.folds"


@dataclass(frozen=True, eq=False)
class Parts:
    """The rows of each part, ascending; no row is in two of them."""

    train: Indices
    val: Indices
    test: Indices


@dataclass(frozen=True, eq=False)
class Rows:
    """What a split may know of the rows."""

    count: int
    classes: NDArray[np.integer[Any]] | None = None  # (N,) the class code of each row, where the target has classes
    column: Sequence[str] | None = None  # (N,) the text of the split's column, where it names one
    times: NDArray[np.float64] | None = None  # (N,) the split's column as numbers or seconds, where it orders the rows
    place_of: Callable[[int], Place] | None = None  # where a row is written, for messages

    def only(self, rows: Indices) -> Rows:
        """Some of the rows, counted anew from 0."""
        if len(rows) == self.count:
            return self
        place_of = self.place_of
        return Rows(
            len(rows),
            None if self.classes is None else taken(self.classes, rows),
            None if self.column is None else Cells.of(self.column).only(rows),
            None if self.times is None else taken(self.times, rows),
            None if place_of is None else lambda row: place_of(int(rows[row])),
        )


@section
class Split(Component):
    """Cuts the rows into a training, a validation and a test part.

    Raises: DataError if a part that is asked for, or the training part, would have no row.
    """

    kind = "splits"
    orders: ClassVar[bool] = False  # whether the cells of its column, if it names one, are to be numbers or dates
    complete: ClassVar[bool] = False  # whether none of them may be missing
    unfoldable: ClassVar[str] = "this type cuts no folds; write `type: random`"  # why it has none; empty where it has
    folds: int | None = option(
        default=None,
        ge=2,
        help="Parts of a cross-validation; in each fold another one validates, whatever val says. `--folds` sets it.",
    )
    fold: int | None = option(default=None, ge=1, help="The one fold to train, from 1; null: all of them.")

    def contradictions(self) -> Iterator[tuple[str, str]]:
        if self.folds is not None and self.unfoldable:
            yield "folds", f"must be null: {self.unfoldable}"
        elif self.fold is not None and self.folds is None:
            yield "fold", "must be null, or beside it `folds` be given: it is one of them"
        elif self.fold is not None and self.folds is not None and self.fold > self.folds:
            yield "fold", f"must be one of the {self.folds} folds, got {self.fold}"

    def divide(self, rows: Rows, rng: np.random.Generator) -> Parts:
        """The parts of a run: those of ``cut``, or with ``folds`` those of the one ``fold``."""
        assert self.folds is None, f"{self.name} cuts no folds"
        return self.cut(rows, rng)

    def cut(self, rows: Rows, rng: np.random.Generator) -> Parts:
        """The parts: a function of the options, the rows and the generator's state, and of nothing else."""
        raise NotImplementedError

    def resolved(self, task: str) -> Split:
        """The split that does the work for a task; all but ``auto`` are that themselves."""
        return self

    def seed_or(self, root: int) -> int:
        """The seed of the generator that ``cut`` wants."""
        return root


@section
class SizedSplit(Split):
    """A split that is told the sizes of its parts."""

    val: int | float = option(default=0.2, ge=0, help="Validation rows: a fraction 0-1 of all rows, or their number.")
    test: int | float = option(default=0.0, ge=0, help="Test rows: a fraction 0-1 of all rows, or their number.")

    def sizes(self, count: int) -> tuple[int, int]:
        """The numbers of validation and test rows out of ``count``.

        Raises: SpecError if a fraction is not below 1; DataError if no training row would be left.
        """
        asked = {"val": self.val, "test": self.test}
        wrong = [
            Problem(
                f"must be < 1 as a fraction, got {size}; write a number of rows without a point", f"data.split.{part}"
            )
            for part, size in asked.items()
            if isinstance(size, float) and size >= 1
        ]
        if wrong:
            raise SpecError(wrong)
        val, test = (_rows(size, count) for size in asked.values())
        if val + test >= count:
            raise too_few(
                f"{plural(count, 'row')} cannot give {val} for validation (val: {self.val}) and {test} for the test "
                f"(test: {self.test}) and leave any for training"
            )
        return val, test


@section
class DrawnSplit(SizedSplit):
    """A sized split that draws the rows of its parts.

    With folds the test rows are those that it has without them; ``deal`` cuts the others.
    """

    unfoldable = ""

    seed: int | None = option(default=None, ge=0, help="Seed of the draw; null for the root seed.")

    def divide(self, rows: Rows, rng: np.random.Generator) -> Parts:
        if self.folds is None:
            return self.cut(rows, rng)
        assert self.fold is not None, "of several folds one is asked for"
        whole = replace(self, val=0, folds=None, fold=None).cut(rows, rng)
        left = rows.only(whole.train)
        if left.count < self.folds:
            message = f"{self.folds} folds need as many rows that are no test rows, there are {left.count}"
            raise DataError(Problem(f"{message}; ask for fewer folds", FOLDS))
        fold_of = self.deal(left, self.folds, rng)
        if left.classes is not None:
            _check_classes(left.classes, fold_of)
        validates = fold_of == self.fold - 1
        return Parts(whole.train[~validates], whole.train[validates], whole.test)

    def deal(self, rows: Rows, folds: int, rng: np.random.Generator) -> Folds:
        """The fold of each row (N,), from 0; none is empty. Here at random, in sizes that differ by one at most."""
        fold_of = np.empty(rows.count, fold_type(folds))
        order = drawn(rows.count, rng)
        for block in blocks(rows.count):
            fold_of[order[block]] = np.arange(block.start, block.stop) % folds
        return fold_of

    def seed_or(self, root: int) -> int:
        return root if self.seed is None else self.seed


def parts_of(train: Indices, val: Indices, test: Indices) -> Parts:
    """Parts of rows that come in any order."""
    kind = place_type(len(train) + len(val) + len(test))
    return Parts(*(np.sort(part).astype(kind, copy=False) for part in (train, val, test)))


def parts_where(part: NDArray[np.int8]) -> Parts:
    """The parts of rows (N,) that say 0 for the test, 1 for the validation and 2 for the training part."""
    return Parts(*(where(part == which) for which in (2, 1, 0)))


def drawn(count: int, rng: np.random.Generator) -> Indices:
    """The rows from 0 to count in random order: that of ``rng.permutation(count)``, in half the memory."""
    order = np.arange(count, dtype=place_type(count))
    rng.shuffle(order)
    return order


def fold_type(folds: int) -> np.dtype[Any]:
    """The narrowest type for the numbers of folds."""
    return np.min_scalar_type(-folds)


def too_few(what: str, way_out: str = "write `split: none` to train on all rows") -> DataError:
    """The error for too few rows: what is wrong, and what to do."""
    return DataError(Problem(f"{what}; ask for fewer, or {way_out}", "data.split"))


def plural(count: int, word: str) -> str:
    """A count with its noun."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _check_classes(classes: NDArray[np.integer[Any]], fold_of: Folds) -> None:
    """Raise DataError if two classes or more are there, and a fold would train on one of them alone."""
    for other in (0, 1):  # the rows that train where fold `other` does not validate are of its class, if of one
        kept = classes[np.argmax(fold_of == other)]
        strangers = fold_of[classes != kept]
        if len(strangers) and strangers[0] != other and (strangers == strangers[0]).all():
            message = (
                f"fold {strangers[0] + 1} would train on one class: all rows of others, {len(strangers)} in number, "
                "validate in it; ask for fewer folds, or for stratified ones of classes with two rows or more"
            )
            raise DataError(Problem(message, FOLDS))


def _rows(size: int | float, count: int) -> int:
    if isinstance(size, int):
        return size
    return max(1, round(size * count)) if size > 0 else 0
