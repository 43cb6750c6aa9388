"""Dates as points on circles."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.transforms import DateEncoder, State, Values, calendar, ranges_of
from nnctl.transforms.sample import Sample

Cycle = Literal["month", "weekday", "day_of_year", "hour"]
CYCLES = ("month", "weekday", "day_of_year", "hour")


@component("cyclic", examples=[{}, {"cycles": ["weekday", "hour"]}])
class Cyclic(DateEncoder):
    """Two columns for each cycle, sine and cosine of the share of it that has passed: its end is next to its start.

    Months and weekdays count whole; the day of the year passes with the hours, leap years included, and the hour with
    the seconds. A missing date is the centre of the circles, 0 and 0. ``auto`` takes the cycles in which the training
    rows differ.
    """

    cycles: tuple[Cycle, ...] | Literal["auto"] = option(
        default="auto", help="Cycles that become columns; auto: those in which training rows differ."
    )

    def fit(self, x: Sample) -> State:
        if not self.cycles:
            raise SpecError(Problem("names no cycle, leave `cycles` out or name one"))
        if isinstance(self.cycles, str):
            ranges = ranges_of(map(_passed, x.blocks()))
            return {"cycles": [name for name in CYCLES if ranges[name][0] < ranges[name][1]] or list(CYCLES[:1])}
        return {"cycles": list(dict.fromkeys(self.cycles))}

    def width(self, state: State) -> int:
        return 2 * len(state["cycles"])

    def feature_names(self, column: str, state: State) -> list[str]:
        return [f"{column}.{name}.{side}" for name in state["cycles"] for side in ("sin", "cos")]

    def apply(self, x: Values, state: State, out: NDArray[Any]) -> None:
        passed = _passed(x)
        for place, name in enumerate(state["cycles"]):
            angle = 2 * math.pi * passed[name]
            out[:, 2 * place] = np.nan_to_num(np.sin(angle))
            out[:, 2 * place + 1] = np.nan_to_num(np.cos(angle))


def _passed(x: Values) -> dict[str, Values]:
    """The share of each cycle that is over, 0 <= share < 1; nan stays nan."""
    shown = calendar(x)
    return {
        "month": (shown["month"] - 1) / 12,
        "weekday": shown["weekday"] / 7,
        "day_of_year": shown["year_passed"],
        "hour": shown["day_passed"],
    }
