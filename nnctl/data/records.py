"""The records of a CSV text, by the csv module: the one that says what a record is, where quotes are at work."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nnctl.data.wording import in_file
from nnctl.errors import DataError

_LINE_END = re.compile(r"\r\n|\r|\n")


class Record(NamedTuple):
    """One record that is not blank."""

    line: int  # on which it starts
    cells: list[str]
    stop: int  # bytes of the text until its end
    next_line: int


def records(
    path: Path, text: bytes, delimiter: str, *, line: int = 1, keep_blanks: bool = False, goes_on: bool = False
) -> Iterator[Record]:
    """The records of a text that starts on that line of the file; without ``keep_blanks`` cells lose leading blanks.

    Where the text goes on, a record that it cuts is left out.
    Raises: DataError if a quote is not closed, or a cell too long.
    """
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=not keep_blanks and delimiter != " ")
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except csv.Error:  # not being `strict`, it has one left: a cell longer than csv.field_size_limit()
            message = f"a cell of more than {csv.field_size_limit()} characters; is its closing quote missing?"
            raise DataError(in_file(path, message, line + start - 1)) from None
        if lines.ended and reader.line_num > start and not goes_on:
            opened = line + start - 1 + sum(len(_LINE_END.findall(cell)) for cell in cells[:-1])
            raise DataError(in_file(path, "unclosed quote; close it, or double it if it is part of the text", opened))
        if lines.ended:
            return
        if len(cells) > 1 or lines.last.strip(" \t\r\n"):
            yield Record(line + start - 1, cells, lines.read, line + reader.line_num)


class _Lines:
    """The lines of a text with their ends, and one more after them.

    The csv module takes the end of the text for a closing quote. A record that reaches into the extra line shows
    that a quote was still open.
    """

    def __init__(self, text: bytes) -> None:
        self._lines = text.splitlines(keepends=True)  # of bytes: at \n, \r and \r\n alone
        self.last = ""
        self.read = 0  # bytes
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.last = line.decode()
            self.read += len(line)
            yield self.last
        self.ended = True
        yield "end"
