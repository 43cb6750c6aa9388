"""Cells into typed columns: of a CSV file and of a frame."""

from __future__ import annotations

import csv
import io
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data import cells
from nnctl.data.frame import table_from_frame
from nnctl.data.table import Table
from nnctl.errors import DataError
from tests.data.helpers import MISSING, read, refusal, texts

WAYS_OUT = "add the text to `data.missing_values`, or declare `data.columns.{0}.type: category`"


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


# --- types ---


def test_every_kind_of_column_is_recognised():
    table = read("n,w,c,b\n1.5,1,red,Yes\n,2,?,no\n-2e3,3,blue,NA\n")
    number, whole, category, boolean = table.columns.values()
    assert (table.rows, table.path) == (3, Path("a.csv"))
    assert (number.type, number.whole, number.missing, number.distinct) == ("number", False, 1, 2)
    np.testing.assert_array_equal(number.values, [1.5, math.nan, -2000])
    assert (whole.type, whole.whole, whole.values.dtype) == ("number", True, np.float64)
    assert (category.type, category.levels, category.missing, category.distinct) == ("category", ("blue", "red"), 1, 2)
    assert (category.values.tolist(), category.values.dtype) == ([1, -1, 0], np.int32)
    assert (boolean.type, boolean.levels, boolean.missing, boolean.distinct) == ("boolean", ("no", "Yes"), 1, 2)
    np.testing.assert_array_equal(boolean.values, [1, 0, math.nan])


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["true", "FALSE"], "boolean"),
        (["True", "False"], "boolean"),
        (["yes", "No"], "boolean"),
        (["yes"], "boolean"),
        (["0", "1"], "number"),
        (["y", "n"], "category"),
        (["t", "f"], "category"),
        (["true", "maybe"], "category"),
        (["1", "one", "two"], "category"),
        (["2024-01-01", "2024-01-02"], "date"),
        (["10.0.0.1", "10.0.0.2"], "category"),
        (["?", "NA"], "number"),
    ],
)
def test_words_and_numbers_make_the_type(cells, kind):
    assert read("\n".join(["a", *cells, ""])).columns["a"].type == kind


def test_a_declared_type_wins():
    table = read("zip,flag,n\n01,1,7\n1,0,8\n01,,9\n", types={"zip": "category", "flag": "boolean", "n": "number"})
    assert table.columns["zip"].levels == ("01", "1")
    assert texts(table.columns["zip"]) == ["01", "1", "01"]
    np.testing.assert_array_equal(table.columns["flag"].values, [1, 0, math.nan])
    assert table.columns["flag"].levels == ("0", "1")
    assert table.columns["n"].type == "number"


def test_levels_are_sorted_by_value_if_all_are_numbers_and_by_text_if_not():
    table = read("a,b\n10,10\n9,9\n-1.5,x\n", types={"a": "category", "b": "category"})
    assert table.columns["a"].levels == ("-1.5", "9", "10")
    assert table.columns["b"].levels == ("10", "9", "x")


def test_a_boolean_column_keeps_its_commonest_spelling():
    assert read("a\nyes\nYES\nYES\nNo\n").columns["a"].levels == ("No", "YES")
    assert read("a\nTRUE\n").columns["a"].levels == ("false", "TRUE")
    assert read("a\nNo\n").columns["a"].levels == ("No", "yes")
    assert read("a\n?\n", types={"a": "boolean"}).columns["a"].levels == ("false", "true")


def test_a_column_without_values_is_a_number_that_is_never_present():
    column = read("a,b\n,1\n?,2\n").columns["a"]
    assert (column.type, column.missing, column.distinct, column.whole) == ("number", 2, 0, False)


def test_floats_are_read_to_the_last_digit():
    rng = random.Random(0)
    written = [f"{rng.uniform(-1, 1) * 10.0 ** rng.randint(-300, 300):.16e}" for _ in range(2000)]
    assert read("\n".join(["a,b", *(f"{text},x" for text in written)])).columns["a"].values.tolist() == [
        float(text) for text in written
    ]


def test_integers_of_any_length_are_floats():
    written = ["1234567890123456789012", "9007199254740993", "-3", "007", "18446744073709551615"]
    column = read("\n".join(["a,b", *(f"{text},x" for text in written)])).columns["a"]
    assert column.values.tolist() == [float(text) for text in written]
    assert column.whole


def test_missing_values_are_compared_without_blanks_and_numbers_among_them_by_value():
    table = read("a,b,c\n NA ,' -,-999.0\n1, - ,-999\n2,x,3\n", missing_values=["NA", "-", "-999"])
    assert table.columns["a"].missing == 1
    assert texts(table.columns["b"]) == ["' -", None, "x"]
    np.testing.assert_array_equal(table.columns["c"].values, [math.nan, math.nan, 3])
    assert texts(read("a,b\n-999.0,x\n-999,x\n", missing_values=["-999"], types={"a": "category"}).columns["a"]) == [
        "-999.0",
        None,
    ]


@pytest.mark.parametrize("block", [1, 1 << 22])
def test_a_number_for_a_missing_value_means_the_same_however_the_text_is_cut(block, monkeypatch):
    monkeypatch.setattr(cells, "BLOCK", block)
    table = read("a,b,c\nx,,1\n-999,-999,2\n-999.0,-999.0,-999\ny,,3\n", missing_values=["", "-999"])
    assert texts(table.columns["a"]) == ["x", None, "-999.0", "y"]
    assert (table.columns["b"].missing, table.columns["b"].whole, table.columns["c"].whole) == (4, False, True)


def test_only_the_listed_missing_values_count():
    assert texts(read("a,b\nNA,1\nNone,1\n,1\n", missing_values=["None"]).columns["a"]) == ["NA", None, ""]
    assert "2 of 4 values are not finite numbers: 'nan' (line 2), '-inf' (line 4)" in refusal("a\nnan\n1\n-inf\n2\n")
    assert read("a\ninf\n1\n", missing_values=["inf"]).columns["a"].missing == 1


def test_a_decimal_comma_is_an_option():
    column = read("a;b\n1,5;x\n-2;x\n", delimiter=";", decimal=",").columns["a"]
    assert column.values.tolist() == [1.5, -2]
    assert "1 of 2 values is not a number: '1.5' (line 2)" in refusal("a\n1.5\n2\n", decimal=",")


# --- cells that the type does not allow ---


def test_a_text_among_numbers_is_refused_with_its_line_and_the_ways_out():
    assert refusal("a,b\n1,x\n\nabc,x\n3,x\n") == (
        f"a.csv:4: column `a`: 1 of 3 values is not a number: 'abc' (line 4); correct it, {WAYS_OUT.format('a')}"
    )


def test_five_cells_are_named_and_the_others_counted():
    message = refusal("a\n" + "1\n" * 8 + "x\ny\nx\nz\nw\nv\nu\n")
    assert "7 of 15 values are not numbers: 'x' (line 10), 'y' (line 11), 'x' (line 12), 'z' (line 13), 'w'" in message
    assert "(line 14) and 2 more; correct them" in message


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400"])
def test_a_number_that_is_not_finite_is_refused(cell):
    assert f"a.csv:3: column `a`: 1 of 2 values is not a finite number: '{cell}' (line 3)" in refusal(
        f"a,b\n1,2\n{cell},2"
    )


@pytest.mark.parametrize("cell", ['"1,5"', '"12,880.0"', "$1.50", "-€2", "13.3%", "1 000 000"])
def test_a_column_of_numbers_in_another_notation_does_not_become_a_category(cell):
    assert "2 of 2 values are not numbers" in refusal(f"a,b\n{cell},1\n{cell},2\n")


def test_a_comma_in_a_number_points_to_the_decimal_sign():
    assert refusal("a;b\n1,5;1\n", delimiter=";").endswith(
        "where the comma is the decimal sign, set `data.format.decimal`"
    )


def test_all_columns_are_refused_at_once():
    message = refusal('pm2.5,b\n1,maybe\nx,yes\n"a\nb",2\n3,no\n', types={"pm2.5": "number", "b": "boolean"})
    first, second = message.splitlines()
    assert first.startswith("a.csv:3: column `pm2.5`: 2 of 4 values are not numbers: 'x' (line 3), 'a\\nb' (line 4)")
    assert first.endswith('or declare `data.columns["pm2.5"].type: category`')
    assert second.startswith("a.csv:2: column `b`: 2 of 4 values are neither true or yes nor false or no: 'maybe'")


def test_only_the_asked_columns_are_read_and_judged():
    table = read("a,b,c\n1,x,1\n2,y,oops\n3,z,3\n", only={"b", "nowhere"}, types={"nowhere": "number"})
    assert (list(table.columns), table.rows) == (["b"], 3)


def test_a_long_file_whose_pieces_differ_in_type_is_read_as_a_whole():
    rows, half, long = 60_000, 40_000, "é" * 60  # more than 5 MB, where pandas reads in threads
    written = [str(i) if i < half else "x" for i in range(rows)]
    lines = [f"{i},{text},{'true' if i < half else 'No'},{long}" for i, text in enumerate(written)]
    table = read("\n".join(["a,b,c,d", *lines, ""]), types={"b": "category"})
    assert table.columns["a"].values.tolist() == list(range(rows))
    assert texts(table.columns["b"]) == written
    assert table.columns["c"].values.tolist() == [1] * half + [0] * (rows - half)
    assert table.columns["d"].levels == (long,)
    assert f"{rows - half} of {rows} values are not numbers: 'x' (line {half + 2})" in refusal(
        "\n".join(["a,b,c,d", *lines])
    )


CELL = st.one_of(
    st.sampled_from(["", "?", " NA", "1", "-2.5", "1e3", "yes", "No", "TRUE"]),
    st.text(st.sampled_from(list("ab1,;\"'\n\r\t é\x0b")), max_size=6),
)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1)))
def test_what_is_read_equals_an_independent_reading_cell_for_cell(rows):
    names = [f"c{i}" for i in range(len(rows[0]))]
    stream = io.StringIO(newline="")
    csv.writer(stream, quoting=csv.QUOTE_ALL if len(names) == 1 else csv.QUOTE_MINIMAL).writerows([names, *rows])
    expected = [[None if cell.strip() in MISSING else cell.strip() for cell in row] for row in rows]
    table = read(stream.getvalue(), types=dict.fromkeys(names, "category"))
    assert [list(row) for row in zip(*map(texts, table.columns.values()), strict=True)] == expected
    for name, column in zip(names, zip(*expected, strict=True), strict=True):
        if all(cell is None or cell in ("1", "-2.5", "1e3") for cell in column):
            values = [math.nan if cell is None else float(cell) for cell in column]
            np.testing.assert_array_equal(read(stream.getvalue(), only=[name]).columns[name].values, values)


# --- frames ---


def frame_table(frame, **types) -> Table:
    return table_from_frame(frame, missing_values=MISSING, types=types)


def test_a_data_frame_and_a_dict_make_the_same_table():
    columns = {"n": [1, 2.5, None], "c": ["red", "?", "blue"], "b": [True, False, None], "k": [3.0, math.nan, 10.0]}
    for frame in (columns, pandas.DataFrame(columns), pandas.DataFrame(columns).convert_dtypes()):
        table = frame_table(frame, k="category")
        assert table.rows == 3
        np.testing.assert_array_equal(table.columns["n"].values, [1, 2.5, math.nan])
        assert texts(table.columns["c"]) == ["red", None, "blue"]
        np.testing.assert_array_equal(table.columns["b"].values, [1, 0, math.nan])
        assert texts(table.columns["k"]) == ["3", None, "10"]
        assert table.line(2) == 3


def test_a_frame_is_refused_in_words_of_rows():
    for frame, message in [
        ({"a": np.array([1, math.inf])}, "frame:2: column `a`: 1 of 2 values is not a finite number: 'inf' (row 2)"),
        ({"a": [1], "b": [1, 2]}, "frame: all columns must have the same number of rows, got `a` 1, `b` 2"),
        ({"a": []}, "frame: no data rows"),
        ({}, "frame: no data rows"),
        ({"a": 1}, "frame: column `a` must be a sequence of values, one for each row"),
        ({"a": np.ones((2, 2))}, "frame: column `a` must be a sequence of values, one for each row"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "frame: two columns have the same name; rename one"),
    ]:
        with pytest.raises(DataError) as error:
            frame_table(frame)
        assert str(error.value).startswith(message)


def test_pandas_is_imported_only_when_a_file_is_parsed():
    code = "import sys, nnctl.data.frame, nnctl.data.rows as r; "
    code += "nnctl.data.frame.table_from_frame({'a': [1]}, missing_values=[]); sys.exit('pandas' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(cells.__file__).parents[2])


@pytest.mark.parametrize("block", [8, 1 << 22])
def test_a_byte_order_mark_inside_a_file_is_kept_wherever_it_stands(block, monkeypatch):
    monkeypatch.setattr(cells, "BLOCK", block)
    rows = ["x,1\n", "\ufeffy,2\n", "\ufeff,3\n"]
    for place in range(3):
        written = rows[place:] + rows[:place]
        expected = [row[: row.index(",")] for row in written]
        assert texts(read("a,b\n" + "".join(written)).columns["a"]) == expected
    assert refusal("a,b\n\ufeff7,x\n8,y\n9,z\n").startswith("a.csv:2: column `a`: 1 of 3 values is not a number")
    assert refusal("a,b\n7,x\n\ufeff\n").startswith("a.csv:3: expected 2 fields, found 1")


def test_a_number_that_is_absent_among_numbers_is_a_text_among_texts_of_another_block(monkeypatch):
    monkeypatch.setattr(cells, "BLOCK", 8)
    table = read("a,b,c\nx,1,\ny,2,\nz,2,\n-9.0,-9,-9\n-9.0,-9,-9\n", missing_values=["", "-9"])
    assert texts(table.columns["a"]) == ["x", "y", "z", "-9.0", "-9.0"]
    assert (table.columns["b"].missing, table.columns["b"].whole) == (2, True)
    assert (table.columns["c"].type, table.columns["c"].missing, table.columns["c"].whole) == ("number", 5, False)
