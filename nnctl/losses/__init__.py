"""Losses: from raw scores and targets to one number for every row, and its gradient.

A loss owns its link, the function that turns scores into predictions (sigmoid, softmax, exponential, identity):
fusing the two is exact where either alone would overflow, and cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component, option, section
from nnctl.losses.targets import ANY, Asked

Array = NDArray[Any]

ROWS = -1  # stands for the batch axis in the shape of a scratch array
HUGE = 700.0  # exp(700) = 1e304 is not yet beyond float64
CERTAIN = 1e-16  # a probability, or a mean, below which the link is not undone: its score would be infinite


def smoothing() -> Any:
    """The option ``label_smoothing`` of the cross-entropies."""
    return option(default=0.0, ge=0, lt=1, help="Share of each target spread over all classes, 0-1.")


@section
class Loss(Component):
    """A loss over raw scores; ``L = sum over the batch's rows of w l / sum of w``, w = 1 where rows have no weights.

    The slot of a loss has: y, the scores (*K, B, O); t, the targets (*K, B, T); losses (*K, B), which ``forward``
    writes; dy (*K, B, O), which ``backward`` writes: the gradient of the mean of the losses; per_row, the 0-d
    constant 1 / rows, and rows: B, or where these are a part of a batch, the number of all of its rows. ``backward``
    follows a ``forward`` on the same slot, which may leave work in dy and in the scratch.
    The pass puts in the weights, so that no loss knows of them.
    """

    class_weight: Literal["balanced"] | dict[str, float] | None = option(
        default=None, help="Weight of each class by its label; balanced: inverse to its frequency."
    )

    kind = "losses"
    tasks: ClassVar[frozenset[str]]
    link: ClassVar[str] = "identity"  # the name of the activation that turns scores into predictions
    asked: ClassVar[Asked] = ANY  # what targets must be
    keeps_zero: ClassVar[bool] = False  # the zero of the target has a meaning: no scaling may move it
    probabilities: ClassVar[bool] = True  # of classes: whether the predictions are, or aim at, probabilities
    couples_rows: ClassVar[bool] = False  # a row's loss depends on the other rows of the batch
    boundary: ClassVar[float] = 0.5  # of two classes: the prediction from which on a row is positive

    def resolved(self, task: str) -> Loss:
        """The loss that does the work for a task. Raises SpecError if an option does not fit the task."""
        return self

    def width(self, *, task: str, classes: int, targets: int) -> int:
        """The number of scores O in a row: one for two classes, else one for each class or target.

        Raises: SpecError if an option does not fit the targets.
        """
        return {"binary": 1, "multiclass": classes}.get(task, targets)

    def targets(self, width: int) -> int:
        """The number of targets T that so many scores are for."""
        return width

    def scratch(self, width: int) -> Mapping[str, tuple[int, ...]]:
        """Shapes of the working arrays, ``ROWS`` for the batch axis."""
        return {}

    def bind(self, s: Any) -> None:
        """Keep constants and views that would be made anew in every pass. Called once for a slot."""

    def forward(self, s: Any) -> None:
        """Write the loss of every row to ``s.losses``."""
        raise NotImplementedError

    def backward(self, s: Any) -> None:
        """Write the gradient of the batch's loss to ``s.dy``."""
        raise NotImplementedError

    def predict(self, scores: Array) -> Array:
        """Apply the link, in float64: (N, O) -> (N, O)."""
        return LINKS[self.link](np.asarray(scores, np.float64))

    def scores(self, t: Array) -> Array:
        """The scores of least loss for known targets, as near as finite ones can be: (N, T) -> (N, O)."""
        return UNDONE[self.link](np.asarray(t, np.float64))

    def prior(self, t: Array, w: Array | None) -> Array:
        """The scores (O,) of the mean of the targets t (N, T), weighted by w (N,)."""
        mean = np.average(t.astype(np.float64), axis=0, weights=w)
        scores: Array = self.scores(mean[None])[0]
        return scores

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What is told of each regression target: the ends of the names of its columns in `predict`."""
        return ("",)

    def point(self, outputs: Array) -> Array:
        """The one number that is predicted for each target: (N, O) -> (N, T)."""
        return outputs

    def report(self, outputs: Array, invert: Callable[[Array], Array]) -> Array:
        """What is told of each regression target, in its units: (N, O) -> (N, T, suffixes).

        ``invert`` takes (N, T) back to the units of the targets.
        """
        return invert(outputs)[:, :, None]


def _identity(x: Array) -> Array:
    return x


def _sigmoid(y: Array) -> Array:
    return np.asarray(1.0 / (1.0 + np.exp(np.minimum(-y, HUGE))))


def _softmax(y: Array) -> Array:
    exponentials = np.exp(y - y.max(axis=-1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))


def _logit(p: Array) -> Array:
    p = np.clip(p, CERTAIN, 1 - CERTAIN)
    return np.asarray(np.log(p) - np.log1p(-p))


def _log(mean: Array) -> Array:
    return np.asarray(np.log(np.maximum(mean, CERTAIN)))


LINKS: dict[str, Callable[[Array], Array]] = {
    "identity": _identity,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
    "exponential": np.exp,
}
UNDONE: dict[str, Callable[[Array], Array]] = {
    "identity": _identity,
    "sigmoid": _logit,
    "softmax": _log,
    "exponential": _log,
}
