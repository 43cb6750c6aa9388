"""What is learned: the loss that fits the task, and the target as that loss wants it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnctl.component import registry
from nnctl.data.target import Target, fit_target
from nnctl.data.task import other_tasks
from nnctl.data.weights import class_weights
from nnctl.errors import DataError, Problem, SpecError
from nnctl.losses import Loss
from nnctl.losses.auto import Auto
from nnctl.preparing.dataset import Dataset, feature_names
from nnctl.spec.problems import format_key, shown
from nnctl.spec.schema import FEATURES, Data
from nnctl.transforms import Scaler
from nnctl.transforms.none import NoScaling
from nnctl.transforms.standardize import Standardize

SCALE = "data.target_scale"


def chosen_loss(loss: Loss, data: Data, dataset: Dataset) -> Loss:
    """The loss that does the work. Raises SpecError if it does not fit the task."""
    task = dataset.task
    if not isinstance(loss, Auto) and task not in loss.tasks:
        fitting = ", ".join(f"`{cls.name}`" for cls in registry.classes("losses", Loss) if task in cls.tasks)
        message = f"{loss.name} does not fit a {task} target, allowed: {fitting}"
        raise SpecError(Problem(message + _other_tasks(loss, data, dataset), "loss.type"))
    return loss.resolved(task)


def _other_tasks(loss: Loss, data: Data, dataset: Dataset) -> str:
    """The end of a message that names the tasks that the loss fits, and that ``auto`` might have chosen as well."""
    if data.task != "auto" or not dataset.targets:
        return ""
    others = other_tasks([dataset.table.columns[name] for name in dataset.targets], dataset.task)
    ways_out = " or ".join(f"`data.task: {name}`" for name in others if name in loss.tasks)
    return f"; or, as auto chose {dataset.task}, write {ways_out}" if ways_out else ""


def fitted_target(data: Data, dataset: Dataset, loss: Loss, known: Target | None = None) -> Target:
    """The target as the training rows show it, or as it is known, with the weights of its classes.

    Raises: DataError if the training rows are of one class, or a label is none; SpecError if the scaling, or the
    weights of classes, do not fit.
    """
    scaler = chosen_scaler(data, loss, dataset.task)
    rows = dataset.fitting
    columns = [dataset.table.columns[name] for name in dataset.targets]
    target = known or fit_target(columns, dataset.task, positive=data.positive, scaler=scaler, train=rows)
    target = replace(target, class_weights=()).fitted_to(loss)
    _check_names(target.columns(loss))
    _check_features(feature_names(data, dataset.table, dataset.targets), target, loss)
    if loss.keeps_zero:
        _check_zero(target, loss)
    if loss.class_weight is None:
        return target
    return replace(target, class_weights=class_weights(loss.class_weight, target, columns, rows))


def chosen_scaler(data: Data, loss: Loss, task: str) -> Scaler:
    """The scaling of a regression target; none for other tasks, for an autoencoder, and where the zero must stay."""
    features = data.target == FEATURES
    if not isinstance(data.target_scale, str):
        if features and not isinstance(data.target_scale, NoScaling):
            raise SpecError(
                Problem("the target are the features, which `data.numeric.scale` scales: leave it out", SCALE)
            )
        if task != "regression" and not isinstance(data.target_scale, NoScaling):
            raise SpecError(
                Problem(f"scales the numbers of a regression, this is a {task} target: leave it out", SCALE)
            )
        return data.target_scale
    return NoScaling() if task != "regression" or features or loss.keeps_zero else Standardize()


def _check_names(names: list[str]) -> None:
    """Raise SpecError if two columns of predictions have the same name."""
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        message = f"predictions would have two columns `{twice[0]}`: rename a column of the target"
        raise SpecError(Problem(message, "data.target"))


def _check_features(names: list[str], target: Target, loss: Loss) -> None:
    """Raise DataError if a feature has the name of a column of predictions: `predict` could not write both."""
    written = {*target.columns(loss), *target.probability_columns()}
    taken = [name for name in names if name in written]
    if taken:
        raise DataError(
            Problem(
                f"{shown(name)} is the name of a column that `predict` writes: rename it in the file, or add it to "
                "`data.drop` and leave it out of what is to be predicted",
                format_key(("data", "columns", name)),
            )
            for name in taken
        )


def _check_zero(target: Target, loss: Loss) -> None:
    assert target.scaler is not None
    for state in target.states:
        zero, one = target.scaler.apply(np.array([0.0, 1.0]), state).tolist()
        if zero != 0 or not one > 0:
            message = f"{target.scaler.name} moves the zero of the target, which {loss.name} needs: leave it out"
            raise SpecError(Problem(f"{message}, or write `none`", SCALE))
