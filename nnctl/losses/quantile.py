"""The pinball loss, which is least at a quantile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.losses import ROWS, Array
from nnctl.losses.elementwise import Elementwise


@component("quantile", examples=[{}, {"q": 0.9, "reduction": "sum"}, {"q": [0.1, 0.5, 0.8]}])
class Quantile(Elementwise):
    """Pinball loss of ``d = y - t``: ``(1 - q) d`` above the target, ``-q d`` below; its derivative at 0 is 0.

    A list of q gives every target one output for each; the outputs of the first target come first. Metrics judge the
    median, or what is nearest to it (the lower q of two).
    Shapes: y (*K, B, T Q), t (*K, B, T) -> losses (*K, B)
    Source: Koenker and Bassett 1978; scikit-learn's ``mean_pinball_loss``, alpha = q.
    """

    q: float | tuple[float, ...] = option(
        default=0.5, gt=0, lt=1, help="Quantile that is learned, 0-1; a list gives every target one output for each."
    )

    @property
    def levels(self) -> tuple[float, ...]:
        """All q."""
        return self.q if isinstance(self.q, tuple) else (self.q,)

    def width(self, *, task: str, classes: int, targets: int) -> int:
        if not self.levels:
            raise SpecError(Problem("must hold at least one quantile, such as [0.1, 0.5, 0.9], got []", "loss.q"))
        if len(set(self.levels)) < len(self.levels):
            raise SpecError(Problem(f"must be different quantiles, got {list(self.levels)}", "loss.q"))
        return targets * len(self.levels)

    def targets(self, width: int) -> int:
        return width // len(self.levels)

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        return {"terms": (ROWS, width), "share": (ROWS, width)}

    def bind(self, s: Any) -> None:
        super().bind(s)
        apart = (*s.t.shape, len(self.levels))
        s.q = np.array(self.levels, s.dtype)
        s.t1, s.y3, s.dy3 = s.t[..., None], s.y.reshape(apart), s.dy.reshape(apart)
        s.terms3, s.share3 = s.terms.reshape(apart), s.share.reshape(apart)

    def forward(self, s: Any) -> None:
        np.subtract(s.y3, s.t1, s.dy3)
        np.multiply(s.dy3, s.q, s.share3)
        np.maximum(s.dy, s.zero, out=s.terms)
        np.subtract(s.terms, s.share, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        np.heaviside(s.dy3, s.q, s.dy3)
        np.subtract(s.dy3, s.q, s.dy3)
        np.multiply(s.dy, s.slope, s.dy)

    def scores(self, t: Array) -> Array:
        return np.repeat(np.asarray(t, np.float64), len(self.levels), axis=-1)

    @property
    def suffixes(self) -> tuple[str, ...]:
        return tuple(f"_q{q}" for q in self.q) if isinstance(self.q, tuple) else ("",)

    def point(self, outputs: Array) -> Array:
        middle = min(range(len(self.levels)), key=lambda place: (abs(self.levels[place] - 0.5), self.levels[place]))
        return outputs[:, middle :: len(self.levels)]

    def report(self, outputs: Array, invert: Callable[[Array], Array]) -> Array:
        count = len(self.levels)
        return np.stack([invert(outputs[:, place::count]) for place in range(count)], axis=-1)
