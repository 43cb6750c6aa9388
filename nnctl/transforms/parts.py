"""The parts of a date as numbers."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.transforms import DateEncoder, State, Values, calendar
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

    def fit(self, x: Values) -> State:
        if not self.parts:
            raise SpecError(Problem("names no part, leave `parts` out or name one"))
        shown = calendar(x)
        if isinstance(self.parts, str):
            names = [name for name in USUAL if np.ptp(shown[name]) > 0] or list(USUAL[:1])
        else:
            names = list(dict.fromkeys(self.parts))
        return {"parts": names, "fitted": [Standardize().fit(shown[name]) for name in names]}

    def width(self, state: State) -> int:
        return len(state["parts"])

    def feature_names(self, column: str, state: State) -> list[str]:
        return [f"{column}.{name}" for name in state["parts"]]

    def apply(self, x: Values, state: State, out: NDArray[Any]) -> None:
        shown = calendar(x)
        for place, (name, fitted) in enumerate(zip(state["parts"], state["fitted"], strict=True)):
            out[:, place] = np.nan_to_num(Standardize().apply(shown[name], fitted))
