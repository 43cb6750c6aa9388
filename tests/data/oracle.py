"""An independent reader of CSV files: the csv module and float. What it says of a text, `read_table` must say, too."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

ENDS = re.compile(r"\r\n|\r|\n")
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
WORDS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}
EPOCH = datetime(1970, 1, 1)

Value = float | str | None


class Fault(NamedTuple):
    """Something for which a text must be refused."""

    lines: range | None  # one of which must be named; none if it is about the whole file
    words: str  # in the message


@dataclass(frozen=True)
class Verdict:
    """What is in a text: its cells by column, or the faults for one of which it must be refused."""

    columns: dict[str, list[Value]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)  # on which the data rows start
    faults: list[Fault] = field(default_factory=list)  # one of which must be named
    unsure: bool = False  # whether blanks behind a closing quote are all that the csv module minds


def judge(
    text: str, *, delimiter: str, missing: Sequence[str], kinds: Mapping[str, str], decimal: str = "."
) -> Verdict:
    """The verdict on a text whose columns are declared as ``kinds``; other columns are texts."""
    text = text.removeprefix("\ufeff")
    faults = [at(line_of(text, place), "a NUL byte") for place, letter in enumerate(text) if letter == "\0"]
    records, fault = records_of(text, delimiter)
    unsure = fault is not None and records_of(without_blanks(text, delimiter), delimiter)[1] != fault
    faults += [] if fault is None else [fault]
    if not records:
        return Verdict(faults=faults or [Fault(None, "the file is empty")], unsure=unsure)
    (first, header), rows = records[0], records[1:]
    names = [name.strip() for name in header]
    faults += [at(first, "duplicate column") for name in names if name and names.count(name) > 1]
    faults += [
        at(line, f"expected {len(names)} field{'s' * (len(names) > 1)}, found {len(cells)}")
        for line, cells in rows
        if len(cells) != len(names)
    ]
    if not rows:
        faults.append(Fault(None, "no data rows"))
    if faults:
        return Verdict(faults=faults, unsure=unsure)
    lines = [line for line, _ in rows]
    if len(names) > 1 and all(
        name and name not in missing and kinds.get(name, "category") == "category" for name in names
    ):
        again = [line for line, cells in rows if [cell.strip().removeprefix("\ufeff") for cell in cells] == names]
        faults += [at(line, "the header again") for line in again[:1]]
    columns: dict[str, list[Value]] = {}
    for place, name in enumerate(names):
        cells = [row[place].strip() for _, row in rows]
        present = [cell not in missing for cell in cells]
        if not name and any(present):
            faults.append(at(lines[present.index(True)], f"column {place + 1} has no name"))
        elif name:
            columns[name] = [
                value_of(cell, kinds.get(name, "category"), missing, decimal) if there else None
                for cell, there in zip(cells, present, strict=True)
            ]
            faults += [
                at(line, shown(name))
                for line, value in zip(lines, columns[name], strict=True)
                if isinstance(value, float) and math.isnan(value)
            ][:1]
    return Verdict(columns, lines, faults)


def records_of(text: str, delimiter: str) -> tuple[list[tuple[int, list[str]]], Fault | None]:
    """Every record that is not blank with the line it starts on, and what is wrong with the quotes."""
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=delimiter, skipinitialspace=delimiter != " ", strict=True)
    written = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)
    records = []
    while True:
        start = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return records, None
        except csv.Error:
            return records, Fault(range(start + 1, reader.line_num + 1), "quote")
        if len(cells) > 1 or "".join(written[start : reader.line_num]).strip(" \t\r\n"):
            records.append((start + 1, cells))


def value_of(cell: str, kind: str, missing: Sequence[str], decimal: str) -> Value:
    """The value of a cell that is not missing; nan if its type does not allow it."""
    if kind == "category":
        return cell
    if kind == "boolean":
        return WORDS.get(cell.lower(), math.nan)
    if kind == "date":
        try:
            moment = datetime.fromisoformat(cell)
            moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
            return (moment - EPOCH).total_seconds()
        except (ValueError, OverflowError):
            return math.nan
    number = number_of(cell, decimal)
    if number is None or math.isinf(number):
        return math.nan
    return None if number in [number_of(text, decimal) for text in missing] else number


def number_of(cell: str, decimal: str) -> float | None:
    if decimal == ",":
        cell = "" if "." in cell else cell.replace(",", ".")
    return float(cell) if NUMBER.fullmatch(cell) else None


def line_of(text: str, position: int) -> int:
    """The line of a character."""
    return 1 + len(ENDS.findall(text[:position])) - (text[position - 1 : position + 1] == "\r\n")


def at(line: int, words: str) -> Fault:
    return Fault(range(line, line + 1), words)


def without_blanks(text: str, delimiter: str) -> str:
    """The text without blanks between a quote and the end of a cell; where they belong to a cell it is another one."""
    return re.sub(rf'"[ \t]+(?=[\r\n{re.escape(delimiter)}]|\Z)', '"', text)


def shown(name: str) -> str:
    return f"`{repr(name)[1:-1]}`"
