"""Rows as text: read and written again."""

from __future__ import annotations

import csv
import io
import os
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.cells import open_csv
from nnctl.data.rows import STDIN, STDOUT, as_lines, check_target, lines_of, read_rows, rows_of, write_rows
from nnctl.errors import DataError, OutputError


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


CELL = st.text(st.sampled_from(list("ab1,;\"'\n\r\t é\x0b")), max_size=6)


@given(st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1)))
def test_what_is_written_is_read_again_cell_for_cell(rows):
    header = [f"c{i}" for i in range(len(rows[0]))]
    write_rows(Path("a.csv"), header, rows)
    with Path("a.csv").open(newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [header, *rows]
    if not any(cell.startswith(" ") for row in rows for cell in row):
        assert read_rows(Path("a.csv")) == (header, rows)


PLAIN = st.text(st.sampled_from(list("ab1.; \t'\x0b\x85é")), max_size=5)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n \n\t\n"])


@given(
    st.integers(1, 3).flatmap(lambda width: st.lists(st.lists(PLAIN | CELL, min_size=width, max_size=width))),
    st.sampled_from([",", ";", "\t"]),
    ENDS,
    st.booleans(),
    st.booleans(),
)
def test_lines_are_what_the_csv_module_makes_of_the_cells(rows, delimiter, end, plain, whole):
    """Where no quotes are at work, they are the very lines of the file."""
    if plain:
        unwanted = f'"\r\n{delimiter}'
        rows = [[cell.translate(dict.fromkeys(map(ord, unwanted))) for cell in row] for row in rows]
    lines = as_lines(rows, delimiter)
    text = delimiter.join(f"c{i}" for i in range(len(rows[0]) if rows else 1)) + end + end.join(lines)
    Path("a.csv").write_bytes((text + end * whole).encode())
    try:
        file = open_csv(Path("a.csv"), delimiter=delimiter if delimiter != "\t" else "tab")
    except DataError:
        return
    assert list(chain.from_iterable(lines_of(file))) == as_lines(rows_of(file), delimiter)


def test_cells_are_kept_as_they_were_written():
    Path("a.csv").write_bytes(b'\xef\xbb\xbf"x", y\r\n\r\n007, two\r\n1.50,"a\r\nb"\r\n')
    header, rows = read_rows(Path("a.csv"))
    assert (header, rows) == (["x", "y"], [["007", " two"], ["1.50", "a\r\nb"]])
    write_rows(Path("b.csv"), [*header, "prediction"], [[*row, "yes"] for row in rows])
    assert Path("b.csv").read_bytes() == b'x,y,prediction\n007, two,yes\n1.50,"a\r\nb",yes\n'


def test_a_blank_before_a_quote_belongs_to_neither_cell():
    Path("a.csv").write_text('x, y\n1, "a, b"\n')
    assert read_rows(Path("a.csv")) == (["x", "y"], [["1", "a, b"]])


def test_a_broken_file_is_refused_as_a_table_is():
    Path("a.csv").write_text("x,y\n1\n")
    with pytest.raises(DataError, match=r"a\.csv:2: expected 2 fields, found 1"):
        read_rows(Path("a.csv"))


def test_delimiter_and_encoding_are_options():
    Path("a.csv").write_bytes("x;y\né;1,5\n".encode("latin-1"))
    assert read_rows(Path("a.csv"), delimiter=";", encoding="latin-1") == (["x", "y"], [["é", "1,5"]])
    write_rows(Path("b.csv"), ["x", "y"], [["é", "1;5"]], delimiter=";")
    assert Path("b.csv").read_text(encoding="utf-8") == 'x;y\né;"1;5"\n'


def test_a_dash_is_standard_input_and_output(monkeypatch, capfdbinary):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x,y\n1,2\n")))
    check_target(STDOUT, STDIN)
    write_rows(STDOUT, *read_rows(STDIN))
    assert capfdbinary.readouterr().out == b"x,y\n1,2\n"


def test_the_input_is_never_overwritten():
    Path("a.csv").write_text("x,y\n1,2\n")
    Path("link.csv").symlink_to("a.csv")
    for target in ("a.csv", "./a.csv", "link.csv"):
        with pytest.raises(DataError, match="the input would be overwritten; choose another output file"):
            check_target(Path(target), Path("a.csv"))
    Path("b.csv").touch()
    for target in ("b.csv", "new.csv", "/dev/null", "-"):
        check_target(Path(target), Path("a.csv"))


def test_the_input_is_known_behind_standard_input_and_output(monkeypatch):
    Path("a.csv").write_text("x,y\n1,2\n")
    os.link("a.csv", "same.csv")
    with Path("a.csv").open("a+") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        monkeypatch.setattr("sys.stdout", stream)
        for target, source in (("same.csv", "-"), ("-", "same.csv"), ("-", "-")):
            with pytest.raises(DataError, match="the input would be overwritten"):
                check_target(Path(target), Path(source))


def test_a_failure_leaves_the_old_file_and_nothing_else():
    Path("b.csv").write_text("old")

    def rows():
        yield ["1"]
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError) as error:
        write_rows(Path("b.csv"), ["x"], rows())
    assert str(error.value) == "b.csv: the file cannot be written: No space left on device"
    assert error.value.exit_code == 74
    assert Path("b.csv").read_text() == "old"
    assert os.listdir() == ["b.csv"]


@pytest.mark.parametrize("target", ["nowhere/b.csv", "."])
def test_a_target_that_cannot_be_a_file_is_an_output_error(target):
    with pytest.raises(OutputError, match="the file cannot be written: "):
        write_rows(Path(target), ["x"], [["1"]])


def test_a_link_stays_a_link_and_the_file_behind_it_is_replaced():
    Path("real.csv").write_text("old")
    Path("link.csv").symlink_to("real.csv")
    write_rows(Path("link.csv"), ["x"], [["1"]])
    assert Path("link.csv").is_symlink()
    assert Path("real.csv").read_text() == "x\n1\n"


def test_a_new_file_has_the_permissions_of_any_new_file():
    Path("other").touch()
    write_rows(Path("b.csv"), ["x"], [["1"]])
    assert Path("b.csv").stat().st_mode == Path("other").stat().st_mode


def test_a_device_is_written_to_and_not_replaced():
    write_rows(Path("/dev/null"), ["x"], [["1"]])
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blank_before_a_quote_belongs_to_no_cell_on_any_line(end):
    Path("in.csv").write_bytes(end.join(["a,b", ' "x, y",1', '2, "z"', "  3,4", ""]).encode())
    assert read_rows(Path("in.csv")) == (["a", "b"], [["x, y", "1"], ["2", "z"], ["3", "4"]])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_blanks_inside_of_quotes_make_no_difference_to_other_cells(end):
    Path("in.csv").write_bytes(f'a,b{end}  1,"of{end} "{end}  2,3{end}'.encode())
    assert read_rows(Path("in.csv")) == (["a", "b"], [["  1", f"of{end} "], ["  2", "3"]])
