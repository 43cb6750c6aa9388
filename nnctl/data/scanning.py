"""Scanning: a CSV text is cut into blocks of whole records, and every record is found to be as wide as the header."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnctl.data.counting import count_rows, has_bare_returns, line_ends
from nnctl.data.decoding import guess_delimiter, unify_line_ends
from nnctl.data.records import records
from nnctl.data.wording import SHOWN, code, in_file
from nnctl.errors import DataError, Problem

LONGEST = 1 << 26  # bytes of a line; a file with a longer one is no table
_CODE = re.compile(r"\s*0\d")


@dataclass(frozen=True, slots=True)
class Block:
    """Some records of a text, whole ones."""

    start: int  # bytes of the text before it
    stop: int
    line: int  # of the file, on which it starts
    row: int  # of its first record
    rows: int
    quoted: bool  # whether there are quotes in it
    coded: frozenset[int] = frozenset()  # columns with a cell such as 007, which a number would not keep

    def with_(self, other: Block) -> Block:
        """The two as one. Only empty lines stand between them."""
        quoted, coded = self.quoted or other.quoted, self.coded | other.coded
        return Block(self.start, other.stop, self.line, self.row, self.rows + other.rows, quoted, coded)


class Scanner:
    """Takes a text piece by piece and gives its header and blocks."""

    def __init__(self, path: Path, delimiter: str, size: int) -> None:
        self.path, self.delimiter = path, delimiter
        self.size = size  # bytes of a block, about
        self.header: tuple[str, ...] = ()
        self._header_line = 1
        self.blocks: list[Block] = []
        self.rows = 0
        self.spaced = False  # whether a blank stands before a quote, which then belongs to no cell
        self._rest = b""  # what does not make a whole record yet
        self._more: list[bytes] = []  # what follows on it without a line end
        self._at, self._line = 0, 1  # where it begins
        self._wrong: list[tuple[int, int]] = []  # line and width of the first records that are not as wide
        self._wrong_count = 0

    def feed(self, text: bytes, *, last: bool = False) -> None:
        """Take the next piece. Raises: DataError if a quote is not closed, a line is endless or the header wrong."""
        if not last and not _has_line_end(text) and len(self._rest) + sum(map(len, self._more)) <= LONGEST:
            self._more.append(text)
            return
        text, self._more = b"".join([self._rest, *self._more, text]), []
        stop = len(text) if last else max(text.rfind(b"\n"), text.rfind(b"\r", 0, -1)) + 1
        self._rest = text[stop:]
        if len(self._rest) > LONGEST:
            message = f"a line of more than {LONGEST >> 20} million characters; this is no table"
            raise DataError(in_file(self.path, message, self._line + line_ends(text[:stop])))
        text = text[:stop]
        if text and not self.header:
            text = self._read_header(text, last=last)
        if text:
            self._scan(text, last=last)

    def finish(self) -> None:
        """Take the end of the text.

        Raises: DataError if there are no records, or some are not as wide as the header.
        """
        self.feed(b"", last=True)
        if not self.header:
            raise DataError(in_file(self.path, "the file is empty; it needs a header line and data rows"))
        if not self.rows:
            raise DataError(in_file(self.path, "no data rows: there is only a header line"))
        if self._wrong:
            width = len(self.header)
            expected = f"expected {width} field{'s' * (width > 1)}, found"
            problems = [in_file(self.path, f"{expected} {found}", line) for line, found in self._wrong[:SHOWN]]
            if self._wrong_count > SHOWN:
                more = f"and {self._wrong_count - SHOWN} more of such lines"
                problems.append(in_file(self.path, more, self._wrong[SHOWN][0]))
            raise DataError([*self._no_header(), *problems])

    def _no_header(self) -> Iterator[Problem]:
        """What is said of a first line that is none of the table: a title, a comment, `sep=;` of a spreadsheet."""
        width, widest = len(self.header), max(found for _, found in self._wrong)
        if self._wrong_count > 1 and 2 * self._wrong_count >= self.rows and 2 * width <= widest:
            first = code(self.delimiter.join(self.header)[:60])
            message = f"the first line, {first}, is taken for the header, but most lines have other than {width} field"
            way_out = "delete what stands before the names of the columns"
            yield in_file(self.path, f"{message}{'s' * (width > 1)}; {way_out}", self._header_line)

    def _read_header(self, text: bytes, *, last: bool) -> bytes:
        """Read the header, if it is whole; the text behind it."""
        if self.delimiter == "auto":
            self.delimiter = guess_delimiter(text)
        first = next(records(self.path, text, self.delimiter, line=self._line, goes_on=not last), None)
        if first is None:
            if not last:
                self._rest = text + self._rest
            return b""
        names = tuple(name.strip() for name in first.cells)
        twice = [name for name, count in Counter(names).items() if name and count > 1]
        if twice:
            raise DataError(in_file(self.path, repeated(names, name), first.line) for name in twice)
        self.header, self._header_line = names, first.line
        self._move(first.stop, first.next_line)
        return text[first.stop :]

    def _move(self, size: int, line: int) -> None:
        self._at, self._line = self._at + size, line

    def _scan(self, text: bytes, *, last: bool) -> None:
        quoted = b'"' in text
        plain = unify_line_ends(text) if not quoted and has_bare_returns(text) else text
        found = count_rows(plain, self.delimiter, len(self.header), goes_on=not last)
        if found is None or (found.spaced and self._blanks_before_quotes(text)):
            self._scan_records(text, quoted=quoted, last=last)
            return
        stop = found.stop if plain is text else len(text)
        self._rest = text[stop:] + self._rest
        self._add(stop, found.rows, quoted=quoted, coded=found.coded)
        self._move(stop, self._line + found.lines)

    def _scan_records(self, text: bytes, *, quoted: bool, last: bool) -> None:
        """What the csv module finds, record by record."""
        width, rows, stop, line = len(self.header), 0, 0, self._line
        coded: set[int] = set()
        looks_coded = re.search(rb"(?<![\w.])0\d", text) is not None
        self.spaced = self.spaced or (quoted and self._blanks_before_quotes(text))
        for record in records(self.path, text, self.delimiter, line=self._line, goes_on=not last):
            rows, stop, line = rows + 1, record.stop, record.next_line
            if len(record.cells) != width:
                self._wrong_count += 1
                if len(self._wrong) <= SHOWN:
                    self._wrong.append((record.line, len(record.cells)))
            elif looks_coded:
                coded.update(column for column, cell in enumerate(record.cells) if _CODE.match(cell))
        if not quoted or last:
            stop, line = len(text), self._line + line_ends(text)
        self._rest = text[stop:] + self._rest
        self._add(stop, rows, quoted=quoted, coded=frozenset(coded))
        self._move(stop, line)

    def _add(self, size: int, rows: int, *, quoted: bool, coded: frozenset[int]) -> None:
        if not rows:
            return
        block = Block(self._at, self._at + size, self._line, self.rows, rows, quoted, coded)
        self.rows += rows
        if self.blocks and block.stop - self.blocks[-1].start <= self.size:
            block = self.blocks.pop().with_(block)
        self.blocks.append(block)

    def _blanks_before_quotes(self, text: bytes) -> bool:
        # `a, "b, c"` is two cells to whoever wrote it, so there a blank after a delimiter cannot belong to the cell.
        delimiter = re.escape(self.delimiter.encode())
        if self.delimiter == " " or re.search(rb"(^|[\r\n]|" + delimiter + rb') +"', text) is None:
            return False
        try:  # what was found may stand inside of a cell
            found = records(self.path, text, self.delimiter, keep_blanks=True, goes_on=True)
            return any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for record in found for cell in record.cells)
        except DataError:  # two quotes that belong together are taken for letters
            return True


def repeated(names: tuple[str, ...], name: str) -> str:
    """What is said of a header that has a name more than once."""
    numbers = [str(number) for number, other in enumerate(names, start=1) if other == name]
    return f"duplicate column {code(name)}: columns {', '.join(numbers[:-1])} and {numbers[-1]}; rename all but one"


def _has_line_end(text: bytes) -> bool:
    return b"\n" in text or b"\r" in text
