"""Rows counted by the bytes of a text are those that the csv module finds."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nnctl.data import cells, scanning
from nnctl.data.counting import count_rows, has_bare_returns, line_ends
from nnctl.data.records import records
from nnctl.data.scanning import Block, Scanner
from nnctl.errors import DataError

PARTS = [
    "a",
    "0",
    "07",
    "1.05",
    " ",
    "\t",
    "é",
    "\xa0",
    '"',
    '""',
    '"x"',
    '"07"',
    '" 07"',
    '"x,y"',
    '"x\ny"',
    '"x\r\ny"',
]
ENDS = ["\n", "\r\n", "\r"]


def scan(pieces: list[bytes], delimiter: str, size: int) -> object:
    """What a scanner makes of a text, as one that can be compared."""
    scanner = Scanner(Path("a.csv"), delimiter, size)
    try:
        for piece in pieces:
            scanner.feed(piece)
        scanner.finish()
    except DataError as error:
        return str(error)
    found = [records_in(block, b"".join(pieces), delimiter) for block in scanner.blocks]
    assert [len(each) for each in found] == [block.rows for block in scanner.blocks]
    assert [block.row for block in scanner.blocks] == [sum(map(len, found[:i])) for i in range(len(found))]
    coded = frozenset[int]().union(*(block.coded for block in scanner.blocks))
    return scanner.header, scanner.rows, scanner.spaced, coded, [*chain(*found)]


def records_in(block: Block, text: bytes, delimiter: str) -> list[tuple[int, list[str]]]:
    found = records(Path("a.csv"), text[block.start : block.stop], delimiter, line=block.line)
    return [(record.line, record.cells) for record in found]


@st.composite
def tables(draw) -> tuple[bytes, str]:
    """Mostly well-formed texts of two or three columns, with line ends of one kind or of several."""
    delimiter = draw(st.sampled_from([",", ",", ";", "\t", " "]))
    width = draw(st.integers(2, 3))
    cell = st.lists(st.sampled_from(PARTS), max_size=2).map("".join) | st.sampled_from(PARTS)
    ends = st.just(draw(st.sampled_from(ENDS))) | (st.sampled_from(ENDS) if draw(st.booleans()) else st.nothing())
    row = st.lists(cell, min_size=width, max_size=width).map(delimiter.join) | st.sampled_from(["", " "])
    rows = draw(st.lists(st.tuples(row, ends).map("".join), max_size=8))
    text = delimiter.join("pqr"[:width]) + "\n" + "".join(rows)
    return (text if draw(st.booleans()) else text.rstrip("\r\n")).encode(), delimiter


@settings(max_examples=400, deadline=None)
@given(tables(), st.sampled_from([1, 5, 16, 64, 1000]), st.sampled_from([1, 40, 1000]))
@example((b'p,q\n"x, ",07\n1,"a""07"\n', ","), 1000, 1000)
@example((b'p,q\n"x\n07",1\n', ","), 1000, 1000)
@example((b'p,q\n"x",1\n"y,2\n', ","), 5, 1)
@example((b'p,q\r\n"x\r\n",1\r\n\r\n"y","07"\r\n', ","), 5, 1)
def test_counting_finds_what_the_csv_module_finds(table: tuple[bytes, str], piece: int, size: int) -> None:
    text, delimiter = table
    pieces = [text[start : start + piece] for start in range(0, len(text), piece)]
    found = scan(pieces, delimiter, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanning, "count_rows", lambda *_, **__: None)
        assert found == scan([text], delimiter, 1)


@pytest.mark.parametrize(
    "text",
    [
        b'1,"a"b\n',  # text behind a closing quote
        b'1,a"b"\n',  # a quote within a cell
        b'1, "a"\n',  # a blank before a quote
        b'1,"a\n',  # no closing quote
        b"1,2,3\n",
        b"1\n",
        b" \n",
        b"1,2\r3,4\n",
        b"1,\t07\n",
        "1,\xa007\n".encode(),
        b'1,"' + b"x" * (csv.field_size_limit() + 1) + b'"\n',
    ],
)
def test_where_bytes_do_not_tell_the_csv_module_is_asked(text: bytes) -> None:
    assert count_rows(text, ",", 2, goes_on=False) is None


@pytest.mark.parametrize(
    ("text", "rows", "lines", "coded", "stop"),
    [
        (b'1,"a,b"\n\n"",2\n', 2, 3, set(), 14),
        (b'1,"a\n7,""b"" 07"\n"07", 08\n', 2, 3, {0, 1}, 26),
        (b'1,"a\r\nb"\r\n\r\n2,"07"\r\n', 2, 4, {1}, 20),
        (b'1,2\n3,"a\nb', 1, 1, set(), 4),
        (b'1,"a\n', 0, 0, set(), 0),
    ],
)
def test_quoted_cells_are_counted_by_bytes(text: bytes, rows: int, lines: int, coded: set[int], stop: int) -> None:
    found = count_rows(text, ",", 2, goes_on=True)
    assert found is not None
    assert found[:4] == (rows, lines, coded, stop)


@given(st.text(st.sampled_from("a\r\n"), max_size=12).map(str.encode))
def test_line_ends_are_those_of_python(text: bytes) -> None:
    assert line_ends(text) == len((text + b"x").splitlines()) - 1
    assert has_bare_returns(text) == (b"\r" in text.replace(b"\r\n", b""))


def test_small_blocks_of_rows_become_larger_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "PIECE", 64)
    monkeypatch.setattr(cells, "BLOCK", 1000)
    path = tmp_path / "a.csv"
    path.write_text("a,b\n" + "1,2\n" * 500 + '3,"4"\n' * 500)
    blocks = cells.open_csv(path).blocks
    assert {block.stop - block.start for block in blocks[:-1]} <= set(range(900, 1001))
    assert [block.row for block in blocks[1:]] == [block.row + block.rows for block in blocks[:-1]]
