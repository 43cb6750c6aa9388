"""Division by a known number."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("divide", examples=[{"by": 255.0}])
class Divide(Scaler):
    """A fixed scale, ``x / by``; nothing is fitted."""

    by: float = option(gt=0, help="Divisor in units of the column, such as 255 for pixels.")

    def fit(self, x: Sample) -> State:
        return {}

    def apply(self, x: Values, state: State) -> Values:
        return x / self.by

    def invert(self, y: Values, state: State) -> Values:
        return y * self.by
