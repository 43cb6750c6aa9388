"""Conformance checks of losses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np

from nnctl.component import options
from nnctl.errors import SpecError
from nnctl.losses import Loss
from nnctl.network.members import stream
from nnctl.network.network import Network, build
from nnctl.testing.harness import (
    BATCH,
    INPUTS,
    SEEDS,
    Array,
    assert_close,
    assert_gradients,
    assert_members,
    assert_no_allocation,
    dense,
    loss_of,
    made,
    rows,
    targets,
)

CLASSES, TARGETS = 3, 2
ROWS = 100_000  # of a step in which the buffers of NumPy itself count for nothing
COPIES = np.arange(BATCH) % 3  # weights that are whole numbers, some 0


def check_loss_gradients(cls: type[Loss]) -> None:
    """The numeric gradient check of the loss behind a dense layer, without and with weights of the rows."""
    for loss, t, width in losses_of(cls):
        network = _linear(width)
        assert_gradients(network, loss, rows(), t, f"{cls.name} {loss}")
        assert_gradients(network, loss, rows(), t, f"{cls.name} {loss}, with weights", COPIES)


def check_loss_extremes(cls: type[Loss]) -> None:
    """Loss and gradient are finite at scores of plus and minus 10,000."""
    for loss, t, _ in losses_of(cls):
        signs = np.where(loss.scores(t) > 0, 1.0, -1.0)
        for scores in (1e4 * signs, -1e4 * signs, np.full(signs.shape, 1e4), np.full(signs.shape, -1e4)):
            values = loss_of(loss, scores, t)
            assert all(np.isfinite(value).all() for value in values), f"{cls.name} {loss}: not finite at {scores[0]}"


def check_loss_minimum(cls: type[Loss]) -> None:
    """No scores have a smaller loss than those that say the truth; and those predict it."""
    for loss, t, width in losses_of(cls):
        true_scores = loss.scores(t)
        assert true_scores.shape == (BATCH, width), f"{cls.name} {loss}: scores of the shape {true_scores.shape}"
        least = loss_of(loss, true_scores, t)[0]
        for draw in range(5):
            noise = 10.0 ** (1 - draw) * stream(draw, "noise").standard_normal(true_scores.shape)
            other = loss_of(loss, true_scores + noise, t)[0]
            assert (other >= least - 1e-6).all(), f"{cls.name} {loss}: the truth does not have the least loss"


def check_loss_members(cls: type[Loss]) -> None:
    """Member k of a stack has the loss and the gradient of the network alone, weighted or not, with its own options."""
    for loss, t, width in losses_of(cls):
        networks = [_linear(width) for _ in SEEDS]
        variants = [_varied(loss, 1 + place / 10) for place in range(len(SEEDS))]
        assert_members(networks, variants, f"{cls.name} {loss}", t)
        assert_members(networks, variants, f"{cls.name} {loss}, with weights", t, COPIES)


def check_zero_weight_rows(cls: type[Loss]) -> None:
    """A row of weight 0 changes nothing; where all rows have it, there is no gradient."""
    for loss, t, width in losses_of(cls):
        scores, kept = targets(width), COPIES > 0
        losses, dy = loss_of(loss, scores, t, COPIES)
        fewer, dy_fewer = loss_of(loss, scores[kept], t[kept], COPIES[kept])
        assert not losses[~kept].any(), f"{cls.name} {loss}: a row of weight 0 has a loss"
        assert not dy[~kept].any(), f"{cls.name} {loss}: a row of weight 0 has a gradient"
        assert_close(losses[kept], fewer, f"{cls.name} {loss}: a row of weight 0 changes the losses of others")
        assert_close(dy[kept], dy_fewer, f"{cls.name} {loss}: a row of weight 0 changes the gradients of others")
        assert not loss_of(loss, scores, t, np.zeros(BATCH))[1].any(), f"{cls.name} {loss}: a gradient of no weight"


def check_weights_repeat(cls: type[Loss]) -> None:
    """A row of weight 2 counts as two rows."""
    for loss, t, width in losses_of(cls):
        scores, again = targets(width), np.repeat(np.arange(BATCH), COPIES)
        losses, dy = loss_of(loss, scores, t, COPIES)
        copied, dy_copied = loss_of(loss, scores[again], t[again])
        message = f"{cls.name} {loss}: weights are not repetitions"
        assert_close(losses.sum() / COPIES.sum(), copied.mean(), message)
        summed = np.zeros(dy.shape)
        np.add.at(summed, again, dy_copied)
        assert_close(dy, summed, message)


def check_loss_allocates_nothing(cls: type[Loss]) -> None:
    """Steps allocate nothing that is as large as a batch."""
    for loss, t, width in losses_of(cls):
        assert_no_allocation(_linear(width), f"{cls.name} {loss}", loss, np.resize(t, (ROWS, t.shape[-1])))


CHECKS = (
    check_loss_gradients,
    check_loss_extremes,
    check_loss_minimum,
    check_loss_members,
    check_zero_weight_rows,
    check_weights_repeat,
    check_loss_allocates_nothing,
)


def losses_of(cls: type[Loss]) -> Iterator[tuple[Loss, Array, int]]:
    """Every example of a loss, as each task resolves it that takes its options, with targets (B, T) and its width."""
    for example in cls.examples:
        for task in sorted(cls.tasks):
            several = TARGETS if task in ("regression", "multilabel") else 1
            try:
                loss: Loss = made(cls, example).resolved(task)
                width = loss.width(
                    task=task, classes={"binary": 2, "multiclass": CLASSES}.get(task, 0), targets=several
                )
            except SpecError:
                continue  # pos_weight for two labels suits no single one
            yield loss, _targets(loss, task, loss.targets(width)), width


def _targets(loss: Loss, task: str, width: int) -> Array:
    if task == "regression":
        return loss.asked.sample(targets(width))
    if task == "multilabel" or width == 1:
        return (targets(width) > 0).astype(float)
    return np.eye(width)[np.arange(BATCH) % width]


def _varied(loss: Loss, factor: float) -> Loss:
    """The loss with every option that may differ between members times a factor."""
    free = [name for name, option in options(type(loss)).items() if option.stack]
    return replace(
        loss, **{field.name: factor * getattr(loss, field.name) for field in fields(loss) if field.name in free}
    )


def _linear(width: int) -> Network:
    return build([("output", dense(width))], (INPUTS,))
