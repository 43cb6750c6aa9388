"""However a table is written down it trains alike, and a fault in it is found at its true line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.dirty.clean import DRESSES, FIRST, LAST, MIDDLE, ROWS, Dress, changed
from tests.data.dirty.conftest import Desk
from tests.data.helpers import refusal

by_name = pytest.mark.parametrize("dress", DRESSES, ids=lambda dress: dress.name)
at = pytest.mark.parametrize("row", [FIRST, MIDDLE, LAST])


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(dress: Dress, rows: list[list[str]]) -> str:
    delimiter = dress.delimiter if dress.overrides and dress.delimiter != "," else "auto"
    encoding = dress.encoding.removesuffix("-sig")
    return refusal(dress.write(rows), dress.file, delimiter=delimiter, encoding=encoding)


@by_name
def test_dress_makes_no_difference(desk: Desk, dress: Dress) -> None:
    desk.is_clean(dress.write(), *dress.overrides, name=dress.file)


@by_name
def test_last_line_needs_no_end(desk: Desk, dress: Dress) -> None:
    if dress.pack is bytes:
        end = dress.end.encode(dress.encoding.removesuffix("-sig") + ("-le" if dress.encoding[-2:] in "1632" else ""))
        content = dress.write()
        assert content.endswith(end)
        desk.is_clean(content.removesuffix(end), *dress.overrides, name=dress.file)


@by_name
@at
def test_row_of_another_width_is_named_by_its_line(dress: Dress, row: int) -> None:
    for cells, found in ((ROWS[row][:3], 3), ([*ROWS[row], ""], 5)):
        rows = [*ROWS[:row], cells, *ROWS[row + 1 :]]
        assert refused(dress, rows) == f"{dress.file}:{dress.line(row)}: expected 4 fields, found {found}"


@by_name
@at
def test_cell_that_is_no_number_is_named_by_its_line(dress: Dress, row: int) -> None:
    message, line = refused(dress, changed(row, "a", "abc")), dress.line(row)
    assert message.startswith(f"{dress.file}:{line}: column `a`: 1 of 120 values is not a number: 'abc' (line {line})")


@by_name
@at
def test_open_quote_is_named_by_its_line(dress: Dress, row: int) -> None:
    message = refused(dress, changed(row, "color", '"red'))
    # Where the next cell is quoted, too, its quote closes this one, and text stands behind it.
    assert message.startswith(f"{dress.file}:{dress.line(row)}: ")
    assert "unclosed quote" in message or dress.quotes


@by_name
@at
def test_nul_byte_is_named_by_its_line(dress: Dress, row: int) -> None:
    message = refused(dress, changed(row, "color", "r\0d"))
    assert message.startswith(f"{dress.file}:{dress.line(row)}: a NUL byte")


@by_name
@at
def test_lines_are_counted_through_cells_of_several_lines(dress: Dress, row: int) -> None:
    rows = changed(row, "b", "abc")
    for place in (FIRST, MIDDLE - 1, MIDDLE):
        rows[place][2] = f'"of{dress.end}two lines"'
    line = dress.line(row, rows)
    message = refused(dress, rows)
    assert message.startswith(f"{dress.file}:{line}: column `b`: 1 of 120 values is not a number: 'abc' (line {line})")
