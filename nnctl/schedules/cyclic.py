"""A learning rate that goes up and down in straight lines."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.schedules import Schedule


@component("cyclic", examples=[{"low": 0.1, "period": 40}, {"low": 0.0, "period": 4, "per": "epoch"}])
class Cyclic(Schedule):
    """Triangles, ``low + (1 - low) (1 - |1 - 2 u / period|)``, u units after the start of a period: low at u = 0.

    Source: Smith 2017; PyTorch's ``CyclicLR`` in its mode ``triangular``, with ``max_lr = optimizer.lr``, both halves
    of a period equally long, and momentum as it is.
    """

    rises = True
    low: float = option(ge=0, le=1, stack=True, help="Factor at the start and end of a period.")
    period: int = option(ge=2, help="Length of a period, up and down, in units (steps, or epochs under `per: epoch`).")

    def curve(self, t: int, n: int) -> float:
        return self.low + (1 - self.low) * (1 - abs(1 - 2 * (t % self.period) / self.period))
