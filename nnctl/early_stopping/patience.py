"""Stop when the monitored value no longer improves."""

from __future__ import annotations

import math
from typing import Any, Literal

from nnctl.component import component, option
from nnctl.early_stopping import EarlyStopping


@component(
    "patience",
    examples=[{}, {"monitor": "val_accuracy", "patience": 3, "target": 0.99}, {"min_delta": 0.001, "diverge": 100.0}],
)
class Patience(EarlyStopping):
    """Stop ``patience`` epochs after the last improvement, at a target, or when the value is out of hand.

    A value improves on the best one if it is better by more than ``min_delta``: an equal value does not, and a value
    that is not finite is worse than any other. Epochs are counted by their numbers, so that an evaluation every few
    epochs means the same. The first ``start_after`` epochs set the best value, but neither stop nor use up patience.
    Source: Prechelt 1998; as Keras' ``EarlyStopping`` but for ``start_after``, in whose epochs Keras looks away.
    """

    patience: int = option(default=10, ge=1, help="Epochs without an improvement after which training stops.")
    min_delta: float = option(
        default=0.0, ge=0, help="Improvement, in units of the monitored value, that must be exceeded to count as one."
    )
    start_after: int = option(default=0, ge=0, help="Epochs at the start in which nothing stops training.")
    target: float | None = option(default=None, help="Monitored value that is good enough to stop; null for none.")
    diverge: float | None = option(default=None, help="Monitored value beyond which training is lost; null for none.")

    def start(self) -> dict[str, Any]:
        return {"best": None, "best_epoch": 0}

    def update(
        self, state: dict[str, Any], *, epoch: int, value: float, better: Literal["lower", "higher"]
    ) -> str | None:
        # All comparisons are made as if lower were better.
        sign = 1.0 if better == "lower" else -1.0
        cost = sign * value if math.isfinite(value) else math.inf
        best = math.inf if state["best"] is None else sign * state["best"] - self.min_delta
        if cost < best:
            state.update(best=value, best_epoch=epoch)
        if epoch <= self.start_after:
            return None
        if self.target is not None and cost <= sign * self.target:
            return f"{self.monitor} has reached its target of {self.target:g} ({value:g} in epoch {epoch})"
        if self.diverge is not None and cost > sign * self.diverge:
            return f"{self.monitor} is worse than {self.diverge:g} ({value:g} in epoch {epoch})"
        if epoch - max(state["best_epoch"], self.start_after) >= self.patience:
            return self._out_of_patience(state)
        return None

    def _out_of_patience(self, state: dict[str, Any]) -> str:
        epochs = "1 epoch" if self.patience == 1 else f"{self.patience} epochs"
        if state["best"] is None:
            return f"{self.monitor} has not been a finite number for {epochs}"
        return f"{self.monitor} has not improved for {epochs} (best {state['best']:g} in epoch {state['best_epoch']})"
