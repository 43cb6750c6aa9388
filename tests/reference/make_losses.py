"""The losses: of every row, of the batch (the mean weighted by row), and the gradient of the latter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from tests.reference.records import Array, Record, make, numbers
from tests.reference.with_torch import TORCH

Tensor = torch.Tensor
RowLoss = Callable[[Tensor, Tensor], Tensor]  # scores (B, S), targets (B, T) -> losses (B,)

Case = tuple[str, Mapping[str, Any], str, str, RowLoss, Array, Array]

ROWS = 8
SCORES = {width: numbers(f"scores {width}", ROWS, width, scale=2.0) for width in (1, 2, 3, 4, 6)}
VALUES = {width: numbers(f"values {width}", ROWS, width) for width in (1, 2, 3)}
POSITIVE = {width: np.abs(numbers(f"positive {width}", ROWS, width)) + 0.1 for width in (1, 2)}
BINARY = np.array([0, 1, 1, 0, 1, 0, 0, 1.0])[:, None]
LABELS = np.array([[0, 1, 1], [1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1], [1, 1, 0.0]])
CODES = np.array([0, 2, 1, 1, 2, 0, 0, 2])
CLASSES = np.eye(3)[CODES]
WEIGHTS = np.array([1, 0.5, 2, 0, 1, 3, 0.25, 1])

# Those of which an option says how the outputs of a row are combined.
REDUCIBLE = (
    *("mse", "mae", "huber", "log_cosh", "quantile", "mape", "msle", "poisson", "gamma", "tweedie", "gaussian_nll"),
    *("hinge", "squared_hinge"),
)
REDUCED = f"{TORCH} F.{{}}(reduction='none'), mean over the outputs of a row"


def records() -> list[Record]:
    cases = [*_regression(), *_binary(), *_multiclass(), *_other()]
    cases += [_summed(*case) for case in cases if case[0] in REDUCIBLE and not case[1] and case[-1].shape[1] > 1]
    return [*(_record(*case, weights) for case in cases for weights in (None, WEIGHTS)), _class_weights()]


def _record(
    name: str,
    options: Mapping[str, Any],
    task: str,
    source: str,
    loss: RowLoss,
    y: Array,
    t: Array,
    weights: Array | None,
) -> Record:
    scores = torch.tensor(y, requires_grad=True)
    losses = loss(scores, torch.tensor(t))
    w = torch.ones(len(y)) if weights is None else torch.tensor(weights)
    mean = (w * losses).sum() / w.sum()
    mean.backward()
    case = f"{task} {t.shape[1]}" + ("" if weights is None else " weighted")
    found = {"losses": losses.detach().numpy(), "loss": mean.item(), "gradients": {"y": scores.grad.numpy()}}
    return make("losses", name, source, options, case=case, task=task, y=y, t=t, weights=weights, **found)


def _summed(name: str, options: Mapping[str, Any], task: str, source: str, loss: RowLoss, y: Array, t: Array) -> Case:
    """The same with the sum over the outputs of a row."""
    return name, {"reduction": "sum"}, task, f"{source}, summed", lambda y, t: loss(y, t) * t.shape[1], y, t


def _regression() -> list[Case]:
    def mean(function: Callable[..., Tensor], **keys: Any) -> RowLoss:
        return lambda y, t: function(y, t, reduction="none", **keys).mean(-1)

    def log_cosh(y: Tensor, t: Tensor) -> Tensor:
        e = (y - t).abs()
        return (e + torch.log1p(torch.exp(-2 * e)) - np.log(2)).mean(-1)

    def pinball(q: list[float]) -> RowLoss:
        """The outputs of the first target come first."""
        levels = torch.tensor(q)

        def loss(y: Tensor, t: Tensor) -> Tensor:
            off = t[:, :, None] - y.reshape(len(t), -1, len(levels))
            return torch.maximum(levels * off, (levels - 1) * off).mean((1, 2))

        return loss

    def log_error(y: Tensor, t: Tensor) -> Tensor:
        return ((torch.log1p(torch.exp(y)) - torch.log1p(t)) ** 2).mean(-1)

    def tweedie(power: float) -> RowLoss:
        return lambda y, t: (
            torch.exp((2 - power) * y) / (2 - power) - t * torch.exp((1 - power) * y) / (1 - power)
        ).mean(-1)

    def gaussian_nll(y: Tensor, t: Tensor) -> Tensor:
        mean, score = y.chunk(2, -1)
        return F.gaussian_nll_loss(mean, t, torch.exp(score), reduction="none", eps=0).mean(-1)

    cases: list[Case] = []
    for o in (1, 2):
        y, t, p = SCORES[o], VALUES[o], POSITIVE[o]
        cases += [
            ("mse", {}, "regression", REDUCED.format("mse_loss"), mean(F.mse_loss), y, t),
            ("mae", {}, "regression", REDUCED.format("l1_loss"), mean(F.l1_loss), y, t),
            ("huber", {}, "regression", REDUCED.format("huber_loss"), mean(F.huber_loss), y, t),
            ("huber", {"delta": 0.5}, "regression", REDUCED.format("huber_loss"), mean(F.huber_loss, delta=0.5), y, t),
            ("log_cosh", {}, "regression", "log cosh (y - t)", log_cosh, y, t),
            ("quantile", {"q": 0.2}, "regression", "Koenker and Bassett 1978", pinball([0.2]), y, t),
            (
                "mape",
                {},
                "regression",
                "|y - t| / |t| as scikit-learn",
                lambda y, t: ((y - t) / t).abs().mean(-1),
                y,
                p,
            ),
            ("msle", {}, "regression", "(log(1 + exp y) - log(1 + t))^2", log_error, y, p),
            ("quantile", {}, "regression", "Koenker and Bassett 1978", pinball([0.5]), y, t),
            ("poisson", {}, "regression", REDUCED.format("poisson_nll_loss"), mean(F.poisson_nll_loss), y, p),
            ("gamma", {}, "regression", "y + t exp(-y)", lambda y, t: (y + t * torch.exp(-y)).mean(-1), y, p),
            ("tweedie", {}, "regression", "Tweedie 1984", tweedie(1.5), y, p),
            ("tweedie", {"power": 1.2}, "regression", "Tweedie 1984", tweedie(1.2), y, p),
            ("gaussian_nll", {}, "regression", f"{TORCH} nn.GaussianNLLLoss", gaussian_nll, SCORES[2 * o], t),
        ]
    half = {"reduction": "sum", "scale": 0.5}
    three = {"q": [0.1, 0.5, 0.9]}
    cases += [
        (
            "mse",
            half,
            "regression",
            "half the squared error",
            lambda y, t: 0.5 * ((y - t) ** 2).sum(-1),
            SCORES[2],
            VALUES[2],
        ),
        ("quantile", three, "regression", "Koenker and Bassett 1978", pinball(three["q"]), SCORES[3], VALUES[1]),
        ("quantile", three, "regression", "Koenker and Bassett 1978", pinball(three["q"]), SCORES[6], VALUES[2]),
    ]
    return cases


def _binary() -> list[Case]:
    def cross_entropy(smoothing: float = 0.0, pos_weight: float | list[float] | None = None) -> RowLoss:
        weight = None if pos_weight is None else torch.tensor(pos_weight)

        def loss(y: Tensor, t: Tensor) -> Tensor:
            t = t * (1 - smoothing) + smoothing / 2
            return F.binary_cross_entropy_with_logits(y, t, pos_weight=weight, reduction="none").mean(-1)

        return loss

    def hinge(power: int) -> RowLoss:
        return lambda y, t: (torch.clamp(1 - (2 * t - 1) * y, min=0) ** power).mean(-1)

    def focal(gamma: float, alpha: float | None) -> RowLoss:
        def loss(y: Tensor, t: Tensor) -> Tensor:
            p = torch.sigmoid(y)
            given = p * t + (1 - p) * (1 - t)
            factor = 1.0 if alpha is None else alpha * t + (1 - alpha) * (1 - t)
            plain = F.binary_cross_entropy_with_logits(y, t, reduction="none")
            return (factor * (1 - given) ** gamma * plain).mean(-1)

        return loss

    logits, lin = f"{TORCH} F.binary_cross_entropy_with_logits", "Lin et al. 2017, equation 5"
    cases: list[Case] = []
    for task, y, t in (("binary", SCORES[1], BINARY), ("multilabel", SCORES[3], LABELS)):
        cases += [
            ("binary_cross_entropy", {}, task, logits, cross_entropy(), y, t),
            (
                "binary_cross_entropy",
                {"label_smoothing": 0.1},
                task,
                f"{logits}, t (1 - s) + s / 2",
                cross_entropy(0.1),
                y,
                t,
            ),
            ("binary_cross_entropy", {"pos_weight": 3.0}, task, logits, cross_entropy(0, 3.0), y, t),
            ("hinge", {}, task, "max(0, 1 - t y), t = -1 or 1, as scikit-learn's hinge_loss", hinge(1), y, t),
            ("squared_hinge", {}, task, "max(0, 1 - t y)^2, t = -1 or 1, as scikit-learn's LinearSVC", hinge(2), y, t),
            ("focal", {}, task, lin, focal(2, 0.25), y, t),
            ("focal", {"gamma": 1.0, "alpha": 0.6}, task, lin, focal(1, 0.6), y, t),
            ("focal", {"gamma": 0.5, "alpha": None}, task, "Lin et al. 2017, equation 4", focal(0.5, None), y, t),
        ]
    by_label = [0.5, 1.0, 4.0]
    weighted = cross_entropy(0, by_label)
    cases.append(("binary_cross_entropy", {"pos_weight": by_label}, "multilabel", logits, weighted, SCORES[3], LABELS))
    return cases


def _multiclass() -> list[Case]:
    def codes(t: Tensor) -> Tensor:
        return t.argmax(-1)

    def focal(gamma: float) -> RowLoss:
        """Without alpha, which Lin et al. define for two classes."""

        def loss(y: Tensor, t: Tensor) -> Tensor:
            log_p = (F.log_softmax(y, -1) * t).sum(-1)
            return -((1 - log_p.exp()) ** gamma) * log_p

        return loss

    y, t, entropy = SCORES[3], CLASSES, f"{TORCH} F.cross_entropy"

    def smoothed(y: Tensor, t: Tensor) -> Tensor:
        return F.cross_entropy(y, codes(t), reduction="none", label_smoothing=0.1)

    def margin(y: Tensor, t: Tensor) -> Tensor:
        return F.multi_margin_loss(y, codes(t), reduction="none")

    return [
        ("cross_entropy", {}, "multiclass", entropy, lambda y, t: F.cross_entropy(y, codes(t), reduction="none"), y, t),
        ("cross_entropy", {"label_smoothing": 0.1}, "multiclass", entropy, smoothed, y, t),
        ("focal", {}, "multiclass", "Lin et al. 2017, equation 4 over softmax", focal(2), y, t),
        (
            "focal",
            {"gamma": 1.0, "link": "softmax"},
            "multiclass",
            "Lin et al. 2017, equation 4 over softmax",
            focal(1),
            y,
            t,
        ),
        ("multi_margin", {}, "multiclass", f"{TORCH} nn.MultiMarginLoss", margin, y, t),
    ]


def _other() -> list[Case]:
    shares, direction = np.round(np.abs(numbers("shares", ROWS, 3)), 3), VALUES[3]
    shares[0] = [0.0, 1.0, 3.0]
    shares = shares / shares.sum(axis=1, keepdims=True)

    def divergence(y: Tensor, t: Tensor) -> Tensor:
        return F.kl_div(F.log_softmax(y, -1), t, reduction="none").sum(-1)

    return [
        ("kl_divergence", {}, "regression", f"{TORCH} F.kl_div(F.log_softmax(y), t)", divergence, SCORES[3], shares),
        (
            "cosine",
            {},
            "regression",
            f"1 - {TORCH} F.cosine_similarity",
            lambda y, t: 1 - F.cosine_similarity(y, t, dim=-1),
            SCORES[3],
            direction,
        ),
    ]


def _class_weights() -> Record:
    """PyTorch's weight of classes, and the weights of the rows that it stands for."""
    y, by_class = torch.tensor(SCORES[3], requires_grad=True), np.array([0.5, 1.0, 3.0])
    codes = torch.tensor(CODES)
    mean = F.cross_entropy(y, codes, weight=torch.tensor(by_class))
    mean.backward()
    losses = F.cross_entropy(y, codes, reduction="none").detach().numpy()
    found = {"losses": losses, "loss": mean.item(), "gradients": {"y": y.grad.numpy()}}
    given = {"task": "multiclass", "y": SCORES[3], "t": CLASSES, "weights": by_class[CODES]}
    source = f"{TORCH} F.cross_entropy(weight={by_class.tolist()})"
    return make("losses", "cross_entropy", source, case="weights of classes", **given, **found)
