"""Losses: from raw scores and targets to one number for every row, and its gradient.

A loss owns its link, the function that turns scores into predictions (sigmoid, softmax, identity): fusing the two
is exact where either alone would overflow, and cheaper.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component, option, section

Array = NDArray[Any]

ROWS = -1  # stands for the batch axis in the shape of a scratch array


def smoothing() -> Any:
    """The option ``label_smoothing`` of the cross-entropies."""
    return option(default=0.0, ge=0, lt=1, available=False, help="Share of each target spread over all classes, 0-1.")


@section
class Loss(Component):
    """A loss over raw scores; ``L = mean over the batch's rows of the row losses``.

    The slot of a loss has: y, the scores (*K, B, O); t, the targets (*K, B, O); losses (*K, B), which ``forward``
    writes; dy (*K, B, O), which ``backward`` writes: dL / dy; per_row, the 0-d constant 1 / B. ``backward`` follows a
    ``forward`` on the same slot, which may leave work in dy and in the scratch.
    """

    class_weight: Literal["balanced"] | dict[str, float] | None = option(
        default=None, available=False, help="Weight of each class by its label; balanced: inverse to its frequency."
    )

    kind = "losses"
    tasks: ClassVar[frozenset[str]]
    link: ClassVar[str] = "identity"  # the name of the activation that turns scores into predictions

    def width(self, *, task: str, classes: int, targets: int) -> int:
        """The number of scores O in a row: one for two classes, else one for each class or target."""
        return {"binary": 1, "multiclass": classes}.get(task, targets)

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
        """Apply the link, in float64."""
        return np.asarray(scores, np.float64)
