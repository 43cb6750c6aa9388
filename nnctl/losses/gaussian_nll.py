"""The likelihood of a normal distribution, of which mean and variance are predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnctl.component import component
from nnctl.losses import CERTAIN, ROWS, Array
from nnctl.losses.elementwise import STEEP, Elementwise, stretched_exp


@component("gaussian_nll", examples=[{}, {"reduction": "sum"}])
class GaussianNll(Elementwise):
    """Negative log-likelihood of a normal distribution, ``(u + (m - t)^2 exp(-u)) / 2``: mean m, variance ``exp(u)``.

    The scores of a row are the m of all targets, then their u. Below u = -40 the exponential is its tangent.
    Shapes: y (*K, B, 2 T), t (*K, B, T) -> losses (*K, B)
    Source: Nix and Weigend 1994; PyTorch's ``GaussianNLLLoss`` (not full). PyTorch takes the variance itself and
    cuts it off at 1e-6, which its logarithm makes unnecessary.
    """

    def width(self, *, task: str, classes: int, targets: int) -> int:
        return 2 * targets

    def targets(self, width: int) -> int:
        return width // 2

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        half = (ROWS, width // 2)
        return {"terms": half, "off": half, "inverse": half, "fall": half}

    def bind(self, s: Any) -> None:
        super().bind(s)
        count = s.t.shape[-1]
        s.mean, s.u = s.y[..., :count], s.y[..., count:]
        s.d_mean, s.d_u = s.dy[..., :count], s.dy[..., count:]
        s.steep, s.slope_u = s.constant(STEEP), s.constant(s.slope / 2)
        s.factor = s.constant(s.factor / 2)

    def forward(self, s: Any) -> None:
        np.subtract(s.mean, s.t, s.off)
        np.negative(s.u, s.inverse)
        stretched_exp(s.inverse, s.steep, s.fall, s.inverse)
        np.multiply(s.inverse, s.off, s.inverse)
        np.multiply(s.inverse, s.off, s.terms)
        np.add(s.terms, s.u, s.terms)
        self.combine(s)

    def backward(self, s: Any) -> None:
        """``dm = (m - t) exp(-u)``, ``du = (1 - (m - t)^2 exp(-u)) / 2``; forward left dm in the scratch."""
        np.multiply(s.inverse, s.slope, s.d_mean)
        np.multiply(s.fall, s.off, s.fall)
        np.multiply(s.fall, s.off, s.fall)
        np.subtract(s.one, s.fall, s.d_u)
        np.multiply(s.d_u, s.slope_u, s.d_u)

    def predict(self, scores: Array) -> Array:
        """The means and standard deviations."""
        scores = np.asarray(scores, np.float64)
        count = scores.shape[-1] // 2
        return np.concatenate([scores[..., :count], np.exp(scores[..., count:] / 2)], axis=-1)

    def scores(self, t: Array) -> Array:
        """A variance of almost nothing around t."""
        t = np.asarray(t, np.float64)
        return np.concatenate([t, np.full(t.shape, np.log(CERTAIN))], axis=-1)

    def prior(self, t: Array, w: Array | None) -> Array:
        """The mean and the variance of the targets."""
        t = t.astype(np.float64)
        mean = np.average(t, axis=0, weights=w)
        variance = np.average((t - mean) ** 2, axis=0, weights=w)
        return np.concatenate([mean, np.log(np.maximum(variance, CERTAIN))])

    @property
    def suffixes(self) -> tuple[str, ...]:
        return ("", "_sd")

    def point(self, outputs: Array) -> Array:
        return outputs[:, : outputs.shape[1] // 2]

    def report(self, outputs: Array, invert: Callable[[Array], Array]) -> Array:
        """Mean and standard deviation; the latter is half the way from one below the mean to one above it."""
        mean, sd = np.split(outputs, 2, axis=-1)
        return np.stack([invert(mean), (invert(mean + sd) - invert(mean - sd)) / 2], axis=-1)
