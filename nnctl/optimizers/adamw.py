"""Adam with decoupled weight decay."""

from __future__ import annotations

from nnctl.component import component, option
from nnctl.optimizers.adam import Adam


@component("adamw", examples=[{}, {"lr": 0.01, "weight_decay": 0.1}])
class AdamW(Adam):
    """Adam whose weights also decay, ``theta -= lr weight_decay theta``, before the step.

    Source: Loshchilov and Hutter 2019, as in PyTorch.
    """

    weight_decay: float = option(
        default=0.01, ge=0, stack=True, help="Decoupled decay, theta -= lr weight_decay theta; weights only."
    )
