"""The records of a CSV text, by the csv module: the one that says what a record is, where quotes are at work."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from nnctl.data.wording import in_file, literal
from nnctl.errors import DataError

_LINE_END = re.compile(r"\r\n|\r|\n")
_CLOSING = re.compile(r'(?:[^"]|"")*"(?!")')
_BEHIND = re.compile(r"[^\r\n]{0,20}")


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
    Raises: DataError if a quote is not closed, text stands behind one that is, or a cell is too long.
    """
    lines = _Lines(text)
    skips = not keep_blanks and delimiter != " "
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=skips, strict=True)
    while True:
        start = lines.count
        try:
            cells = next(reader, None)
        except csv.Error as error:
            if "limit" in str(error):
                message = f"a cell of more than {csv.field_size_limit()} characters; is its closing quote missing?"
                raise DataError(in_file(path, message, line + start)) from None
            cells = _Quoted(path, lines, start, line, delimiter).cells(skips=skips, goes_on=goes_on)
        if cells is None:
            return
        if len(cells) > 1 or lines.last.strip(" \t\r\n"):
            yield Record(line + start, cells, lines.size, line + lines.count)


class _Lines:
    """The lines of a text with their ends, and where in it the next one starts."""

    def __init__(self, text: bytes) -> None:
        self.all = text.splitlines(keepends=True)  # of bytes: at \n, \r and \r\n alone
        self.count = self.size = 0
        self.last = ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.count == len(self.all):
            raise StopIteration
        line = self.all[self.count]
        self.count, self.size = self.count + 1, self.size + len(line)
        self.last = line.decode()
        return self.last


class _Quoted:
    """A record that the csv module refuses: it has blanks behind a closing quote, which do no harm, or a fault."""

    def __init__(self, path: Path, lines: _Lines, start: int, line: int, delimiter: str) -> None:
        self._path, self._lines, self._delimiter = path, lines, delimiter
        self._line = line + start  # on which the record starts
        self._text = b"".join(lines.all[start : lines.count]).decode()
        self._bare = re.compile(rf"[^\r\n{re.escape(delimiter)}]*")
        self._end = re.compile(rf"[ \t]*(?=[\r\n{re.escape(delimiter)}]|\Z)" if delimiter not in " \t" else "")

    def cells(self, *, skips: bool, goes_on: bool) -> list[str] | None:
        """The cells; None if the text goes on, and ends within one of them."""
        opening = re.compile(' *"' if skips else '"')
        cells, place = [], 0
        while True:
            opened = opening.match(self._text, place)
            if opened is None:
                found = self._bare.match(self._text, place)
                assert found is not None
                cells.append(found[0].lstrip(" ") if skips else found[0])
                place = found.end()
            else:
                closed = self._closed(opened.end(), goes_on=goes_on)
                if closed is None:
                    return None
                cells.append(self._text[opened.end() : closed - 1].replace('""', '"'))
                place = self._behind(opened.end(), closed)
            if self._text[place : place + 1] != self._delimiter:
                return cells
            place += 1

    def _closed(self, opened: int, *, goes_on: bool) -> int | None:
        """The place behind the closing quote."""
        while (closing := _CLOSING.match(self._text, opened)) is None:
            more = next(self._lines, None)
            if more is None and goes_on:
                return None
            if more is None:
                message = "unclosed quote; close it, or double it if it is part of the text"
                raise DataError(in_file(self._path, message, self._line_at(opened)))
            self._text += more
        return closing.end()

    def _behind(self, opened: int, closed: int) -> int:
        """The place behind the blanks that follow on a closing quote."""
        end = self._end.match(self._text, closed)
        if end is None or self._text[end.end() : end.end() + 1] not in ("", "\r", "\n", self._delimiter):
            behind = _BEHIND.match(self._text, closed)
            assert behind is not None
            here, there = self._line_at(opened), self._line_at(closed)
            where = "" if here == there else f" in line {there}"
            message = f"a quoted cell has {literal(behind[0])} behind its closing quote{where}"
            way_out = "put the quotes around the whole cell, and double those inside"
            raise DataError(in_file(self._path, f"{message}; {way_out}", here))
        return end.end()

    def _line_at(self, place: int) -> int:
        return self._line + len(_LINE_END.findall(self._text[:place]))
