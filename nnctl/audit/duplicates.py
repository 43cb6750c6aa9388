"""Rows of validation and test that training has, too."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.audit.rows import CALLED, MOST_ROWS, Cells, Sample, Seen
from nnctl.audit.wording import listed, percent

Array = NDArray[Any]

BLOCK = 65_536  # training rows at a time
ROOM = 10
_MULTIPLIERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def copies(seen: Seen) -> list[str]:
    """The rows of another part whose features and target all equal those of one training row; one is enough to tell.

    All training rows are compared, block by block, with the rows of the sample. Rows are compared by a hash of 64
    bits: of n and m rows a pair is taken for equal by chance with a probability of nm / 2^64. Missing cells are equal.
    Nothing is said where features and target allow fewer than 10 different rows for each training row (the product of
    the numbers of their distinct values, both counted in the sample): there equal rows come about by themselves.
    Source: Steele, Lea and Flood 2014, algorithm of SplitMix64, for the mixing of the hash.
    """
    others = [(sample, keys) for sample in seen.others if len(keys := _keys(sample, seen))]
    if not others or not _roomy(seen):
        return []
    wanted = np.unique(np.concatenate([keys for _, keys in others]))
    first = np.full(len(wanted), -1, np.int64)  # the first training row with that key
    for rows, keys in _of_training(seen):
        places = np.searchsorted(wanted, keys)
        hits = np.flatnonzero(wanted[np.minimum(places, len(wanted) - 1)] == keys)[::-1]  # the first row wins
        new = hits[first[places[hits]] < 0]
        first[places[new]] = rows[new]
    found = []
    for sample, keys in others:
        origin = first[np.searchsorted(wanted, keys)]
        if (origin >= 0).any():
            found.append(_sentence(seen, sample, origin))
    return found


def _keys(sample: Sample, seen: Seen) -> Array:
    return _hashed(seen, _cells(sample, seen), sample.rows, sample.truth)


def _of_training(seen: Seen) -> Iterator[tuple[Array, Array]]:
    """The places of all training rows that count, and their keys, block by block."""
    dataset, cells = seen.prepared.dataset, _cells(seen.train, seen)
    part, truth = dataset.parts["train"], seen.prepared.examples["train"].truth
    for start in range(0, len(dataset.fitting), BLOCK):
        rows = dataset.fitting[start : start + BLOCK]
        yield rows, _hashed(seen, cells, rows, truth[np.searchsorted(part.rows, rows)])


def _cells(sample: Sample, seen: Seen) -> list[Cells]:
    return [Cells(sample.table.columns[name], seen.column(name)) for name in seen.features]


def _hashed(seen: Seen, cells: Sequence[Cells], rows: Array, truth: Array) -> Array:
    """A hash of every row's features and target (n,)."""
    key = np.zeros(len(rows), np.uint64)
    for column in cells:
        _mix(key, column[rows])
    if not seen.prepared.target.reconstructs:
        for values in np.asarray(truth, np.float64).reshape(len(rows), -1).T:
            _mix(key, values)
    return key


def _mix(key: Array, values: Array) -> None:
    """Take numbers into a hash; a zero has no sign, and every nan is the same."""
    bits = np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)
    key += _GOLDEN
    key ^= bits
    key ^= key >> np.uint64(30)
    key *= _MULTIPLIERS[0]
    key ^= key >> np.uint64(27)
    key *= _MULTIPLIERS[1]
    key ^= key >> np.uint64(31)


def _roomy(seen: Seen) -> bool:
    """Whether the columns allow so many different rows that equal ones are no matter of course."""
    target = seen.prepared.target
    counts = [len(np.unique(seen.train.cells(name, seen.column(name)))) for name in seen.features]
    if not target.reconstructs:
        counts += [len(np.unique(column)) for column in seen.train.truth.reshape(len(seen.train), -1).T]
    return sum(map(math.log, counts)) >= math.log(ROOM * len(seen.train))


def _sentence(seen: Seen, sample: Sample, origin: Array) -> str:
    count, target = int((origin >= 0).sum()), seen.prepared.target
    left_out = [feature.name for feature in seen.prepared.features.columns if feature.name not in seen.features]
    what = "all features" + (f" but {listed(left_out)}" if left_out else "")
    what = f"{listed(target.names)} and {what}" if target.names else what
    is_copy, them = ("is a copy of a training row", "it") if count == 1 else ("are copies of training rows", "them")
    way = f"remove {them} from {sample.table.path}"
    if sample.table is seen.train.table:
        way += ", or keep equal rows in one part by `data.split: {type: group, column: ...}`"
    return (
        f"{count:,} of {len(sample):,} {sample.called} ({percent(count / len(sample))}) {is_copy} in {what}"
        f"{_example(seen, sample, origin)}: a {CALLED[sample.name]} score on {them} shows memory; {way}"
    )


def _example(seen: Seen, sample: Sample, origin: Array) -> str:
    """The lines of the first two equal rows; nothing of large tables, since a line is found by reading the file."""
    table, train = sample.table, seen.train.table
    if max(table.rows, train.rows) > MOST_ROWS:
        return ""
    place = int(np.argmax(origin >= 0))
    source = "" if table is train else f" of {train.path}"
    return f" (line {table.line(int(sample.rows[place]))} is like line {train.line(int(origin[place]))}{source})"
