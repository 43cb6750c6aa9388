"""Early stopping: when a run has nothing more to gain."""

from __future__ import annotations

from typing import Any, Literal

from nnctl.component import Component, option, section


@section
class EarlyStopping(Component):
    """Decides after each evaluation whether training goes on; the best weights are kept elsewhere."""

    kind = "early_stopping"
    usual = "patience"
    monitor: str = option(
        default="val_loss",
        help="Loss or metric that is watched, with `val_` or `train_` before it; that of the weights that are kept.",
    )

    def start(self) -> dict[str, Any]:
        """The state before the first evaluation, for JSON: it goes into every checkpoint."""
        raise NotImplementedError

    def update(
        self, state: dict[str, Any], *, epoch: int, value: float, better: Literal["lower", "higher"]
    ) -> str | None:
        """Take the monitored value of an epoch into the state; a sentence with the reason if training must stop."""
        raise NotImplementedError
