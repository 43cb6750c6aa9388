"""The parts of a date as numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.transforms import DateEncoder, State, Values, calendar, calendars, ranges_of
from nnctl.transforms.sample import Moments, Sample
from nnctl.transforms.standardize import Standardize

Part = Literal["year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second"]
USUAL = ("year", "month", "day", "weekday", "hour", "minute", "second")


@component("parts", examples=[{}, {"parts": ["year", "day_of_year"]}])
class Parts(DateEncoder):
    """One standardised column for each part of the date; a missing date is 0, the mean, in all of them.

    ``auto`` takes year, month, day, weekday, hour, minute and second, those of them that differ between training rows.
    """

    parts: tuple[Part, ...] | Literal["auto"] = option(
        default="auto", help="Parts that become columns; auto: the usual ones that differ between training rows."
    )

    def fit(self, x: Sample) -> State:
        if not self.parts:
            raise SpecError(Problem("names no part, leave `parts` out or name one"))
        shown = calendars(x)
        ranges = ranges_of(shown())
        if isinstance(self.parts, str):
            names = [name for name in USUAL if ranges[name][0] < ranges[name][1]] or list(USUAL[:1])
        else:
            names = list(dict.fromkeys(self.parts))
        moments = [Moments(*ranges[name]) for name in names]
        for block in shown():
            for name, found in zip(names, moments, strict=True):
                found.add(block[name])
        return {"parts": names, "fitted": [{"mean": found.mean, "std": found.std} for found in moments]}

    def width(self, state: State) -> int:
        return len(state["parts"])

    def feature_names(self, column: str, state: State) -> list[str]:
        return [f"{column}.{name}" for name in state["parts"]]

    def apply(self, x: Values, state: State, out: NDArray[Any]) -> None:
        shown = calendar(x)
        for place, (name, fitted) in enumerate(zip(state["parts"], state["fitted"], strict=True)):
            out[:, place] = np.nan_to_num(Standardize().apply(shown[name], fitted))
