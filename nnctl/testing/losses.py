"""Conformance checks of losses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnctl.losses import Loss
from nnctl.network.network import Network, build
from nnctl.testing.harness import (
    INPUTS,
    SEEDS,
    Array,
    assert_gradients,
    assert_members,
    dense,
    loss_of,
    made,
    rows,
    targets,
)

CLASSES = 3


def check_loss_gradients(cls: type[Loss]) -> None:
    """The numeric gradient check of the loss behind a dense layer."""
    for loss, t in losses_of(cls):
        network = _linear(t)
        assert_gradients(network, loss, rows(), t, f"{cls.name} {loss}")


def check_loss_extremes(cls: type[Loss]) -> None:
    """Loss and gradient are finite at scores of plus and minus 10,000."""
    for loss, t in losses_of(cls):
        for size in (1e4, -1e4):
            signs = np.where(t > 0, 1.0, -1.0)
            values = loss_of(loss, size * signs, t)
            assert all(np.isfinite(value).all() for value in values), f"{cls.name} {loss}: not finite at {size:g}"


def check_loss_minimum(cls: type[Loss]) -> None:
    """No scores have a smaller loss than those that say the truth."""
    for loss, t in losses_of(cls):
        true_scores = t if loss.link == "identity" else np.where(t > 0, 50.0, -50.0)
        least = loss_of(loss, true_scores, t)[0]
        assert np.allclose(least, 0, atol=1e-6), f"{cls.name} {loss}: the loss of the truth is {least}"
        other = loss_of(loss, true_scores + targets(t.shape[-1]), t)[0]
        assert (other >= least - 1e-6).all(), f"{cls.name} {loss}: the truth does not have the least loss"


def check_loss_members(cls: type[Loss]) -> None:
    """Member k of a stack has the loss and the gradient of the network alone."""
    for loss, t in losses_of(cls):
        networks = [_linear(t) for _ in SEEDS]
        assert_members(networks, [loss for _ in SEEDS], f"{cls.name} {loss}", t)


def losses_of(cls: type[Loss]) -> Iterator[tuple[Loss, Array]]:
    """Every example of a loss, with targets (B, O) of every task that it serves."""
    for example in cls.examples:
        loss: Loss = made(cls, example)
        for task in sorted(loss.tasks):
            width = loss.width(task=task, classes=2 if task == "binary" else CLASSES, targets=2)
            if task == "regression":
                yield loss, targets(width)
            elif width == 1:
                yield loss, (targets(1) > 0).astype(float)
            else:
                yield loss, np.eye(width)[np.arange(len(rows())) % width]


def _linear(t: Array) -> Network:
    return build([("output", dense(t.shape[-1]))], (INPUTS,))


CHECKS = (check_loss_gradients, check_loss_extremes, check_loss_minimum, check_loss_members)
