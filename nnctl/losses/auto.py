"""The loss that fits the task."""

from __future__ import annotations

from nnctl.component import component
from nnctl.losses import Loss, smoothing
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.mse import Mse


@component("auto")
class Auto(Loss):
    """The loss that fits the task: binary_cross_entropy, cross_entropy or mse."""

    label_smoothing: float = smoothing()

    tasks = frozenset()

    def resolved(self, task: str) -> Loss:
        """The loss that a task gets."""
        chosen: dict[str, type[Loss]] = {"binary": BinaryCrossEntropy, "multiclass": CrossEntropy, "regression": Mse}
        return chosen[task]()
