"""The axes of a space: what varies on its own, a list of settings or a range of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.nodes import Scalar
from nnctl.spec.problems import shown
from nnctl.spec.scalars import scalar_text
from nnctl.sweeps.space.values import Row, Value

DIGITS = 6  # significant ones of a number that is drawn
Distribution = Literal["uniform", "log", "int"]


@dataclass(frozen=True, slots=True)
class Choices:
    """Settings of one key, or of several that vary together: ``optimizer.lr=1e-3,1e-2``."""

    keys: tuple[str, ...]
    places: tuple[Place, ...]  # of the keys
    rows: tuple[Row, ...]
    fixed: bool = False  # the one row is no choice, but an override of all trials

    @property
    def size(self) -> int:
        """How many settings there are."""
        return len(self.rows)

    def at(self, u: float) -> Row:
        """The setting at a place from 0 to 1, 1 itself left out."""
        return self.rows[min(int(u * len(self.rows)), len(self.rows) - 1)]

    def samples(self) -> Iterator[Row]:
        """Rows that together show every value of every key."""
        seen: list[set[str]] = [set() for _ in self.keys]
        for row in self.rows:
            if any(value.text not in known for value, known in zip(row, seen, strict=True)):
                yield row
            for value, known in zip(row, seen, strict=True):
                known.add(value.text)

    def as_json(self) -> dict[str, Any]:
        """What identifies the axis."""
        return {"keys": list(self.keys), "values": [[value.text for value in row] for row in self.rows]}


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers between two bounds, both included: ``log(1e-4,1e-1)``, ``uniform(0,0.5)``, ``int(8,256)``.

    Drawn ones are rounded to ``DIGITS`` significant digits of the range, so that a word of the command line is short
    and holds the very same number.
    """

    keys: tuple[str]
    places: tuple[Place]
    distribution: Distribution
    low: float
    high: float

    @property
    def fixed(self) -> bool:
        """Whether it is an override of all trials, which no range is."""
        return False

    @property
    def size(self) -> int | None:
        """How many settings there are; None for a range that is continuous."""
        return int(self.high) - int(self.low) + 1 if self.distribution == "int" else None

    def at(self, u: float) -> Row:
        """The number at a place from 0 to 1, 1 itself left out."""
        if self.distribution == "int":
            low, high = int(self.low), int(self.high)
            return self.row(min(low + int(u * (high - low + 1)), high))
        if self.distribution == "log":
            return self.row(math.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low))))
        return self.row(self.low + u * (self.high - self.low))

    def row(self, number: float) -> Row:
        """A number of the range as it is written."""
        value = int(number) if self.distribution == "int" else min(max(self._rounded(number), self.low), self.high)
        text = scalar_text(value)
        return (Value(text, Scalar(self.places[0], value, text)),)

    def samples(self) -> Iterator[Row]:
        """Both ends."""
        yield self.row(self.low)
        yield self.row(self.high)

    def as_json(self) -> dict[str, Any]:
        """What identifies the axis."""
        return {"keys": list(self.keys), "distribution": self.distribution, "low": self.low, "high": self.high}

    def _rounded(self, number: float) -> float:
        """Rounded by the width of the range; by the number's own size where it is drawn by its logarithm."""
        width = abs(number) * min(self.high / self.low - 1, 1.0) if self.distribution == "log" else self.high - self.low
        return round(number, DIGITS - 1 - math.floor(math.log10(width)))


Axis = Choices | Range


def choices(keys: tuple[str, ...], places: tuple[Place, ...], rows: list[Row], *, fixed: bool = False) -> Choices:
    """The axis of these rows. Raises: SpecError if one of them stands there twice."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(repr([value.plain for value in row]), row)
        if known is not row:
            written, same = (shown(",".join(value.text for value in each)) for each in (row, known))
            message = f"{written} is given twice" if written == same else f"{written} is the same as {same}"
            message = f"{message}, and no trial is trained twice: leave one out"
            raise SpecError(Problem(message, place=row[0].node.place))
    return Choices(keys, places, tuple(rows), fixed)


def between(key: str, place: Place, distribution: Distribution, low: float, high: float) -> Range:
    """The axis of a range. Raises: SpecError if there are no two numbers in it, or no logarithms of them."""
    message = ""
    if not (math.isfinite(low) and math.isfinite(high)):
        message = "the bounds of a range are finite numbers"
    elif not low < high:
        message = f"the smaller number comes first, got {scalar_text(low)} and {scalar_text(high)}"
    elif distribution == "int" and not (float(low).is_integer() and float(high).is_integer()):
        message = f"`int` draws whole numbers between two whole numbers, got {scalar_text(low)} and {scalar_text(high)}"
    elif distribution == "log" and low <= 0:
        message = f"`log` draws by the logarithm, and {scalar_text(low)} has none: begin above 0"
    if message:
        raise SpecError(Problem(message, place=place))
    return Range((key,), (place,), distribution, float(low), float(high))  # floats: a key may not take them
