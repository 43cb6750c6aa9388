"""The cross-entropy of two classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.losses import CERTAIN, ROWS, Array, Loss, smoothing

FEW = 128  # scores; up to here the cost of a call matters more than that of a score


@component(
    "binary_cross_entropy",
    examples=[{}, {"label_smoothing": 0.1}, {"pos_weight": 3.0}, {"pos_weight": [0.5, 4.0], "label_smoothing": 0.2}],
)
class BinaryCrossEntropy(Loss):
    """Cross-entropy of two classes, ``-w t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(y)`` and w, the pos_weight.

    Computed from the score as ``log(1 + exp(y)) - t y``, exact at any score since the first term is
    ``max(y, 0) + log(1 + exp(-|y|))``; with a pos_weight as ``(1 - t) y + (1 + (w - 1) t) log(1 + exp(-y))``. Several
    labels are averaged. With ``label_smoothing: s`` the target is ``t (1 - s) + s / 2``.
    Shapes: y, t (*K, B, O) -> losses (*K, B)
    Source: PyTorch's ``BCEWithLogitsLoss``; the smoothing, which that has not, as Keras' ``BinaryCrossentropy``.
    """

    label_smoothing: float = smoothing()
    pos_weight: float | tuple[float, ...] = option(
        default=1.0, ge=0, help="Factor of the losses of positive targets; a list holds one for each target column."
    )

    tasks = frozenset({"binary", "multilabel"})
    link = "sigmoid"

    @property
    def weighs(self) -> bool:
        """Whether positive targets count otherwise than negative ones."""
        return self.pos_weight != 1

    def width(self, *, task: str, classes: int, targets: int) -> int:
        if isinstance(self.pos_weight, tuple) and len(self.pos_weight) != targets:
            message = f"must be one number, or one for each of the {targets} targets, got {len(self.pos_weight)}"
            raise SpecError(Problem(message, "loss.pos_weight"))
        return super().width(task=task, classes=classes, targets=targets)

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        names = ["terms", *["soft"] * (self.label_smoothing > 0), *["lift"] * self.weighs]
        return {name: (ROWS, width) for name in names}

    def bind(self, s: Any) -> None:
        s.labels, s.weighs = s.y.shape[-1], self.weighs
        s.half, s.share, s.slope = s.constant(0.5), s.constant(1 / s.labels), s.constant(1 / (s.labels * s.rows))
        s.target = s.soft if self.label_smoothing else s.t
        s.kept, s.spread = s.constant(1 - self.label_smoothing), s.constant(self.label_smoothing / 2)
        s.more = np.array(self.pos_weight, s.dtype) - s.one
        s.ones, s.column = np.ones((s.labels, 1), s.dtype), s.losses[..., None]
        s.terms = s.terms if s.labels > 1 else s.column
        s.softplus = _at_once if s.rows * s.labels <= FEW else _by_parts

    def forward(self, s: Any) -> None:
        if self.label_smoothing:
            np.multiply(s.t, s.kept, s.soft)
            np.add(s.soft, s.spread, s.soft)
        if s.weighs:
            self._weigh(s)
        else:
            s.softplus(s, s.y)
            np.multiply(s.y, s.target, s.dy)
            np.subtract(s.terms, s.dy, s.terms)
        if s.labels > 1:
            s.product(s.terms, s.ones, s.column)  # sums over the labels faster than a reduction
            np.multiply(s.losses, s.share, s.losses)

    def _weigh(self, s: Any) -> None:
        np.negative(s.y, s.lift)
        s.softplus(s, s.lift)
        np.multiply(s.target, s.more, s.lift)
        np.add(s.lift, s.one, s.lift)
        np.multiply(s.terms, s.lift, s.terms)
        np.multiply(s.y, s.target, s.dy)
        np.subtract(s.y, s.dy, s.dy)
        np.add(s.terms, s.dy, s.terms)

    def backward(self, s: Any) -> None:
        """``dy = (sigmoid(y) - t) / B``, the sigmoid as ``(1 + tanh(y / 2)) / 2``.

        With a pos_weight it is ``v (sigmoid(y) - 1) + 1 - t``, ``v = 1 + (w - 1) t``.
        """
        np.multiply(s.y, s.half, s.dy)
        np.tanh(s.dy, s.dy)
        np.add(s.dy, s.one, s.dy)
        np.multiply(s.dy, s.half, s.dy)
        if s.weighs:
            np.subtract(s.dy, s.one, s.dy)
            np.multiply(s.dy, s.lift, s.dy)
            np.add(s.dy, s.one, s.dy)
        np.subtract(s.dy, s.target, s.dy)
        np.multiply(s.dy, s.slope, s.dy)

    def scores(self, t: Array) -> Array:
        """Those of least loss: of the smoothed t, the odds times the pos_weight."""
        odds = super().scores(np.asarray(t, np.float64) * (1 - self.label_smoothing) + self.label_smoothing / 2)
        return odds + np.log(np.maximum(self.pos_weight, CERTAIN))


def _at_once(s: Any, x: Array) -> None:
    """``log(1 + exp(x))`` in one call, which NumPy has no vector instructions for."""
    np.logaddexp(x, s.zero, s.terms)


def _by_parts(s: Any, x: Array) -> None:
    """The same in six calls, which it has them for."""
    np.abs(x, s.terms)
    np.negative(s.terms, s.terms)
    np.exp(s.terms, s.terms)
    np.log1p(s.terms, s.terms)
    np.maximum(x, s.zero, out=s.dy)
    np.add(s.terms, s.dy, s.terms)
