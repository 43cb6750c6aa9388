"""Whatever table is read is what an independent reader reads; whatever is refused is refused where its fault is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, example, given, note
from hypothesis import strategies as st

from nnctl.data import cells, columns, room, text
from nnctl.data.rows import read_rows, write_rows
from nnctl.data.table import Column, Table, read_table
from nnctl.errors import DataError
from tests.data.oracle import Value, Verdict, judge, line_of, records_of, value_of
from tests.data.random_tables import MISSING, Written, damaged_tables, written_tables


class Sizes(NamedTuple):
    """How much of a file, of a piece and of a column is looked at together, and how much is held in memory."""

    block: int
    piece: int
    held: int
    rows: int

    @contextmanager
    def patched(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cells, "BLOCK", self.block)
            patch.setattr(cells, "PIECE", self.piece)
            patch.setattr(room, "HELD", self.held)
            patch.setattr(text, "HELD", self.held)
            patch.setattr(columns, "_BLOCK", self.rows)
            yield


# Faults like to sit at the borders of what is looked at together.
SIZES = st.builds(
    Sizes,
    block=st.sampled_from([8, 13, 64, 1 << 22]),
    piece=st.sampled_from([8, 31, 1 << 18]),
    held=st.sampled_from([0, 1 << 26]),
    rows=st.sampled_from([1, 3, 1 << 20]),
)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(table: Written, content: bytes, sizes: Sizes, types: dict[str, str]) -> tuple[Table, list[int]]:
    """The table in a file, looked at in parts of those sizes, and the lines of its rows."""
    with sizes.patched():
        Path(table.file).write_bytes(content)
        found = read_table(
            Path(table.file),
            missing_values=MISSING,
            types=types,
            delimiter=table.delimiter,
            encoding=table.declared_encoding,
            decimal=table.decimal,
        )
        return found, [found.line(row) for row in range(found.rows)]


def verdict(table: Written, kinds: dict[str, str]) -> Verdict:
    return judge(table.text, delimiter=table.delimiter, missing=MISSING, kinds=kinds, decimal=table.decimal)


def values(column: Column) -> list[Value]:
    if column.type == "category":
        return [column.levels[code] if code >= 0 else None for code in column.values.tolist()]
    return [None if math.isnan(value) else value for value in column.values.tolist()]


def check_refusal(error: DataError, file: str, expected: Verdict) -> None:
    """One problem at least is a fault that there is, and every one names a line of the file."""
    said = [(problem.place.line if problem.place else None, problem.message) for problem in error.problems]
    note(f"said {said}, expected {expected.faults}")
    assert all(problem.place is not None and problem.place.source == file for problem in error.problems)
    assert any(
        (line in lines if lines else line is None) and words in message
        for line, message in said
        for lines, words in expected.faults
    )


def check(table: Written, sizes: Sizes) -> None:
    """The table is read as the oracle reads it, or refused as it judges."""
    note(f"{table}, {sizes}")
    expected = verdict(table, table.kinds)
    assume(not expected.unsure)
    kinds = {**dict.fromkeys(expected.columns, "category"), **table.kinds}
    try:
        found, lines = read(table, table.content, sizes, kinds)
    except DataError as error:
        check_refusal(error, table.file, expected)
        return
    assert not expected.faults
    assert {name: values(column) for name, column in found.columns.items()} == expected.columns
    assert lines == expected.lines


@given(written_tables(), SIZES)
def test_table_is_read_cell_for_cell_as_by_an_independent_reader(table: Written, sizes: Sizes) -> None:
    assert not verdict(table, table.kinds).faults, "the table itself has a fault"
    check(table, sizes)


@given(damaged_tables(), SIZES)
def test_damaged_table_is_read_so_or_refused_where_its_fault_is(table: Written, sizes: Sizes) -> None:
    check(table, sizes)


@given(written_tables(), SIZES)
def test_type_that_is_found_fits_every_cell(table: Written, sizes: Sizes) -> None:
    note(f"{table}, {sizes}")
    texts = verdict(table, {})
    try:
        found, _ = read(table, table.content, sizes, {})
    except DataError as error:
        for problem in error.problems:
            assert problem.place is not None
            assert problem.place.line in texts.lines
            assert any(f"`{repr(name)[1:-1]}`" in problem.message for name in texts.columns)
        return
    for name, column in found.columns.items():
        words = {value: word for word, value in zip(column.levels, (0.0, 1.0), strict=False)}
        for value, cell in zip(values(column), texts.columns[name], strict=True):
            if cell is None or column.type == "category":
                assert value == cell
            else:
                assert value == value_of(str(cell), column.type, MISSING, table.decimal), words


MARKED = Written('"\r\n\ufeff",a,b\n,,', ",", {"a": "number", "b": "number"}, ".", "utf-8", "t.csv")


@example(MARKED, Sizes(8, 8, 0, 1))
@given(damaged_tables(), SIZES)
def test_rows_come_out_as_they_went_in(table: Written, sizes: Sizes) -> None:
    note(f"{table}, {sizes}")
    records, fault = records_of(table.text.removeprefix("\ufeff"), table.delimiter)
    Path(table.file).write_bytes(table.content)
    with sizes.patched():
        try:
            header, rows = read_rows(Path(table.file), delimiter=table.delimiter, encoding=table.declared_encoding)
        except DataError:
            return
        header, rows = [*header, "p"], [[*cells, "1"] for cells in rows]
        write_rows(Path("out.csv"), header, rows, delimiter=table.delimiter)
        again = read_rows(Path("out.csv"), delimiter=table.delimiter)
    assert again == (header, rows)
    if fault is None:
        stripped = [[cell.strip() for cell in cells[:-1]] for cells in [header, *rows]]
        assert stripped == [[cell.strip() for cell in cells] for _, cells in records]


@given(written_tables(), st.integers(min_value=0), SIZES)
def test_byte_that_is_no_text_is_refused_at_its_line(table: Written, place: int, sizes: Sizes) -> None:
    place %= len(table.text) + 1
    before, after = table.text[:place].encode(), table.text[place:].encode()
    plain = Written(table.text, table.delimiter, table.kinds, table.decimal, "utf-8", "t.csv")
    with pytest.raises(DataError) as caught:
        read(plain, before + b"\xff" + after, sizes, table.kinds)
    (problem,) = caught.value.problems
    assert problem.place is not None
    assert re.match(r"byte 0xff is not UTF-8|the file is UTF-16", problem.message)
    assert problem.place.line == line_of(table.text[:place] + "x", place)
