"""Conformance checks of splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from nnctl.errors import DataError, Place, SpecError
from nnctl.network.members import stream
from nnctl.splits import Parts, Rows, Split
from nnctl.testing.harness import made

COUNTS = (1, 2, 3, 5, 12, 60, 301)


def check_parts(cls: type[Split]) -> None:
    """Every row is in exactly one part, in ascending order, and there are training rows."""
    for split, rows in _cases(cls):
        parts = _cut(split, rows)
        if parts is None:
            continue
        found = (parts.train, parts.val, parts.test)
        together = sorted(row for part in found for row in part.tolist())
        assert together == list(range(rows.count)), f"{split}: rows of {rows.count} are lost, or in two parts"
        assert len(parts.train), f"{split}: no training row of {rows.count}"
        for part in found:
            assert part.dtype in (np.int32, np.int64), f"{split}: gives {part.dtype}, neither int32 nor int64"
            assert (np.diff(part) > 0).all(), f"{split}: rows are not in ascending order"


def check_repeatable(cls: type[Split]) -> None:
    """The same rows and the same generator give the same parts."""
    for split, rows in _cases(cls):
        one, other = _cut(split, rows), _cut(split, rows)
        assert (one is None) == (other is None), f"{split}: is refused only sometimes"
        if one is not None and other is not None:
            same = (np.array_equal(getattr(one, part), getattr(other, part)) for part in ("train", "val", "test"))
            assert all(same), f"{split}: the same generator cuts {rows.count} rows in two ways"


def check_folds(cls: type[Split]) -> None:
    """Every row that is no test row validates in exactly one fold, and trains in the others; test rows stay."""
    for split, rows in _cases(cls):
        if split.unfoldable:
            continue
        usual = _cut(split, rows)
        for folds in (2, 3, 5):
            found = _folds(split, folds, rows)
            if not found:
                continue
            assert len(found) == folds, f"{split}: only some of {folds} folds can be had of {rows.count} rows"
            again: list[int] = []
            for parts in found:
                every = sorted([*parts.train.tolist(), *parts.val.tolist(), *parts.test.tolist()])
                assert every == list(range(rows.count)), f"{split}: rows of {rows.count} are lost, or in two parts"
                assert len(parts.train), f"{split}: a fold has no training row"
                assert len(parts.val), f"{split}: a fold has no validation row"
                again += parts.val.tolist()
                same = usual is None or np.array_equal(parts.test, usual.test)
                assert same, f"{split}: the test rows are others than without folds"
                for part in (parts.train, parts.val, parts.test):
                    assert (np.diff(part) > 0).all(), f"{split}: rows are not in ascending order"
            others = sorted([*found[0].train.tolist(), *found[0].val.tolist()])
            assert sorted(again) == others, f"{split}: a row validates in no fold, or in two"


def _folds(split: Split, folds: int, rows: Rows) -> list[Parts]:
    """The folds that are not refused."""
    found = []
    for fold in range(1, folds + 1):
        try:
            chosen = replace(split, folds=folds, fold=fold).resolved("regression" if rows.classes is None else "binary")
            found.append(chosen.divide(rows, stream(3, "split")))
        except DataError:
            continue
    return found


def _cases(cls: type[Split]) -> Iterator[tuple[Split, Rows]]:
    """Every example, as it is resolved, with rows of several numbers; one of them at least must be cut."""
    for example in cls.examples:
        split: Split = made(cls, example)
        taken = 0
        for count in COUNTS:
            for task in ("binary", "multiclass", "regression"):
                try:
                    resolved = split.resolved(task)
                except SpecError:
                    continue  # it does not serve this task
                rows = _rows(count, task)
                taken += _cut(resolved, rows) is not None
                yield resolved, rows
        assert taken, f"{split}: refuses every table"


def _cut(split: Split, rows: Rows) -> Parts | None:
    try:
        return split.cut(rows, stream(3, "split"))
    except DataError:
        return None


def _rows(count: int, task: str) -> Rows:
    """Rows with everything that a split may ask for."""
    rng = stream(count, "rows")
    classes = None if task == "regression" else rng.integers(2 if task == "binary" else 4, size=count)
    column = [("train", "val", "test")[place] for place in rng.integers(3, size=count).tolist()]
    return Rows(count, classes, column, rng.integers(9, size=count) / 4, lambda row: Place("rows", row + 2))


CHECKS = (check_parts, check_repeatable, check_folds)
