"""A clean table, and the ways to write it down that must make no difference."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nnctl.network.members import stream

HEADER = ["a", "b", "color", "y"]
COUNT = 120
FIRST, MIDDLE, LAST = 0, COUNT // 2, COUNT - 1
SHIFT = {"red": 0.3, "green": 0.0, "blue": -0.3}

Rows = list[list[str]]


def _rows() -> Rows:
    rng = stream(0, "clean")
    rows = []
    for place in range(COUNT):
        a, b = (round(float(value), 3) for value in rng.standard_normal(2))
        color = list(SHIFT)[place % 3]
        rows.append([str(a), str(b), color, "yes" if a + b + SHIFT[color] > 0 else "no"])
    return rows


ROWS = _rows()


def changed(row: int, column: str, cell: str) -> Rows:
    """The rows with another cell in one place."""
    rows = [list(cells) for cells in ROWS]
    rows[row][HEADER.index(column)] = cell
    return rows


def with_column(column: str, cell_of: Callable[[int, str], str]) -> Rows:
    """The rows with another column, made from the number of the row and the cell that was there."""
    place = HEADER.index(column)
    return [[*cells[:place], cell_of(row, cells[place]), *cells[place + 1 :]] for row, cells in enumerate(ROWS)]


def text(rows: Rows = ROWS, header: Sequence[str] = HEADER, *, delimiter: str = ",", end: str = "\n") -> str:
    """A table as a text; cells are written as they are, so they bring their own quotes."""
    return "".join(delimiter.join(cells) + end for cells in [header, *rows])


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", content)
    return packed.getvalue()


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


@dataclass(frozen=True)
class Dress:
    """A way to write a table down."""

    name: str
    delimiter: str = ","
    end: str = "\n"
    before: str = ""  # what stands before the header
    between: str = ""  # what stands before every tenth row
    quotes: bool = False
    pack: Callable[[bytes], bytes] = bytes
    encoding: str = "utf-8"
    file: str = "t.csv"
    overrides: tuple[str, ...] = ()

    def write(self, rows: Rows = ROWS, header: Sequence[str] = HEADER) -> bytes:
        lines = [self.before, *self._lines([header]), *self._lines(rows, self.between)]
        return self.pack("".join(lines).encode(self.encoding))

    def line(self, row: int, rows: Rows = ROWS, header: Sequence[str] = HEADER) -> int:
        """The line on which a row starts."""
        gap = self.between if row % 10 == 0 else ""
        above = "".join([self.before, *self._lines([header]), *self._lines(rows[:row], self.between), gap])
        return 1 + above.count("\n") + above.count("\r") - above.count("\r\n")

    def _lines(self, rows: Rows | list[Sequence[str]], between: str = "") -> list[str]:
        lines = []
        for place, cells in enumerate(rows):
            written = [cell if cell.startswith('"') or not self.quotes else quoted(cell) for cell in cells]
            lines += [between] if place % 10 == 0 else []
            lines.append(self.delimiter.join(written) + self.end)
        return lines


DRESSES = [
    Dress("plain"),
    Dress("crlf", end="\r\n"),
    Dress("cr", end="\r"),
    Dress("twice ended", end="\r\r\n"),
    Dress("semicolon", delimiter=";"),
    Dress("tab", delimiter="\t", file="t.tsv"),
    Dress("bar", delimiter="|"),
    Dress("blanks", delimiter=" , "),
    Dress("colon", delimiter=":", overrides=('data.format.delimiter=":"',)),
    Dress("unit separator", delimiter="\x1f", overrides=(r'data.format.delimiter="\x1f"',)),
    Dress("blank lines", before="\n\n", between="\n \t\n"),
    Dress("quotes", quotes=True),
    Dress("quotes crlf", quotes=True, end="\r\n", between="\r\n"),
    Dress("quotes cr", quotes=True, end="\r", between="\r"),
    Dress("quotes semicolon", quotes=True, delimiter=";"),
    Dress("mark", encoding="utf-8-sig"),
    Dress("mark quotes", encoding="utf-8-sig", quotes=True),
    Dress("latin-1", encoding="latin-1", overrides=("data.format.encoding=latin-1",)),
    Dress("utf-16", encoding="utf-16", overrides=("data.format.encoding=utf-16",)),
    Dress("utf-16 crlf", encoding="utf-16", end="\r\n", overrides=("data.format.encoding=utf-16",)),
    Dress("utf-16-le", encoding="utf-16-le", overrides=("data.format.encoding=utf-16-le",)),
    Dress("utf-16-be", encoding="utf-16-be", overrides=("data.format.encoding=utf-16-be",)),
    Dress("utf-32", encoding="utf-32", overrides=("data.format.encoding=utf-32",)),
    Dress("gz", pack=gzip.compress, file="t.csv.gz"),
    Dress("bz2", pack=bz2.compress, file="t.csv.bz2"),
    Dress("xz", pack=lzma.compress, file="t.csv.xz"),
    Dress("zip", pack=zipped, file="t.zip"),
    Dress("gz crlf quotes", pack=gzip.compress, file="t.csv.gz", end="\r\n", quotes=True),
    Dress("zip utf-16", pack=zipped, file="t.csv.zip", encoding="utf-16", overrides=("data.format.encoding=utf-16",)),
]
