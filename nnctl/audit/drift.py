"""Columns that validation or test rows show otherwise than training rows do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.audit.rows import CALLED, Sample, Seen
from nnctl.audit.wording import first_few, percent
from nnctl.data.dates import day_text
from nnctl.data.table import Column
from nnctl.data.wording import code

Array = NDArray[Any]

ALPHA = 0.001
LEAST = 0.1


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a column of a part lies from that of the training rows, where they differ most."""

    distance: float
    chance: float  # what rows drawn at random stay below
    what: str
    train: float  # the share of training cells that are so
    other: float

    def __str__(self) -> str:
        shares = f"{percent(self.train)} are {self.what} in training, {percent(self.other)} here"
        return f"{shares} (distance {self.distance:.2f}, by chance at most {self.chance:.2f})"


def drifting(seen: Seen) -> list[str]:
    """Columns, features and targets, whose values or missing cells lie otherwise in validation or test rows.

    Numbers and dates by the distance of Kolmogorov and Smirnov, D = max |F(x) - G(x)|; categories and booleans by the
    total variation, V = 1/2 sum |p - q|; missing cells by the difference of their shares. With n rows of training and
    m of the part, s = sqrt(1/n + 1/m), rows drawn at random stay with probability 1 - a below

        D <= s sqrt(ln(2 / a) / 2)                                  (asymptotic, and safe with ties; shares, too)
        V <= s (1/2 sum sqrt(r (1 - r)) + sqrt(ln(1 / a) / 2))      (r: shares in both together)

    where a is 0.001 divided by the number of comparisons: of 1,000 random splits one is warned of. What is below 0.1
    is never told, however many rows prove it.
    Source: Smirnov 1948 for D; McDiarmid 1989 for V around its mean, which Jensen's inequality bounds.
    """
    names = (*seen.features, *seen.prepared.target.names)
    alpha = ALPHA / max(1, 2 * len(names) * len(seen.others))
    found = []
    for sample in seen.others:
        shifts = [(name, shift) for name in names for shift in _shifts(seen, sample, name, alpha)]
        shifts.sort(key=lambda each: each[1].chance - each[1].distance)
        parts = f"between training and {CALLED[sample.name]} rows"
        sentences = [
            f"{_role(seen, name)} {code(name)} differs {parts}: {shift}; {_way(seen, sample, name)}"
            for name, shift in shifts
        ]
        found += first_few(sentences, [name for name, _ in shifts], f"differ {parts}, too")
    return found


def _role(seen: Seen, name: str) -> str:
    return "target" if name in seen.prepared.target.names else "column"


def _way(seen: Seen, sample: Sample, name: str) -> str:
    """What to do about it."""
    own = getattr(seen.prepared.experiment.data, f"{sample.name}_path", None)
    same = f"see that {sample.table.path} has it in the same unit and coding"
    if _role(seen, name) == "target":
        split = "stratified" if seen.prepared.target.classes else "random"
        return same if own else f"a score there is one of other rows: `data.split: {split}` cuts parts that are alike"
    if own:
        return f"{same}, or list it in `data.drop`"
    return (
        "what is learned from it may not hold there: list it in `data.drop`, or, if new rows will not be like the "
        f"{CALLED[sample.name]} rows, write `data.split: random`"
    )


def _shifts(seen: Seen, sample: Sample, name: str, alpha: float) -> list[Shift]:
    """The shift of a column's values and that of its missing cells, those beyond chance."""
    column = seen.column(name)
    train, other = seen.train.cells(name, column), sample.cells(name, column)
    missing = np.isnan(train), np.isnan(other)
    shares = float(missing[0].mean()), float(missing[1].mean())
    found = [Shift(abs(shares[0] - shares[1]), _chance(len(train), len(other), alpha), "missing", *shares)]
    train, other = train[~missing[0]], other[~missing[1]]
    if len(train) and len(other) and column.type in ("category", "boolean"):
        names = _level_names(column, sample.table.columns[name])
        found.append(shift_of_levels(train.astype(np.int64), other.astype(np.int64), names, alpha))
    elif len(train) and len(other):
        found.append(shift_of_numbers(train, other, alpha, are_dates=column.type == "date"))
    return [shift for shift in found if shift.distance >= LEAST and shift.distance > shift.chance]


def shift_of_numbers(train: Array, other: Array, alpha: float, *, are_dates: bool = False) -> Shift:
    """The distance of Kolmogorov and Smirnov, and the number up to which the shares differ most."""
    train, other = np.sort(train), np.sort(other)
    points = np.concatenate([train, other])
    below = [np.searchsorted(cells, points, "right") / len(cells) for cells in (train, other)]
    gap = np.abs(below[0] - below[1])
    place = int(gap.argmax())
    value = float(points[place])
    what = f"up to {day_text(value)}" if are_dates else f"<= {value:.6g}"
    chance = _chance(len(train), len(other), alpha)
    return Shift(float(gap[place]), chance, what, float(below[0][place]), float(below[1][place]))


def shift_of_levels(train: Array, other: Array, names: list[str], alpha: float) -> Shift:
    """The total variation of codes, and the level whose shares differ most."""
    n, m = len(train), len(other)
    counts = [np.bincount(codes, minlength=len(names)) for codes in (train, other)]
    both = (counts[0] + counts[1]) / (n + m)
    spread = 0.5 * float(np.sqrt(both * (1 - both)).sum())
    chance = math.sqrt(1 / n + 1 / m) * (spread + math.sqrt(math.log(1 / alpha) / 2))
    p, q = counts[0] / n, counts[1] / m
    gap = np.abs(p - q)
    most = int(gap.argmax())
    return Shift(0.5 * float(gap.sum()), chance, code(names[most]), float(p[most]), float(q[most]))


def _chance(n: int, m: int, alpha: float) -> float:
    return math.sqrt((1 / n + 1 / m) * math.log(2 / alpha) / 2)


def _level_names(column: Column, other: Column) -> list[str]:
    """The levels in the order of their codes, see ``Cells``."""
    return list(dict.fromkeys([*column.levels, *(other.levels if column.type == "category" else ())]))
