"""A layer's pass with PyTorch: outputs, and the gradients of a weighted sum of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from tests.reference.records import Array, Record, make, numbers

TORCH = "torch 2.13.0"


def passed(
    name: str,
    source: str,
    forward: Callable[..., torch.Tensor],
    x: Array,
    parameters: Mapping[str, Array] | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    training: bool = True,
    input_gradient: bool = True,
    **content: Any,
) -> Record:
    """The record of ``forward(x, **parameters)``; the gradients are those of ``sum(y * dy)``.

    Parameters have nnctl's names and layout, dots in a name become underscores.
    """
    inputs = torch.tensor(x, requires_grad=input_gradient)
    learned = {key: torch.tensor(value, requires_grad=True) for key, value in (parameters or {}).items()}
    y = forward(inputs, **{key.replace(".", "_"): value for key, value in learned.items()})
    dy = numbers(f"dy {tuple(y.shape)}", *y.shape)
    (y * torch.tensor(dy)).sum().backward()
    gradients = {key: value.grad.numpy() for key, value in learned.items() if value.grad is not None}
    if inputs.grad is not None:
        gradients["x"] = inputs.grad.numpy()
    return make(
        "layers",
        name,
        source,
        options,
        training=training,
        x=x,
        parameters=dict(parameters or {}),
        y=y.detach().numpy(),
        dy=dy,
        gradients=gradients,
        **content,
    )
