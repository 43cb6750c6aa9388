"""Transforms: how the cells of a column become numbers for the network, fitted on the training rows only.

A transform plays one of four roles: a scaler and an imputer serve columns of numbers, an encoder one of categories,
a date encoder one of dates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component
from nnctl.errors import DataError, Problem, SpecError
from nnctl.spec.problems import listed
from nnctl.transforms.sample import Sample

Values = NDArray[np.float64]
State = dict[str, Any]  # what was fitted, for JSON: floats, strings, booleans, lists


class Transform(Component):
    """What scalers, imputers and encodings have in common: their place in the YAML."""

    kind = "transforms"


class Scaler(Transform):
    """Maps the numbers of a column to a range that networks learn well from, and back."""

    domain: ClassVar[str] = "any numbers"  # what it is defined for, as a message says it

    def fit(self, x: Sample) -> State:
        """What ``apply`` and ``invert`` need to know of the training rows, one number at least."""
        raise NotImplementedError

    def apply(self, x: Values, state: State) -> Values:
        """The scaled values; nan stays nan."""
        raise NotImplementedError

    def invert(self, y: Values, state: State) -> Values:
        """The values that ``apply`` made y of."""
        raise NotImplementedError

    @property
    def takes_all(self) -> bool:
        """Whether every number is inside: nothing has to be looked at."""
        return type(self).outside is Scaler.outside

    def outside(self, x: Values) -> NDArray[np.bool_]:
        """Where x holds a number that the scaler is not defined for: the data is refused there. nan is inside."""
        return np.zeros(x.shape, bool)


class Imputer(Transform):
    """Finds the number that stands for the missing ones of a column."""

    def fit(self, x: Sample) -> float | None:
        """The replacement for nan, from the numbers of the training rows; 0 if there are none.

        None: nothing stands for them, a missing cell is refused.
        """
        raise NotImplementedError


class Encoding(Transform):
    """Writes a category or a date as one or more columns of numbers, or as one of codes for an embedding layer."""

    def width(self, state: State) -> int:
        """The number of columns."""
        raise NotImplementedError

    def feature_names(self, column: str, state: State) -> list[str]:
        """The names of the columns."""
        raise NotImplementedError

    def code_levels(self, state: State) -> int:
        """How many codes a column of codes counts, the reserved 0 included; 0: the columns are numbers."""
        return 0


class Encoder(Encoding):
    """Writes the levels of a category.

    A code is a position in ``state["levels"]``, -1 an unknown, missing or rare value: whatever has no level of its own
    shares one reserved slot.
    """

    keeps_levels: ClassVar[bool] = True  # False: there are no levels in the state, none is rare and none has a place

    def fit(self, levels: Sequence[str], *, counts: Sequence[int], reserved: int) -> State:
        """The levels, and what else is to be known.

        ``levels`` are in their final order, ``counts`` are the training rows of each (0 for one that only the user's
        ``order`` names), ``reserved`` are those with a missing cell or a rare level.
        """
        raise NotImplementedError

    def codes(self, levels: Sequence[str], state: State) -> list[int]:
        """The code of each level of a column."""
        place = {level: code for code, level in enumerate(state["levels"])}
        return [place.get(level, -1) for level in levels]

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        """Write codes (N,) into out (N, width)."""
        raise NotImplementedError


class DateEncoder(Encoding):
    """Writes dates, given as seconds since the start of 1970."""

    def fit(self, x: Sample) -> State:
        """What ``apply`` needs to know of the training rows, one date at least."""
        raise NotImplementedError

    def apply(self, x: Values, state: State, out: NDArray[Any]) -> None:
        """Write dates (N,), nan where one is missing, into out (N, width): finite numbers everywhere."""
        raise NotImplementedError


def ordered(levels: Sequence[str], order: Sequence[str] | None) -> list[str]:
    """The levels in the user's order, if there is one; it may name more than occur.

    Raises: DataError if ``order`` lacks a level; SpecError if it names one twice.
    """
    if order is None:
        return list(levels)
    twice = sorted({level for level in order if order.count(level) > 1})
    if twice:
        raise SpecError(Problem(f"`order` names {listed(twice)} more than once"))
    known = set(order)
    lacking = [level for level in levels if level not in known]
    if lacking:
        raise DataError(Problem(f"`order` must name every level of the training rows, {listed(lacking)} is missing"))
    return list(order)


def calendar(x: Values) -> dict[str, Values]:
    """What calendar and clock show at dates (N,), seconds since the start of 1970; nan stays nan.

    ``weekday`` counts from Monday, 0; ``day_of_year`` from 1. ``year_passed`` and ``day_passed`` are the shares of the
    year and of the day that are over, 0 <= share < 1.
    """
    known = ~np.isnan(x)
    moment = np.where(known, x, 0).astype("datetime64[s]")
    day, month, year = (moment.astype(f"datetime64[{unit}]") for unit in "DMY")
    of_day = (moment - day).astype(np.float64)
    of_year = (day - year).astype(np.float64)
    length = ((year + 1).astype(day.dtype) - year.astype(day.dtype)).astype(np.float64)
    shown = {
        "year": year.astype(np.int64) + 1970,
        "month": (month - year).astype(np.int64) + 1,
        "day": (day - month).astype(np.int64) + 1,
        "weekday": (day.astype(np.int64) + 3) % 7,  # 1970 began on a Thursday
        "day_of_year": of_year + 1,
        "hour": of_day // 3600,
        "minute": of_day // 60 % 60,
        "second": of_day % 60,
        "year_passed": (of_year + of_day / 86400) / length,
        "day_passed": of_day / 86400,
    }
    return {name: np.where(known, values, np.nan) for name, values in shown.items()}


def calendars(x: Sample) -> Callable[[], Iterable[dict[str, Values]]]:
    """What calendar and clock show at the dates, block by block, as often as it is asked for."""
    if x.whole:
        shown = [calendar(block) for block in x.blocks()]
        return lambda: shown
    return lambda: map(calendar, x.blocks())


def ranges_of(shown: Iterable[Mapping[str, Values]]) -> dict[str, tuple[float, float]]:
    """The smallest and the largest number under each name, from dicts of arrays (N,)."""
    ranges: dict[str, tuple[float, float]] = {}
    for block in shown:
        for name, values in block.items():
            low, high = ranges.get(name, (math.inf, -math.inf))
            ranges[name] = min(low, float(values.min())), max(high, float(values.max()))
    return ranges
