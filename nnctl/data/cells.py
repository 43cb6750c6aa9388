"""The cells of a CSV file: the file opened, decoded, and every record as wide as the header."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from nnctl.data.counting import has_bare_returns
from nnctl.data.decoding import Decoder, separator, unify_line_ends
from nnctl.data.records import records
from nnctl.data.scanning import Block, Scanner
from nnctl.data.source import Source
from nnctl.data.text import CopiedText, FileText, Text

BLOCK = 1 << 22  # bytes that are parsed together
PIECE = 1 << 17  # bytes that are read and looked at together: the processor and the allocator have them at hand


@dataclass(frozen=True, slots=True, eq=False)
class CsvFile:
    """A CSV file whose records have all been found to be as wide as its header. It is read block by block."""

    source: Source
    text: Text
    delimiter: str
    encoding: str
    header: tuple[str, ...]  # names without surrounding blanks; may be empty, never twice the same
    rows: int
    blocks: tuple[Block, ...]
    spaced: bool  # whether a blank stands before a quote, which then belongs to no cell

    @property
    def path(self) -> Path:
        """As messages name it."""
        return self.source.path

    @property
    def sha256(self) -> str:
        """Of the bytes on the disk."""
        return self.source.sha256

    @property
    def read_once(self) -> bool:
        """Whether the file cannot be opened again, as a pipe cannot."""
        return self.source.stamp is None

    def content(self, block: Block) -> bytes:
        r"""The text of a block as UTF-8. Outside of quotes every line ends in \n or \r\n."""
        text = self.text.read(block.start, block.stop)
        if not has_bare_returns(text):
            return text
        if not block.quoted:
            return unify_line_ends(text)
        # pandas takes a line end of one \r and the delimiter after it for one: it would lose an empty first cell.
        written = io.StringIO(newline="")
        writer = csv.writer(written, delimiter=self.delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerows(cells for _, cells in self.records(block))
        return written.getvalue().encode()

    def records(self, *blocks: Block, keep_blanks: bool = False) -> Iterator[tuple[int, list[str]]]:
        """The data rows of the blocks, or of all, each with the line it starts on.

        Without ``keep_blanks`` cells lose their leading blanks.
        """
        kept = keep_blanks and not self.spaced
        for block in blocks or self.blocks:
            text = self.text.read(block.start, block.stop)
            for record in records(self.path, text, self.delimiter, line=block.line, keep_blanks=kept):
                yield record.line, record.cells

    def written(self, block: Block) -> list[str] | None:
        """The data rows of a block as they stand there, without line ends; None where quotes are at work in the file.

        So would the csv module write their cells again, in a fifth of a second for what takes it three.
        """
        if block.quoted or self.spaced:
            return None
        lines = unify_line_ends(self.text.read(block.start, block.stop)).decode().split("\n")
        if not lines[-1]:
            del lines[-1]
        if len(lines) != block.rows:  # blank ones
            lines = [line for line in lines if line.strip(" \t") or self.delimiter in line]
        return lines

    def lines(self, rows: Collection[int]) -> dict[int, int]:
        """The line in the file of each of the data rows, which count from 0."""
        wanted, found = set(rows), {}
        for block in self.blocks:
            here = wanted.intersection(range(block.row, block.row + block.rows))
            if here:
                for row, (line, _) in enumerate(self.records(block), start=block.row):
                    if row in here:
                        found[row] = line
        return found

    def check_unchanged(self) -> None:
        """Raises: DataError if the file is no longer the one that was opened."""
        self.source.check_unchanged()


def open_csv(path: Path, *, delimiter: str = ",", encoding: str = "utf-8") -> CsvFile:
    """Open a CSV file, plain or packed (.gz, .bz2, .xz, .zip), and check all about it that does not depend on types.

    The path ``-`` is the standard input; the delimiter ``auto`` is the one that the header shows. URLs are not opened.

    Raises: SpecError if there is no such delimiter or encoding; DataError if there is no such file, or it is not a CSV
            file with a header and data rows.
    """
    source = Source(path)
    decoder = Decoder(source.path, encoding)
    scanner = Scanner(source.path, separator(delimiter), BLOCK)
    copy = CopiedText()
    for piece in chain(source.pieces(min(PIECE, BLOCK)), [None]):
        text = decoder.decode(piece or b"", last=piece is None)
        own = source.stamp if decoder.is_utf8 and not source.packed else None
        if own is None:
            copy.append(text)
        scanner.feed(text)
    scanner.finish()
    return CsvFile(
        source=source,
        text=copy if own is None else FileText(path, decoder.skipped, own),
        delimiter=scanner.delimiter,
        encoding=encoding,
        header=scanner.header,
        rows=scanner.rows,
        blocks=tuple(scanner.blocks),
        spaced=scanner.spaced,
    )
