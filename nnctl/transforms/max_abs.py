"""The range -1 to 1 around 0."""

from __future__ import annotations

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample


@component("max_abs")
class MaxAbs(Scaler):
    """The training rows in -1 .. 1 with 0 where it is, ``x / max |x|``; a column of zeros stays as it is.

    Other rows may lie outside: they are not clipped.
    Source: scikit-learn's ``MaxAbsScaler``.
    """

    def fit(self, x: Sample) -> State:
        return {"size": max(abs(x.low), abs(x.high)) or 1.0}

    def apply(self, x: Values, state: State) -> Values:
        return x / float(state["size"])

    def invert(self, y: Values, state: State) -> Values:
        return y * float(state["size"])
