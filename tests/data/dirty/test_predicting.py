"""Files to predict: matched by name, kept as they are, and refused whole."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from nnctl.errors import DataError
from nnctl.judging import Predicted, predict
from tests.data.dirty.clean import DRESSES, FIRST, HEADER, LAST, MIDDLE, ROWS, Dress, changed, quoted, text, with_column
from tests.data.dirty.conftest import Desk

OUT = Path("out.csv")


@pytest.fixture
def run(desk: Desk) -> str:
    """The run of the clean table, on which 119 of 120 rows or more are right."""
    return desk.train(text(), name="clean.csv").path


def predicted(run: str, content: str | bytes, name: str = "t.csv") -> tuple[Predicted, list[str]]:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    result = predict(run, name, OUT)
    with OUT.open(newline="", encoding="utf-8") as stream:
        delimiter = {"|": "|", ";": ";", "\t": "\t"}.get(stream.readline().strip("ab\"'\n")[:1], ",")
        stream.seek(0)
        rows = list(csv.DictReader(stream, delimiter=delimiter))
    return result, [row["prediction"] for row in rows]


def refused(run: str, content: str | bytes, name: str = "t.csv") -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError) as caught:
        predict(run, name, OUT)
    assert not OUT.exists()
    return str(caught.value)


def without_target(rows: list[list[str]]) -> str:
    return text([cells[:3] for cells in rows], HEADER[:3])


def test_predictions_are_right_and_the_target_is_not_needed(run: str) -> None:
    found = predicted(run, without_target(ROWS))[1]
    assert sum(one == cells[3] for one, cells in zip(found, ROWS, strict=True)) > 0.95 * len(ROWS)
    assert predicted(run, text())[1] == found
    assert predicted(run, text(with_column("y", lambda row, cell: "whatever")))[1] == found


def test_columns_are_matched_by_name(run: str) -> None:
    expected = predicted(run, text())[1]
    more = text([["9", *cells] for cells in ROWS], ["extra", *HEADER])
    turned = text([cells[::-1] for cells in ROWS], HEADER[::-1])
    padded = text(header=[f" {name} " for name in HEADER])
    for content in (more, turned, padded):
        assert predicted(run, content)[1] == expected


@pytest.mark.parametrize(
    "dress",
    [dress for dress in DRESSES if not dress.overrides and dress.delimiter != " , "],
    ids=lambda dress: dress.name,
)
def test_dress_makes_no_difference(run: str, dress: Dress) -> None:
    assert predicted(run, dress.write(), dress.file)[1] == predicted(run, text())[1]


@pytest.mark.parametrize("row", [FIRST, MIDDLE, LAST])
@pytest.mark.parametrize("cell", ["n/a?", "inf", "1e400", "", "abc"])
def test_cell_that_is_no_number_is_named_by_its_line(run: str, row: int, cell: str) -> None:
    if cell:
        message = refused(run, without_target(changed(row, "a", cell)))
        assert message.startswith(f"t.csv:{row + 2}: column `a`: 1 of 120 values is not a ")
        assert f"'{cell}' (line {row + 2})" in message
    else:
        found = predicted(run, without_target(changed(row, "a", cell)))[1]
        assert len(found) == 120


@pytest.mark.parametrize("row", [FIRST, MIDDLE, LAST])
def test_level_that_was_not_seen_shifts_nothing(run: str, row: int) -> None:
    result, found = predicted(run, without_target(changed(row, "color", "purple")))
    expected = predicted(run, text())[1]
    assert found[:row] + found[row + 1 :] == expected[:row] + expected[row + 1 :]
    (note,) = result.notes
    assert "t.csv" in note
    assert "`color`" in note
    assert "1 row" in note


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "t.csv: the file is empty"),
        ("a,b,color\n", "t.csv: no data rows"),
        (text([cells[1:] for cells in ROWS], HEADER[1:]), "`a`"),
        (text(header=["A", *HEADER[1:]]), "`a`"),
        (text(header=["a", "a", *HEADER[2:]]), "t.csv:1: duplicate column `a`"),
        (text(header=["a", "", *HEADER[2:]]), "`b`"),
        (text([*ROWS[:5], ROWS[5][:2]]), "t.csv:7: expected 4 fields, found 2"),
        (text(changed(5, "color", '"red')), "t.csv:7: unclosed quote"),
        (text(changed(5, "color", "r\0d")), "t.csv:7: a NUL byte"),
        (text([[*cells, "1"] for cells in ROWS], [*HEADER, "prediction"]), "`prediction`"),
    ],
)
def test_file_that_is_no_table_of_the_model_is_refused(run: str, content: str, says: str) -> None:
    assert says in refused(run, content)


def test_file_in_another_encoding_is_refused_by_its_line(run: str) -> None:
    message = refused(run, without_target(changed(5, "color", "café")).encode("latin-1"))
    assert message.startswith("t.csv:7: byte 0xe9 is not UTF-8")


def test_cells_come_out_as_they_went_in(run: str) -> None:
    cells = ["007", "1e5", " x ", quoted('a "b", c'), quoted("of\ntwo lines"), "=1+1", "é😀", "NA", "", "0x1F"]
    rows = [[*ROWS[row][:3], cells[row % len(cells)]] for row in range(120)]
    predicted(run, text(rows, ["a", "b", "color", "note"]))
    with OUT.open(newline="", encoding="utf-8") as stream:
        notes = [row["note"] for row in csv.DictReader(stream)]
    expected = ["007", "1e5", " x ", 'a "b", c', "of\ntwo lines", "=1+1", "é😀", "NA", "", "0x1F"]
    assert notes == [expected[row % len(expected)] for row in range(120)]
