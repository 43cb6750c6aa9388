"""The loss that fits the task."""

from __future__ import annotations

from nnctl.component import component
from nnctl.errors import Problem, SpecError
from nnctl.losses import Loss, smoothing
from nnctl.losses.binary_cross_entropy import BinaryCrossEntropy
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.mse import Mse


@component("auto")
class Auto(Loss):
    """The loss that fits the task: binary_cross_entropy (of several labels, too), cross_entropy or mse."""

    label_smoothing: float = smoothing()

    tasks = frozenset()

    def resolved(self, task: str) -> Loss:
        if task == "regression":
            if self.label_smoothing:
                raise SpecError(
                    Problem("smooths the classes of a target, this is a regression", "loss.label_smoothing")
                )
            return Mse(class_weight=self.class_weight)
        chosen = CrossEntropy if task == "multiclass" else BinaryCrossEntropy
        return chosen(label_smoothing=self.label_smoothing, class_weight=self.class_weight)
