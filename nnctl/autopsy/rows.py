"""The rows of the batch: their lines in the file, those first that are most likely to be the cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.autopsy.examination import Found
from nnctl.autopsy.scene import Scene
from nnctl.errors import NnctlError
from nnctl.preparing.cutting import Part
from nnctl.preparing.dataset import read_dataset
from nnctl.preparing.preparation import Prepared
from nnctl.training.trainer import Trainer

Array = NDArray[Any]

BLOCK = 1 << 12  # rows that are looked at together
EXTREME = 10  # rows that are described one by one
MOST = 50  # rows whose lines are told


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the batch."""

    place: int  # in the examples of its part
    line: int | None
    loss: float
    size: float  # of its largest number in the features
    column: str  # which feature that is; empty where there are only codes
    target: float  # the size of its largest number in the targets


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of the batch as far as they are told."""

    count: int
    extreme: list[Row]  # no finite loss first, then those with the largest numbers
    others: list[int]  # the lines of further rows
    file: str
    unit: str  # what lines are called
    missing: str  # why there are no lines; empty where there are


def rows_of(trainer: Trainer, prepared: Prepared, scene: Scene, found: Found) -> Rows:
    """The rows of the scene."""
    names = [each.name if each.kind == "number" else "" for each in prepared.features.inputs]
    largest, column, target = _sizes(scene, np.array([bool(name) for name in names]))
    lost = ~np.isfinite(found.losses)
    order = np.lexsort((-largest, ~lost))
    told = order[:MOST]
    part = _part(prepared, scene.part)
    lines: Mapping[int, int] = {}
    missing = part if isinstance(part, str) else ""
    file, unit = "", "line"
    if not isinstance(part, str):
        file, unit = str(part.table.path), part.table.unit
        places = {int(each): int(part.rows[scene.rows[each]]) for each in told}
        try:
            known = part.table.lines(set(places.values()))
            lines = {each: known[row] for each, row in places.items()}
        except NnctlError as error:
            missing = f"they cannot be told: {error}"
    extreme = [
        Row(
            int(scene.rows[each]),
            lines.get(int(each)),
            float(found.losses[each]),
            float(largest[each]),
            names[column[each]],
            float(target[each]),
        )
        for each in order[:EXTREME]
    ]
    others = sorted(lines[int(each)] for each in told[EXTREME:] if int(each) in lines)
    return Rows(len(lost), extreme, others, file, unit, missing)


def _sizes(scene: Scene, is_number: Array) -> tuple[Array, Array, Array]:
    """Of each row (B,) the size of its largest number, which feature that is, and the size of its largest target."""
    largest, column, target = np.zeros(len(scene.rows)), np.zeros(len(scene.rows), int), np.zeros(len(scene.rows))
    for start in range(0, len(scene.rows), BLOCK):
        here = slice(start, start + BLOCK)
        rows = scene.rows[here]
        sizes = np.where(is_number, np.abs(scene.examples.x[rows].reshape(len(rows), -1)), 0)
        column[here] = sizes.argmax(1)
        largest[here] = sizes.max(1)
        target[here] = np.abs(scene.examples.t[rows]).reshape(len(rows), -1).max(1)
    return largest, column, target


def _part(prepared: Prepared, name: str) -> Part | str:
    """The rows of a part in their table, which is read again where it came from the cache; or why that cannot be."""
    dataset = prepared.tables
    if dataset is None:
        try:
            dataset = read_dataset(prepared.experiment.data, prepared.experiment.seed)
        except NnctlError as error:
            return f"they cannot be told: {error}"
    part = dataset.parts.get(name)
    if part is None or part.table.sha256 != prepared.fitted.sha256[name]:
        return "they cannot be told: the file has changed since it was read for training"
    return part
