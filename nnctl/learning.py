"""What is learned: the loss that fits the task, and the target as that loss wants it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnctl.component import registry
from nnctl.data.target import Target, fit_target
from nnctl.data.weights import class_weights
from nnctl.dataset import Dataset
from nnctl.errors import Problem, SpecError
from nnctl.losses import Loss
from nnctl.losses.auto import Auto
from nnctl.spec.schema import FEATURES, Data
from nnctl.transforms import Scaler
from nnctl.transforms.none import NoScaling
from nnctl.transforms.standardize import Standardize

SCALE = "data.target_scale"


def chosen_loss(loss: Loss, task: str) -> Loss:
    """The loss that does the work. Raises SpecError if it does not fit the task."""
    if not isinstance(loss, Auto) and task not in loss.tasks:
        fitting = ", ".join(f"`{cls.name}`" for cls in registry.classes("losses", Loss) if task in cls.tasks)
        raise SpecError(Problem(f"{loss.name} does not fit a {task} target, allowed: {fitting}", "loss.type"))
    return loss.resolved(task)


def fitted_target(data: Data, dataset: Dataset, loss: Loss) -> Target:
    """The target as the training rows show it, with the weights of its classes.

    Raises: DataError if the training rows are of one class, or a label is none; SpecError if the scaling, or the
    weights of classes, do not fit.
    """
    scaler = chosen_scaler(data, loss, dataset.task)
    rows = dataset.fitting
    if not dataset.targets:
        return Target((), dataset.task, scaler=scaler).fitted_to(loss)
    columns = [dataset.table.columns[name] for name in dataset.targets]
    target = fit_target(columns, dataset.task, positive=data.positive, scaler=scaler, train=rows).fitted_to(loss)
    if loss.keeps_zero:
        _check_zero(target, loss)
    if loss.class_weight is None:
        return target
    return replace(target, class_weights=class_weights(loss.class_weight, target, target.truth(columns)[rows]))


def chosen_scaler(data: Data, loss: Loss, task: str) -> Scaler:
    """The scaling of a regression target; none for other tasks, for an autoencoder, and where the zero must stay."""
    features = data.target == FEATURES
    if not isinstance(data.target_scale, str):
        if features and not isinstance(data.target_scale, NoScaling):
            raise SpecError(
                Problem("the target are the features, which `data.numeric.scale` scales: leave it out", SCALE)
            )
        return data.target_scale
    return NoScaling() if task != "regression" or features or loss.keeps_zero else Standardize()


def _check_zero(target: Target, loss: Loss) -> None:
    assert target.scaler is not None
    for state in target.states:
        zero, one = target.scaler.apply(np.array([0.0, 1.0]), state).tolist()
        if zero != 0 or not one > 0:
            message = f"{target.scaler.name} moves the zero of the target, which {loss.name} needs: leave it out"
            raise SpecError(Problem(f"{message}, or write `none`", SCALE))
