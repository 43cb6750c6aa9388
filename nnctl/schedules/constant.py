"""The same learning rate throughout."""

from __future__ import annotations

from nnctl.component import component
from nnctl.schedules import Schedule


@component("constant", examples=[{}, {"warmup": 0.1}, {"warmup": 2}])
class Constant(Schedule):
    """Factor 1 in every unit."""

    @property
    def flat(self) -> bool:
        return not self.warmup

    def curve(self, t: int, n: int) -> float:
        return 1.0
