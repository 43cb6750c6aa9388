"""Classes told by one feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

SMALL = 3  # rows of an interval


def right(values: Array, truth: Array, held: Array, *, is_category: bool, answer: Array) -> tuple[int, int]:
    """How many rows the rule "the commonest class at the feature's level" gets right: of its own, and held out ones.

    Levels of a category are its own; those of other columns the intervals between which the commonest class of a value
    changes; those of fewer than 3 rows are one where they lie side by side, and belong to that before if they are
    still fewer than 3 rows. A missing cell is a level. Where the rule knows
    no level it names the commonest class of all.
    Shapes: values (n,) with nan for missing, truth (n,) class codes; held (m,), answer (m,)
    Source: Holte 1993 (1R), whose intervals have at least 6 rows of their commonest class.
    """
    cuts = None if is_category else intervals(values, truth)
    levels, of_held = _levels(values, cuts), _levels(held, cuts)
    usual = commonest(truth)
    known, votes = _votes(levels, truth, usual)
    places = np.minimum(np.searchsorted(known, of_held), len(known) - 1)
    guesses = np.where(known[places] == of_held, votes[places], usual)
    own = votes[np.searchsorted(known, levels)]
    return int((own == truth).sum()), int((guesses == answer).sum())


def commonest(codes: Array) -> int:
    """The commonest class, the first of equals."""
    return int(np.bincount(codes.astype(np.int64, copy=False)).argmax())


def intervals(values: Array, codes: Array) -> Array:
    """The upper ends of the intervals of a number but for the last, see ``right``."""
    present = ~np.isnan(values)
    order = np.lexsort((codes[present], values[present]))
    v, c = values[present][order], codes[present][order]
    if not len(v):
        return v
    pairs, counts = _runs(v, c)
    value = v[pairs]
    by_count = np.lexsort((counts, value))
    last = np.flatnonzero(_changes(value[1:], value[:-1], at_end=True))
    majority = c[pairs][by_count[last]]  # of every distinct value
    firsts = pairs[_changes(value[1:], value[:-1])]  # the first row of each
    starts = firsts[_changes(majority[1:], majority[:-1])]
    starts = _large(starts, len(v))
    ends: Array = v[starts - 1] + (v[starts] - v[starts - 1]) / 2
    return ends


def _large(starts: Array, rows: int) -> Array:
    """The starts of the intervals that are kept, but for the first."""
    small = np.diff(starts, append=rows) < SMALL
    starts = starts[~small | _changes(small[1:], small[:-1])]  # small ones side by side are one
    starts = starts[np.diff(starts, append=rows) >= SMALL]
    return starts[starts > 0]


def _levels(values: Array, cuts: Array | None) -> Array:
    """A number for every cell: a category's code, or the place of an interval; -1 where missing."""
    found = values if cuts is None else np.searchsorted(cuts, values)
    levels: Array = np.where(np.isnan(values), -1, found)
    return levels


def _votes(levels: Array, truth: Array, usual: int) -> tuple[Array, Array]:
    """The levels that occur, sorted, and the commonest class of each; of equals the one that is usual."""
    order = np.lexsort((truth, levels))
    sorted_levels, classes = levels[order], truth[order]
    pairs, counts = _runs(sorted_levels, classes)
    level, voted = sorted_levels[pairs], classes[pairs]
    by_count = np.lexsort((voted == usual, counts, level))
    last = np.flatnonzero(_changes(level[1:], level[:-1], at_end=True))
    return level[last], voted[by_count[last]]


def _runs(first: Array, second: Array) -> tuple[Array, Array]:
    """Where the runs of equal pairs start, and how long they are."""
    starts = np.flatnonzero(_changes(first[1:], first[:-1]) | _changes(second[1:], second[:-1]))
    return starts, np.diff(starts, append=len(first))


def _changes(after: Array, before: Array, *, at_end: bool = False) -> Array:
    """Whether a run starts at each place, or ends there."""
    differs = after != before
    return np.concatenate([differs, [True]] if at_end else [[True], differs])
