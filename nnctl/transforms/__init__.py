"""Transforms: how the cells of a column become numbers for the network, fitted on the training rows only.

A transform plays one of three roles: a scaler and an imputer serve columns of numbers, an encoder one of categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component
from nnctl.errors import DataError, Problem, SpecError

Values = NDArray[np.float64]
State = dict[str, Any]  # what was fitted, for JSON: floats, strings, booleans, lists


class Transform(Component):
    """What scalers, imputers and encoders have in common: their place in the YAML."""

    kind = "transforms"


class Scaler(Transform):
    """Maps the numbers of a column to a range that networks learn well from, and back."""

    def fit(self, x: Values) -> State:
        """What ``apply`` and ``invert`` need to know of the training rows, x (N,) without nan, N >= 1."""
        raise NotImplementedError

    def apply(self, x: Values, state: State) -> Values:
        """The scaled values; nan stays nan."""
        raise NotImplementedError

    def invert(self, y: Values, state: State) -> Values:
        """The values that ``apply`` made y of."""
        raise NotImplementedError


class Imputer(Transform):
    """Finds the number that stands for the missing ones of a column."""

    def fit(self, x: Values) -> float:
        """The replacement for nan, from the training rows x (N,) with nan; 0 if all of them are."""
        raise NotImplementedError


class Encoder(Transform):
    """Writes the levels of a category as one or more columns of numbers.

    A code is a position in ``state["levels"]``, -1 an unknown or missing value.
    """

    def fit(self, levels: Sequence[str], *, missing: bool, order: Sequence[str] | None) -> State:
        """The levels in their final order, and what else is to be known.

        ``levels`` are the values in the training rows, ``missing`` is whether some cell there is empty, ``order`` is
        the user's own order of the levels: it may name more than occur.

        Raises: DataError if ``order`` lacks a level; SpecError if it names one twice.
        """
        raise NotImplementedError

    def width(self, state: State) -> int:
        """The number of columns."""
        raise NotImplementedError

    def feature_names(self, column: str, state: State) -> list[str]:
        """The names of the columns."""
        raise NotImplementedError

    def apply(self, codes: NDArray[np.integer[Any]], state: State, out: NDArray[Any]) -> None:
        """Write codes (N,) into out (N, width)."""
        raise NotImplementedError


def ordered(levels: Sequence[str], order: Sequence[str] | None) -> list[str]:
    """The levels in the user's order, if there is one."""
    if order is None:
        return list(levels)
    twice = sorted({level for level in order if order.count(level) > 1})
    if twice:
        raise SpecError(Problem(f"`order` names {_quoted(twice)} more than once"))
    known = set(order)
    lacking = [level for level in levels if level not in known]
    if lacking:
        raise DataError(Problem(f"`order` must name every level of the training rows, {_quoted(lacking)} is missing"))
    return list(order)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
