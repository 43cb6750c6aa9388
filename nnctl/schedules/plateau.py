"""A learning rate that falls when a value no longer improves."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Literal, Self

from nnctl.component import component, option
from nnctl.schedules import PER_HELP, Schedule, State


@component(
    "plateau",
    examples=[
        {},
        {"factor": 0.5, "patience": 3, "cooldown": 2, "warmup": 1},
        {"monitor": "val_accuracy", "per": "step"},
    ],
)
class Plateau(Schedule):
    """Decay by ``factor`` when the monitored value has not improved in more than ``patience`` units.

    A value improves on the best one if it is better by more than ``min_delta``; one that is not finite does not. After
    a decay ``cooldown`` units are not counted. Epochs are counted by their numbers, so that an evaluation every few
    epochs means the same; those of the warmup set the best value and use up no patience.
    Source: PyTorch's ``ReduceLROnPlateau`` with ``threshold_mode = "abs"`` (its default is relative) and no ``min_lr``.
    """

    factor: float = option(default=0.1, gt=0, lt=1, help="Factor of each decay.")
    patience: int = option(default=10, ge=0, help="Units (epochs, or steps) without an improvement that are let pass.")
    min_delta: float = option(
        default=1e-4, ge=0, help="Improvement, in units of the monitored value, that must be exceeded to count as one."
    )
    cooldown: int = option(default=0, ge=0, help="Units (epochs, or steps) after a decay that are not counted.")
    monitor: str | None = option(
        default=None, help="Loss or metric that is watched; null: that of early stopping, else val_loss or train_loss."
    )
    per: Literal["step", "epoch"] = option(default="epoch", help=PER_HELP)

    @property
    def watches(self) -> str | None:
        return self.monitor

    def watching(self, usual: str) -> Self:
        return dataclasses.replace(self, monitor=self.monitor or usual)

    def proper(self, t: int, n: int, warm: float, state: State) -> float:
        return float(state.get("factor", 1.0))

    def curve(self, t: int, n: int) -> float:
        return 1.0

    def start(self) -> dict[str, Any]:
        return {"factor": 1.0, "best": None, "since": 0}

    def observe(self, state: dict[str, Any], *, unit: int, value: float, better: Literal["lower", "higher"]) -> None:
        # All comparisons are made as if lower were better; `since` is the unit from which bad ones are counted.
        sign = 1.0 if better == "lower" else -1.0
        cost = sign * value if math.isfinite(value) else math.inf
        best = math.inf if state["best"] is None else sign * state["best"] - self.min_delta
        if cost < best:
            state.update(best=value, since=max(state["since"], unit))
        elif unit - state["since"] > self.patience:
            state.update(factor=state["factor"] * self.factor, since=unit + self.cooldown)
