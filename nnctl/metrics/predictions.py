"""What a network says about the rows of a split, and the sums over them that metrics share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Any, Generic, NamedTuple, Self, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

NUMBERS_AT_ONCE = 2**18  # in one array of a block of rows

T = TypeVar("T")


class kept(Generic[T]):
    """An attribute that is computed at the first look.

    ``functools.cached_property`` takes a lock for that in Python 3.11, a microsecond each: networks of a few rows are
    judged thousands of times a second.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make, self.__doc__ = make, make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, owned: None, owner: type) -> Self: ...
    @overload
    def __get__(self, owned: object, owner: type) -> T: ...
    def __get__(self, owned: object | None, owner: type) -> Self | T:
        if owned is None:
            return self
        value = owned.__dict__[self._name] = self._make(owned)
        return value


class Counts(NamedTuple):
    """The weight of the rows that are of a class, are predicted to be, and both."""

    hits: float
    actual: float
    said: float


@dataclass(frozen=True, eq=False)
class Predictions:
    """The truth and what a network says of it, for all rows (at least one) of one split.

    There may be millions of rows. What goes by ``blocks``, as ``sum_of`` and ``mean_of`` do, needs memory for the rows
    of one block alone.
    Shapes: truth, predicted (N,) codes of the sorted classes, (N, L) 0 and 1 for labels, or (N,) or (N, T) values in
            the target's own units; probability (N, C), columns in the order of the sorted classes, or (N, L);
            weight (N,), not negative.
    """

    task: str  # binary, multiclass, multilabel or regression
    truth: NDArray[Any]
    predicted: NDArray[Any]
    probability: NDArray[np.float64] | None
    classes: int  # C, or L labels; 0 for regression
    positive: int = 1  # binary: the code of the positive class
    weight: NDArray[Any] | None = None  # None: every row counts once
    remembered: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)  # of the truth, see ``of_truth``

    def of_truth(self, key: Any, make: Callable[[], T]) -> T:
        """What depends on truth and weight alone, as ``make`` gives it: few rows are judged again and again.

        Whoever judges the same rows many times lends the same ``remembered``.
        """
        found: T | None = self.remembered.get(key)
        if found is None:
            found = make()
            if self.few:
                self.remembered[key] = found
        return found

    def blocks(self) -> Iterable[Predictions]:
        """The same predictions, some rows after the other; few rows all at once."""
        return (self,) if self.few else map(self.part, self._slices())

    @property
    def rows_at_once(self) -> int:
        """The rows of a block; the last may have fewer."""
        return max(1, NUMBERS_AT_ONCE // max(self.classes, self.truth.size // len(self.truth)))

    @kept
    def few(self) -> bool:
        """Whether all rows make one block."""
        return len(self.truth) <= self.rows_at_once

    def part(self, rows: slice) -> Predictions:
        """The predictions for some of the rows."""
        arrays = {name: getattr(self, name) for name in ("truth", "predicted", "probability", "weight")}
        parts: dict[str, Any] = {name: array[rows] for name, array in arrays.items() if array is not None}
        return replace(self, **parts)

    @np.errstate(over="ignore", invalid="ignore")  # lost predictions are no warning: the sum is not finite either
    def sum(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """The sum over the rows, each times its weight: (N,) -> (), (N, T) -> (T,)."""
        weights = [None if self.weight is None else self.weight[rows] for rows in self._slices()]
        parts = (_sum(values[rows], weight) for rows, weight in zip(self._slices(), weights, strict=True))
        return reduce(add, parts)

    @np.errstate(over="ignore", invalid="ignore")
    def sum_of(self, values: RowValues) -> NDArray[np.float64]:
        """The sum over the rows of what ``values`` gives for a block, (n,) or (n, T), each times its weight."""
        if self.few:  # tiny networks are judged after every epoch: each microsecond counts
            return _sum(values(self), self.weight)
        return reduce(add, (_sum(values(rows), rows.weight) for rows in self.blocks()))

    @kept
    def total(self) -> float:
        """The weight of all rows; their number, where they have none."""
        count = len(self.truth)
        return float(count if self.weight is None else self.sum(np.ones(count, np.bool_)))

    def mean_of(self, values: RowValues) -> NDArray[np.float64]:
        """The weighted mean over the rows of what ``values`` gives for a block, (n,) or (n, T).

        It is nan where no row has a weight above 0.
        """
        total = self.total
        return self.sum_of(values) / (total if total > 0 else np.nan)

    @kept
    def confusion(self) -> NDArray[np.int64]:
        """How many rows of each class were taken for which, of whatever weight: truth by predicted, (C, C)."""
        counts: NDArray[np.int64] = reduce(add, (rows._counted(None) for rows in self.blocks()))
        return counts

    @kept
    def weighted_confusion(self) -> NDArray[np.float64]:
        """The weight of the rows of each class that were taken for which: truth by predicted, (C, C)."""
        if self.weight is None:
            return self.confusion.astype(np.float64)
        sums = reduce(add, (rows._counted(rows.weight) for rows in self.blocks()))
        return sums.astype(np.float64, copy=False)

    def _counted(self, weight: NDArray[Any] | None) -> NDArray[Any]:
        # Widened first: codes may come in a type as narrow as uint8.
        first = self.of_truth("cells", lambda: self.truth.astype(np.int64) * self.classes)
        cells = np.add(first, self.predicted)
        return np.bincount(cells, weight, minlength=self.classes**2).reshape(self.classes, self.classes)

    def rows_of(self, code: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """The rows of a class, and those of the others."""
        return self.of_truth(
            ("rows of", code), lambda: (np.flatnonzero(self.truth == code), np.flatnonzero(self.truth != code))
        )

    @kept
    def of_positive(self) -> Counts:
        """Those of the positive one of two classes."""
        place = self.positive
        if self.weight is not None or not self.few:
            return Counts(float(self.hits[place]), float(self.actual[place]), float(self.said[place]))
        said = self.predicted == place
        of_class, _ = self.rows_of(place)
        return Counts(int(np.count_nonzero(said.take(of_class))), len(of_class), int(np.count_nonzero(said)))

    @kept
    def hits(self) -> NDArray[np.float64]:
        """The weight of the rows that have each class or label, and are predicted to, (C,)."""
        if self.task == "multilabel":
            return self.sum_of(lambda rows: (rows.truth > 0) & (rows.predicted > 0))
        return self.weighted_confusion.diagonal()

    @kept
    def actual(self) -> NDArray[np.float64]:
        """The weight of the rows that have each class or label, (C,)."""
        if self.task == "multilabel":
            return self.sum_of(lambda rows: rows.truth > 0)
        actual: NDArray[np.float64] = self.weighted_confusion.sum(axis=1)
        return actual

    @kept
    def said(self) -> NDArray[np.float64]:
        """The weight of the rows that are predicted to have each class or label, (C,)."""
        if self.task == "multilabel":
            return self.sum_of(lambda rows: rows.predicted > 0)
        said: NDArray[np.float64] = self.weighted_confusion.sum(axis=0)
        return said

    @kept
    def seen(self) -> NDArray[np.bool_]:
        """Which classes are true or predicted in some row, of whatever weight, (C,); every label is."""
        if self.task == "multilabel":
            return np.ones(self.classes, np.bool_)
        seen: NDArray[np.bool_] = (self.confusion.sum(axis=0) + self.confusion.sum(axis=1)) > 0
        return seen

    def share(self, code: int) -> NDArray[np.float64]:
        """The probability that each row gives to one class, (N,)."""
        assert self.probability is not None
        return self.probability[:, code]

    def given(self, codes: NDArray[Any]) -> NDArray[np.float64]:
        """The probability that each row gives to the class of its code, (N,)."""
        assert self.probability is not None
        probability: NDArray[np.float64] = self.probability[np.arange(len(codes)), codes]
        return probability.astype(np.float64, copy=False)

    @kept
    def values(self) -> NDArray[np.float64]:
        """The true values, one column for each target, (N, T)."""
        return self.truth.reshape(len(self.truth), -1).astype(np.float64, copy=False)

    @kept
    @np.errstate(over="ignore")
    def deviation(self) -> NDArray[np.float64]:
        """Predicted minus true values, one column for each target, (N, T)."""
        deviation: NDArray[np.float64] = np.subtract(self.predicted.reshape(self.values.shape), self.values)
        return deviation

    def counting(self, values: NDArray[Any]) -> NDArray[Any]:
        """Those of the rows' values that have a weight above 0."""
        return values if self.weight is None else values[self.weight > 0]

    def _slices(self) -> Iterable[slice]:
        rows = self.rows_at_once
        return [slice(start, start + rows) for start in range(0, len(self.truth), rows)]


RowValues = Callable[[Predictions], NDArray[Any]]


def _sum(values: NDArray[Any], weight: NDArray[Any] | None) -> NDArray[np.float64]:
    # Columns come first, so that each is summed pairwise, and in the order in which ``total`` is.
    columns = np.ascontiguousarray(values.T)
    if weight is not None:
        columns = columns * weight.astype(np.float64, copy=False)
    total: NDArray[np.float64] = np.add.reduce(columns, axis=-1, dtype=np.float64)
    return total
