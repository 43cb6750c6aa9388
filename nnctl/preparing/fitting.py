"""What the training rows decide before there is a network: features, target, loss, and every ``auto`` of ``data``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from nnctl.data.features import CategoryFeature, DateFeature, Features
from nnctl.data.target import Target
from nnctl.errors import DataError, Problem
from nnctl.preparing.columns import filled, fit_features
from nnctl.preparing.dataset import Dataset, about_file, digest, feature_names
from nnctl.preparing.fitted import Fitted, Known
from nnctl.preparing.learning import chosen_loss, fitted_target
from nnctl.preparing.sizes import check_width
from nnctl.spec.files import STDIN
from nnctl.spec.problems import format_key
from nnctl.spec.roles import left_out
from nnctl.spec.schema import ColumnOptions, Data, Experiment
from nnctl.transforms.none import NoScaling


def fit(experiment: Experiment, dataset: Dataset, known: Known | None = None) -> Fitted:
    """Fit the transforms and the target to the training rows; what is known is not fitted again.

    Raises: DataError, SpecError with the keys of what does not fit.
    """
    loss = chosen_loss(experiment.loss, experiment.data, dataset)
    if known is None:
        features = fit_features(experiment.data, dataset)
    else:
        features = known.features
        _check_columns(features, experiment.data, dataset)
    check_width(experiment.data, features, dataset, experiment.model.dtype)
    target = fitted_target(experiment.data, dataset, loss, None if known is None else known.target)
    if target.reconstructs:
        _check_numbers(features)
    for name, part in dataset.parts.items():
        with about_file(experiment.data, name):
            features.check(part.table)
    tables = [part.table for part in dataset.parts.values()]
    return Fitted(
        data=_decided(experiment.data, dataset, features, target),
        delimiters=tuple(dict.fromkeys(table.delimiter for table in tables)),
        loss=loss,
        features=features,
        target=target,
        rows=dataset.counts(),
        sha256={name: part.table.sha256 for name, part in dataset.parts.items()},
        data_sha256=digest(tables),
        notes=(*dataset.notes, *filled(features, dataset)),
        warnings=dataset.warnings,
    )


def _decided(data: Data, dataset: Dataset, features: Features, target: Target) -> Data:
    """The section as it is saved: nothing left to decide, paths absolute."""
    columns = dict(data.columns)
    for name in target.names:  # other rows of the target are read as these were, whatever they look like
        columns[name] = replace(columns.get(name, ColumnOptions()), type=dataset.table.columns[name].type)
    for feature in features.columns:
        chosen: Any = {"type": feature.type}
        if isinstance(feature, CategoryFeature | DateFeature):
            chosen["encode"] = feature.encoder
        columns[feature.name] = replace(columns.get(feature.name, ColumnOptions()), **chosen)
    paths = {
        key: os.path.abspath(path)
        for key in ("path", "val_path", "test_path")
        if (path := getattr(data, key)) not in (None, STDIN)
    }
    return replace(
        data,
        task=target.task,  # type: ignore[arg-type]
        positive=target.classes[target.positive] if target.task == "binary" else None,
        columns=columns,
        split=data.split.resolved(target.task),
        target_scale=target.scaler or NoScaling(),
        **paths,
    )


def _check_columns(features: Features, data: Data, dataset: Dataset) -> None:
    """Raise DataError with every column that is not one of those that were fitted, or is missing of them."""
    here, then = feature_names(data, dataset.table, dataset.targets), list(features.types)
    path = dataset.table.path
    problems = [
        Problem(_lacking(name, data, dataset), left_out(data).get(name, "data.path"))
        for name in then
        if name not in here
    ]
    problems += [
        Problem(
            f"{path}: the earlier run has not learned from this column; list it in `data.drop`",
            format_key(("data", "columns", name)),
        )
        for name in here
        if name not in then
    ]
    if problems:
        raise DataError(problems)


def _lacking(name: str, data: Data, dataset: Dataset) -> str:
    why = "the earlier run has learned from it"
    if name in left_out(data):
        return f"leaves out the column `{name}`, and {why}: take it off here"
    return f"{dataset.table.path}: has no column `{name}`, and {why}"


def _check_numbers(features: Features) -> None:
    """Raise DataError if an autoencoder were to learn codes as if they were numbers."""
    problems = [
        Problem(
            f"column `{column.name}` is coded for an embedding, and codes are no numbers to reconstruct; encode it "
            "as one_hot, or drop it",
            format_key(("data", "columns", column.name, "encode")),
        )
        for column in features.inputs
        if column.kind == "code"
    ]
    if problems:
        raise DataError(problems)
