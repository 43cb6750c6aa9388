"""Quotes that do not belong together never take rows in silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.checking import check
from tests.data.dirty.clean import ROWS, changed, text
from tests.data.dirty.conftest import Desk
from tests.data.helpers import read, refusal, texts


@pytest.mark.parametrize("other", ['"red', 'r"ed"', '"red"'])
@pytest.mark.parametrize("apart", [1, 10, 100])
def test_stray_quote_is_found_where_the_next_quote_closes_it(desk: Desk, other: str, apart: int) -> None:
    rows = changed(10, "color", '"red')
    rows[10 + apart][2] = other
    message = desk.refusal(text(rows))
    if other.startswith('"'):
        assert message.startswith("t.csv:12: a quoted cell has 'red")
        assert f"behind its closing quote in line {12 + apart};" in message
    else:
        assert message.startswith("t.csv:12: ")


@pytest.mark.parametrize("cell", ['"red"x', '"red""', '"re"d"', '"red" x', '""red""', '"red"\\'])
def test_text_behind_a_closing_quote_is_refused(desk: Desk, cell: str) -> None:
    message = desk.refusal(text(changed(10, "color", cell)))
    assert message.startswith("t.csv:12: ")
    assert "quote" in message


@pytest.mark.parametrize("cell", ['r"ed', 'red"', 'r"e"d', "'red'", "'red", "“red”"])
def test_quote_inside_a_bare_cell_is_a_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert texts(read(text(changed(10, "color", cell))).columns["color"])[10] == cell


@pytest.mark.parametrize("blanks", [" ", "   ", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blanks_around_quotes_belong_to_no_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blanks: str, end: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = blanks.replace("\t", " ")
    lines = [
        'a,"b",c',
        f'1,{before}"x, y"{blanks},2',
        f'{before}"3"{blanks},"z{end}""w"""{blanks},"4"{blanks}',
        "5,v,6",
    ]
    table = read(end.join(lines))
    assert texts(table.columns["b"]) == ["x, y", f'z{end}"w"', "v"]
    assert [table.columns[name].values.tolist() for name in "ac"] == [[1, 3, 5], [2, 4, 6]]
    assert [table.line(row) for row in range(3)] == [2, 3, 5]
    assert refusal(end.join([*lines, "7,8"])) == "a.csv:6: expected 3 fields, found 2"


def test_fault_behind_blanks_around_quotes_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert refusal('a,b\n"1" ,"x" y\n').startswith("a.csv:2: a quoted cell has ' y' behind its closing quote;")
    assert refusal('a,b\n"1" ,"x\n').startswith("a.csv:2: unclosed quote")
    assert refusal('a,b\n"1" ,"\n\n').startswith("a.csv:2: unclosed quote")
    assert refusal('a b\n"1" "x"y\n', delimiter=" ").startswith("a.csv:2: a quoted cell has 'y' behind")


def test_quotes_that_take_rows_in_and_close_are_named(desk: Desk) -> None:
    rows = changed(10, "color", '"red')
    rows[20][2] = 'red"'
    run = desk.train(text(rows))
    said = "t.csv:12: the cell of column `color` holds 9 more lines that look like rows: is a quote missing?"
    assert said in (Path(run.path) / "log.txt").read_text()
    assert said in check("t.yaml").warnings


def test_cell_of_several_lines_is_not_mistaken_for_rows(desk: Desk) -> None:
    rows = [list(cells) for cells in ROWS]
    for row in range(0, 120, 10):
        rows[row][2] = '"of\nthree\nlines, no more"'
    desk.train(text(rows))
    assert not check("t.yaml").warnings


def test_long_cell_is_refused_where_its_quote_opens(desk: Desk) -> None:
    message = desk.refusal(text([*changed(10, "color", '"red'), *ROWS * 60]))
    assert message == "t.csv:12: a cell of more than 131072 characters; is its closing quote missing?"
