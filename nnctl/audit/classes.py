"""Classes with too few rows, and targets that never vary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.audit.rows import CALLED
from nnctl.audit.wording import listed
from nnctl.data.wording import code
from nnctl.preparing.preparation import Prepared

Array = NDArray[Any]

FEW = 10


def rare_classes(prepared: Prepared) -> list[str]:
    """Classes that the training rows or another part lack, or hardly show; numbers to learn that are all the same.

    All rows are counted, of training those that count. A class is rare with fewer than 10 training rows, if they are
    also fewer than half of an even share of them: one of two rows, as in xor, is not.
    """
    target = prepared.target
    found = []
    for place, name in enumerate(target.names):
        classes = target.pairs[place] if target.pairs else target.classes
        if classes:
            counts = {part: _counts(prepared, part, place, len(classes)) for part in prepared.dataset.parts}
            about = f"target {code(name)}:"
            found += [f"{about} {sentence}" for sentence in _in_training(classes, counts["train"])]
            found += [f"{about} {sentence}" for sentence in _in_others(prepared, classes, counts)]
        else:
            found += _constant(prepared, name)
    return found


def _counts(prepared: Prepared, part: str, place: int, classes: int) -> Array:
    """The rows of every class in a part."""
    truth, rows, fitting = prepared.examples[part].truth, prepared.dataset.parts[part].rows, prepared.dataset.fitting
    truth = truth if truth.ndim == 1 else truth[:, place]
    if part == "train" and len(fitting) < len(rows):
        truth = truth[np.searchsorted(rows, fitting)]
    return np.bincount(truth.astype(np.int64, copy=False), minlength=classes)


def _in_training(classes: Sequence[str], counts: Array) -> Iterator[str]:
    total = f"among the {counts.sum():,} training rows"
    way = "collect more of it, leave its rows out of the file, or merge it with another class"
    if (none := counts == 0).any():
        yield f"{_which(classes, none)} no row {total}, and cannot be learned; {way}"
    if (few := (counts > 0) & (counts < FEW) & (2 * len(classes) * counts < counts.sum())).any():
        shown = ", ".join(f"{count}" for count in counts[few][:8].tolist())
        yield f"{_which(classes, few)} fewer than {FEW} rows ({shown}) {total}, and is hardly learned; {way}"


def _in_others(prepared: Prepared, classes: Sequence[str], counts: Mapping[str, Array]) -> Iterator[str]:
    data = prepared.experiment.data
    for part, found in counts.items():
        absent = (found == 0) & (counts["train"] > 0)
        if part == "train" or not absent.any():
            continue
        way = f"make it larger (`data.split.{part}`), or split by `type: stratified`"
        if getattr(data, f"{part}_path", None):
            way = f"put such rows into `data.{part}_path`"
        rows = f"{found.sum():,} {CALLED[part]} rows"
        yield f"{_which(classes, absent)} no row among the {rows}: no score there says anything about it; {way}"


def _which(classes: Sequence[str], chosen: Array) -> str:
    names = [classes[place] for place in np.flatnonzero(chosen).tolist()]
    return f"class {listed(names)} has" if len(names) == 1 else f"each of the classes {listed(names)} has"


def _constant(prepared: Prepared, name: str) -> Iterator[str]:
    """The sentence about a target of numbers that vary in the table, but not in the training rows."""
    fitting, column = prepared.dataset.fitting, prepared.dataset.table.columns[name]
    values = column.values[fitting]
    if (values == values[0]).all() and column.distinct > 1:
        yield (
            f"target {code(name)} is {values[0]:g} in all {len(fitting):,} training rows: there is nothing to learn; "
            "take other rows for training (`data.split`)"
        )
