"""The focal loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.losses import ROWS, Loss


@component("focal", examples=[{}, {"gamma": 0.5, "alpha": None}, {"gamma": 0.0}, {"link": "softmax", "gamma": 1.5}])
class Focal(Loss):
    """Cross-entropy that rows already well predicted weigh less in, ``-a (1 - p)^gamma log p``, p that of the truth.

    With sigmoid outputs a is alpha for a positive target and 1 - alpha for a negative one, and several are averaged;
    with softmax there is no alpha (use class_weight).
    Shapes: y, t (*K, B, O) -> losses (*K, B), t is 0 or 1
    Source: Lin et al. 2017; torchvision's ``sigmoid_focal_loss``.
    """

    gamma: float = option(default=2.0, ge=0, stack=True, help="Power of 1 - p; 0 is the cross-entropy.")
    alpha: float | None = option(
        default=0.25, gt=0, lt=1, help="Weight of the positive targets, 0-1; null: positive and negative count alike."
    )
    link: Literal["auto", "sigmoid", "softmax"] = option(  # type: ignore[misc]  # an option here, elsewhere a constant
        default="auto", help="Link; auto: softmax for several classes of which one is true, else sigmoid."
    )

    tasks = frozenset({"binary", "multiclass", "multilabel"})

    def resolved(self, task: str) -> Loss:
        if task == "multilabel" and self.link == "softmax":
            raise SpecError(Problem("softmax lets one label be true, a multilabel target has several", "loss.link"))
        if self.link != "auto":
            return self
        return replace(self, link="softmax" if task == "multiclass" else "sigmoid")

    def width(self, *, task: str, classes: int, targets: int) -> int:
        if self.link == "softmax":
            return classes
        return super().width(task=task, classes=classes, targets=targets)

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        if self.link == "softmax":
            rows = dict.fromkeys(("row", "log_p", "p", "missed", "weight"), (ROWS, 1))
            return {**rows, "terms": (ROWS, width)}
        return dict.fromkeys(("side", "cost", "missed", "weight", "terms"), (ROWS, width))

    def bind(self, s: Any) -> None:
        outputs = s.y.shape[-1]
        s.two, s.tiny = s.constant(2), s.constant(np.finfo(s.dtype).tiny)
        s.share, s.slope = s.constant(1 / outputs), s.constant(-1 / (outputs * s.rows))
        if self.alpha is not None:
            s.of_negative, s.more = s.constant(1 - self.alpha), s.constant(2 * self.alpha - 1)
        s.row_losses = s.losses[..., None]

    def forward(self, s: Any) -> None:
        if self.link == "softmax":
            self._of_classes(s)
        else:
            self._of_labels(s)

    def backward(self, s: Any) -> None:
        """With softmax ``dy = (1 - p)^g (1 - g p log p / (1 - p)) (softmax(y) - t) / B``.

        With sigmoid, for ``x = y`` or, where t is 0, -y: ``dx = -a (1 - p)^g (1 - p - g p log p) / (O B)``.
        """
        if self.link == "softmax":
            np.exp(s.log_p, s.p)
            np.multiply(s.p, s.log_p, s.p)
            np.divide(s.p, s.missed, s.p)
            np.multiply(s.p, s.o.gamma, s.p)
            np.subtract(s.one, s.p, s.p)
            np.multiply(s.p, s.weight, s.p)
            np.divide(s.dy, s.row, s.dy)
            np.subtract(s.dy, s.t, s.dy)
            np.multiply(s.dy, s.p, s.dy)
            np.multiply(s.dy, s.per_row, s.dy)
        else:
            np.negative(s.cost, s.dy)
            np.exp(s.dy, s.dy)
            np.multiply(s.dy, s.cost, s.dy)
            np.multiply(s.dy, s.o.gamma, s.dy)
            np.add(s.dy, s.missed, s.dy)
            np.multiply(s.dy, s.weight, s.dy)
            np.multiply(s.dy, s.side, s.dy)
            np.multiply(s.dy, s.slope, s.dy)

    def _of_classes(self, s: Any) -> None:
        """Leave exp(y) in dy and its sum in row, both over the largest; 1 - p in missed, never 0."""
        np.maximum.reduce(s.y, -1, None, s.row, keepdims=True)
        np.subtract(s.y, s.row, s.dy)
        np.multiply(s.dy, s.t, s.terms)
        np.add.reduce(s.terms, -1, None, s.log_p, keepdims=True)
        np.exp(s.dy, s.dy)
        np.add.reduce(s.dy, -1, None, s.row, keepdims=True)
        np.log(s.row, s.p)
        np.subtract(s.log_p, s.p, s.log_p)
        np.expm1(s.log_p, s.missed)
        np.negative(s.missed, s.missed)
        np.power(s.missed, s.o.gamma, s.weight)
        np.maximum(s.missed, s.tiny, out=s.missed)
        np.multiply(s.weight, s.log_p, s.row_losses)
        np.negative(s.losses, s.losses)

    def _of_labels(self, s: Any) -> None:
        """Leave -log p in cost and 1 - p in missed."""
        np.multiply(s.t, s.two, s.side)
        np.subtract(s.side, s.one, s.side)
        np.multiply(s.side, s.y, s.dy)
        np.negative(s.dy, s.cost)
        np.logaddexp(s.cost, s.zero, s.cost)
        np.add(s.cost, s.dy, s.missed)
        np.negative(s.missed, s.missed)
        np.exp(s.missed, s.missed)
        np.power(s.missed, s.o.gamma, s.weight)
        if self.alpha is not None:
            np.multiply(s.t, s.more, s.terms)
            np.add(s.terms, s.of_negative, s.terms)
            np.multiply(s.weight, s.terms, s.weight)
        np.multiply(s.weight, s.cost, s.terms)
        np.add.reduce(s.terms, -1, None, s.losses)
        np.multiply(s.losses, s.share, s.losses)
