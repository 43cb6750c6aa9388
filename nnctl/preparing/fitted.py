"""What the training rows decide before there is a network: features, target, loss, and every ``auto`` of ``data``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from nnctl.component import plain
from nnctl.data.features import CategoryFeature, DateFeature, Features, features_of, features_state
from nnctl.data.target import Target
from nnctl.errors import DataError, NnctlError, Place, Problem
from nnctl.losses import Loss
from nnctl.preparing.columns import filled, fit_features
from nnctl.preparing.dataset import Dataset, about_file, digest, feature_names
from nnctl.preparing.learning import chosen_loss, fitted_target
from nnctl.preparing.sizes import check_width
from nnctl.spec.binding import Binder
from nnctl.spec.files import STDIN
from nnctl.spec.nodes import Mapping as Node
from nnctl.spec.overrides import from_plain
from nnctl.spec.problems import Problems, format_key
from nnctl.spec.reading import bind, written
from nnctl.spec.roles import left_out
from nnctl.spec.schema import ColumnOptions, Data, Experiment
from nnctl.transforms import Encoding, Scaler
from nnctl.transforms.none import NoScaling

SAVED = Place("saved state")


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What is known from the data alone."""

    data: Data  # the section, every `auto` replaced by what it chose, but for the delimiter
    delimiters: tuple[str, ...]  # of the files
    loss: Loss
    features: Features
    target: Target
    rows: dict[str, int]  # of every part
    sha256: dict[str, str]  # of the file that each part's rows came from
    data_sha256: str  # of all files
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def width(self) -> int:
        """The scores of the network."""
        count = len(self.target.names) or self.features.width
        return self.loss.width(task=self.target.task, classes=len(self.target.classes), targets=count)


class Known(NamedTuple):
    """What an earlier run has fitted, for one that takes it over."""

    features: Features
    target: Target


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


def fitted_state(fitted: Fitted, experiment: Experiment) -> dict[str, Any]:
    """All of it as plain values, from which ``restored`` makes it again."""
    names = ("delimiters", "rows", "sha256", "data_sha256", "notes", "warnings")
    return {
        **{name: plain(getattr(fitted, name)) for name in names},
        "spec": written(replace(experiment, data=fitted.data, loss=fitted.loss)),
        "features": plain(features_state(fitted.features)),
        "target": target_state(fitted.target),
    }


def restored(state: Mapping[str, Any]) -> Fitted | None:
    """What was fitted before; None if the state is not one of this nnctl."""
    try:
        experiment = experiment_from(state["spec"])
        return Fitted(
            data=experiment.data,
            delimiters=tuple(state["delimiters"]),
            loss=experiment.loss,
            features=features_from(state["features"]),
            target=target_from(state["target"], experiment),
            rows=state["rows"],
            sha256=state["sha256"],
            data_sha256=state["data_sha256"],
            notes=tuple(state["notes"]),
            warnings=tuple(state["warnings"]),
        )
    except (NnctlError, KeyError, TypeError, ValueError, AttributeError):
        return None


def experiment_from(spec: Mapping[str, Any]) -> Experiment:
    """The experiment that was written down as plain values."""
    root = from_plain(spec, SAVED, quoted=True)
    assert isinstance(root, Node)
    return bind(root)


def features_from(state: list[dict[str, Any]]) -> Features:
    """The features that ``features_state`` wrote down."""
    return features_of([_with_transform(entry) for entry in state])


def target_state(target: Target) -> dict[str, Any]:
    """The fitted target as plain values; its scaler is ``data.target_scale``."""
    names = ("names", "task", "classes", "positive", "states", "pairs", "class_weights")
    return {name: plain(getattr(target, name)) for name in names}


def target_from(state: Mapping[str, Any], experiment: Experiment) -> Target:
    """The target that ``target_state`` wrote down."""
    assert not isinstance(experiment.data.target_scale, str)
    return Target(
        tuple(state["names"]),
        state["task"],
        classes=tuple(state["classes"]),
        positive=state["positive"],
        scaler=experiment.data.target_scale,
        states=tuple(state["states"]),
        pairs=tuple((first, last) for first, last in state["pairs"]),
        class_weights=tuple(state["class_weights"]),
    ).fitted_to(experiment.loss)


def _with_transform(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A saved feature with its transform made again."""
    role, base = ("encode", Encoding) if "encode" in entry else ("scale", Scaler)
    problems = Problems()
    transform = Binder(problems).component(base, from_plain(entry[role], SAVED), ("features", role), usual="")
    problems.raise_if_any()
    return {**entry, role: transform}


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
