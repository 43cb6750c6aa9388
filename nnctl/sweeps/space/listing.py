"""A list of trials in a CSV file: a header of keys, then a trial a row, its cells read as the values of overrides."""

from __future__ import annotations

import csv
import io

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.problems import Problems, listed
from nnctl.spec.sweep import MOST_TRIALS
from nnctl.sweeps.space.axes import Choices, choices
from nnctl.sweeps.space.values import Row, at_key, key_of, value_of
from nnctl.sweeps.trial import SEED


def read_listing(path: str) -> Choices:
    """The trials of a file. Raises: SpecError with every cell that is wrong, placed at its line."""
    lines = _lines(path)
    if len(lines) < 2:
        message = "holds no trials: the first line names the keys, each line after it is a trial"
        raise SpecError(Problem(message, place=Place(path)))
    problems = Problems()
    (line, header), *body = lines
    keys = _keys(header, Place(path, line), problems)
    rows = [row for line, cells in body if (row := _row(keys, cells, Place(path, line), problems)) is not None]
    problems.raise_if_any()
    return choices(keys, (Place(path, line),) * len(keys), rows)


def _lines(path: str) -> list[tuple[int, list[str]]]:
    """The cells of the lines that hold any, each with the number of its line."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(io.StringIO(file.read()), strict=True)
    except (OSError, ValueError) as error:  # ValueError: no UTF-8, or a NUL in the path
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise SpecError(Problem(f"cannot be read: {reason}", f"@{path}", COMMAND_LINE)) from None
    lines = []
    try:
        for cells in reader:
            if cells and any(cell.strip() for cell in cells):
                lines.append((reader.line_num, cells))
            if len(lines) > MOST_TRIALS + 1:
                raise SpecError(Problem(f"must hold at most {MOST_TRIALS:,} trials, holds more", place=Place(path)))
    except csv.Error as error:
        raise SpecError(Problem(f"is no CSV: {error}", place=Place(path, reader.line_num))) from None
    return lines


def _keys(header: list[str], place: Place, problems: Problems) -> tuple[str, ...]:
    if {"trial", "run", "status"} <= set(header):
        keys_alone = [cell for cell in header if "." in cell or cell == SEED]
        keep = f"here {listed(keys_alone)}" if keys_alone else "such as `optimizer.lr`"
        message = f"this is the table of a sweep: keep the columns of keys alone, {keep}"
        raise SpecError(Problem(message, place=place))
    keys: list[str] = []
    for cell in header:
        try:
            key = key_of(cell)
        except SpecError as error:
            problems.take(Problem(problem.message, problem.key, place) for problem in error.problems)
            continue
        if key in keys:
            problems.add(key, "has two columns, keep one", place)
        keys.append(key)
    problems.raise_if_any()
    return tuple(keys)


def _row(keys: tuple[str, ...], cells: list[str], place: Place, problems: Problems) -> Row | None:
    if len(cells) != len(keys):
        problems.add("", f"has {len(cells)} cells, the header has {len(keys)}", place)
        return None
    values = []
    for key, cell in zip(keys, cells, strict=True):
        try:
            if not cell.strip():
                raise SpecError(
                    Problem("is empty: write a value, or `null`, which the table of a sweep leaves empty", key)
                )
            values.append(value_of(key, cell.strip(), place))
        except SpecError as error:
            problems.extend(at_key(key, error, place))
    return tuple(values) if len(values) == len(keys) else None
