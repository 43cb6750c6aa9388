"""``nnctl check``: what a config and its data say together, or every problem they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.audit import audit
from nnctl.data.columns import Column
from nnctl.data.dates import day_text
from nnctl.data.features import Feature
from nnctl.errors import NnctlError, Problem
from nnctl.experiment import Experimented, open_experiment
from nnctl.network.network import Node
from nnctl.running.beginning import Overrides
from nnctl.running.folding import has_folds
from nnctl.spec.dump import dump
from nnctl.spec.reading import written
from nnctl.spec.roles import TEXT, left_out
from nnctl.spec.schema import FEATURES, Data
from nnctl.splits import SPLIT_COLUMN

TOP = 10  # levels of a column that are told
ROLES = {"data.id": "id", "data.drop": "dropped", TEXT: "text", "data.weight": "weight", SPLIT_COLUMN: "split by"}


@dataclass(frozen=True, slots=True)
class CheckedColumn:
    """A feature column, and what becomes of it."""

    name: str
    type: str
    missing: int
    distinct: int
    transform: str
    width: int  # columns of the feature matrix
    range: tuple[float, float] | tuple[str, str] | None  # of numbers and dates
    levels: Mapping[str, int]  # of categories and booleans: the commonest, with their rows


@dataclass(frozen=True, slots=True)
class CheckedLayer:
    """A layer with its output shape of one row."""

    name: str
    type: str
    shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check; ``error`` holds the problems, and then most of the rest is empty."""

    task: str = ""
    target: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    loss: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    columns: tuple[CheckedColumn, ...] = ()
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # columns that are no features, by role
    layers: tuple[CheckedLayer, ...] = ()
    parameters: int = 0
    warnings: tuple[str, ...] = ()  # what is probably not meant
    notes: tuple[str, ...] = ()  # what was decided
    resolved: str = ""  # the complete config as YAML
    error: NnctlError | None = None

    @property
    def problems(self) -> list[Problem]:
        return self.error.problems if self.error else []


def check(config: str | Path, overrides: Overrides = ()) -> Checked:
    """Validate a config and the data it names, as `train` would, and its section ``sweep``, and write nothing."""
    try:
        opened = open_experiment(config, overrides)
        if opened.spec.experiment.sweep is not None:
            from nnctl.sweeps.request import check_section  # few configs have one

            check_section(opened.spec.document)
    except NnctlError as error:
        return Checked(error=error)
    prepared = opened.prepared
    table = prepared.dataset.table
    return Checked(
        task=prepared.target.task,
        target=prepared.target.names or (FEATURES,),
        classes=prepared.target.classes,
        loss=prepared.loss.name,
        rows=prepared.dataset.counts(),
        columns=tuple(_column(feature, table.columns[feature.name]) for feature in prepared.features.columns),
        others=_others(prepared.experiment.data),
        layers=tuple(_layer(node) for node in prepared.network.walk()),
        parameters=prepared.network.parameters,
        warnings=(*prepared.warnings, *audit(prepared)),
        notes=(*prepared.notes, *_about_folds(opened)),
        resolved=dump(written(opened.decided)),
    )


def _about_folds(opened: Experimented) -> list[str]:
    """That what is shown is one of several folds."""
    folds = opened.decided.data.split.folds
    return [f"rows and columns are those of fold 1 of {folds}"] if has_folds(opened.decided) else []


def checked_json(checked: Checked) -> dict[str, Any]:
    """The result in the form that `check --json` prints."""
    return {
        "schema": "nnctl.check/1",
        "task": checked.task or None,
        "rows": dict(checked.rows),
        "columns": [
            {name: getattr(column, name) for name in CheckedColumn.__slots__}  # in the order they are declared
            for column in checked.columns
        ],
        "layers": [
            {"name": layer.name, "type": layer.type, "shape": list(layer.shape), "parameters": layer.parameters}
            for layer in checked.layers
        ],
        "parameters": checked.parameters,
        "warnings": list(checked.warnings),
        "notes": list(checked.notes),
        "problems": [problem_json(problem) for problem in checked.problems],
    }


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as JSON: file, line and column are null where there are none."""
    place = problem.place
    return {
        "file": place.source if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "key": problem.key or None,
        "message": problem.message,
    }


def _column(feature: Feature, column: Column) -> CheckedColumn:
    extent, levels = column.extent, {}
    if column.levels:
        counts, extent = column.counts, None
        commonest = np.argsort(-counts, kind="stable")[:TOP].tolist()
        levels = {column.levels[place]: int(counts[place]) for place in commonest if counts[place]}
    found = extent if extent is None or column.type != "date" else (day_text(extent[0]), day_text(extent[1]))
    return CheckedColumn(
        feature.name,
        feature.type,
        column.missing,
        column.distinct,
        feature.transform,
        feature.width,
        found,
        levels,
    )


def _others(data: Data) -> dict[str, tuple[str, ...]]:
    """The columns that are no features, without the target, by what they are."""
    found: dict[str, tuple[str, ...]] = {}
    for name, role in left_out(data).items():
        if role in ROLES:
            found[ROLES[role]] = (*found.get(ROLES[role], ()), name)
    return found


def _layer(node: Node) -> CheckedLayer:
    return CheckedLayer(node.name, node.layer.name, node.plan.output, node.size)
