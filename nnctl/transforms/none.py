"""Numbers as they are."""

from __future__ import annotations

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("none")
class NoScaling(Scaler):
    """The numbers as they are; the very array is handed on."""

    def fit(self, x: Sample) -> State:
        return {}

    def apply(self, x: Values, state: State) -> Values:
        return x

    def invert(self, y: Values, state: State) -> Values:
        return y
