"""Files that are not the table they are called: empty, packed, of another encoding, with lines that are no rows."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest

from tests.data.dirty.clean import COUNT, LAST, ROWS, changed, text, with_column, zipped
from tests.data.dirty.conftest import Desk

CLEAN = text()
LINES = CLEAN.splitlines()
BOM = "\ufeff"


# --- nothing to read ---


@pytest.mark.parametrize("content", ["", "\n", "\n\n\n", "\r\n\r\n", "\r\r", " \n\t\n", BOM, f"{BOM}\n\n"])
def test_file_without_a_line_is_empty(desk: Desk, content: str) -> None:
    assert desk.refusal(content) == "t.csv: the file is empty; it needs a header line and data rows"
    for pack, name in ((gzip.compress, "t.csv.gz"), (zipped, "t.zip")):
        assert desk.refusal(pack(content.encode()), name=name).startswith(f"{name}: the file is empty")


@pytest.mark.parametrize(
    "content", ["a,b,color,y", "a,b,color,y\n", "a,b,color,y\r\n\r\n", f'{BOM}\n"a","b","y"\n\n\n']
)
def test_header_alone_is_no_table(desk: Desk, content: str) -> None:
    assert desk.refusal(content) == "t.csv: no data rows: there is only a header line"


def test_one_row_cannot_be_split(desk: Desk) -> None:
    message = desk.refusal(text(ROWS[:1]), "data.split=auto")
    assert "`y` has one class, `no`" in message or "`y` has one class, `yes`" in message
    assert "1 row is too few to split" in message
    assert "1 row cannot give 1 for validation" in desk.refusal(
        "a,y\n1,2.5\n", "data.split=auto", "data.task=regression"
    )


def test_one_column_leaves_no_features(desk: Desk) -> None:
    assert "t.csv has no feature columns: only the target is left" in desk.refusal("y\n" + "yes\nno\n" * 20)
    assert "t.csv has no column `y`, allowed: `x`" in desk.refusal("x\n1\n2\n")


def test_ten_thousand_columns_are_columns(desk: Desk) -> None:
    names, cells = [f"x{i}" for i in range(10_000)], [str(i % 7) for i in range(10_000)]
    rows = [[*cells[shift:], *cells[:shift], "yes" if shift % 2 else "no"] for shift in range(4)]
    assert desk.refusal(text([*rows[:3], rows[3][1:]], [*names, "y"])) == "t.csv:5: expected 10001 fields, found 10000"


def test_long_line_is_a_line(desk: Desk) -> None:
    assert desk.train(text(changed(LAST, "color", "x" * 100_000))).metrics["train_accuracy"] > 0.95


# --- what is no text ---


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (zipped(CLEAN.encode()), "a zip archive (as every .xlsx file is), not text"),
        (gzip.compress(CLEAN.encode()), "gzip data in a file that is not called `.gz`"),
        (bz2.compress(CLEAN.encode()), "bzip2 data in a file that is not called `.bz2`"),
        (lzma.compress(CLEAN.encode()), "xz data in a file that is not called `.xz`"),
        (b"PAR1" + bytes(20), "a parquet file, not text"),
        (b"\xd0\xcf\x11\xe0" + bytes(20), "an Excel workbook, not text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_packed_or_binary_file_is_called_by_its_name(desk: Desk, content: bytes, says: str) -> None:
    assert desk.refusal(content).startswith(f"t.csv: this is {says}")


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n\0\0",
        b"\x28\xb5\x2f\xfd\0\1",
        b"SQLite format 3\0",
        b"\x80\x04\x95\x1c",
        b"%PDF-1.4\n%\xe2\xe3",
    ],
)
def test_other_binary_file_is_not_decoded(desk: Desk, content: bytes) -> None:
    message = desk.refusal(content)
    assert message.startswith(("t.csv:1: ", "t.csv:2: "))
    assert "is not UTF-8" in message or "a NUL byte" in message


@pytest.mark.parametrize(
    "pack", [(gzip.compress, ".gz"), (bz2.compress, ".bz2"), (lzma.compress, ".xz"), (zipped, ".zip")]
)
def test_packed_file_that_is_cut_off_is_refused(desk: Desk, pack: tuple) -> None:
    packed, name = pack[0](CLEAN.encode()), f"t.csv{pack[1]}"
    for content in (packed[: len(packed) // 2], packed[:-1], CLEAN.encode(), b""):
        assert desk.refusal(content, name=name).startswith(f"{name}: ")


def test_packed_file_with_damage_inside_is_refused(desk: Desk) -> None:
    packed = bytearray(gzip.compress(CLEAN.encode()))
    packed[len(packed) // 2] ^= 0xFF
    assert desk.refusal(bytes(packed), name="t.csv.gz").startswith("t.csv.gz: this is not a whole gzip file")


def test_gzip_file_of_several_pieces_is_one(desk: Desk) -> None:
    half = len(CLEAN) // 2
    desk.is_clean(gzip.compress(CLEAN[:half].encode()) + gzip.compress(CLEAN[half:].encode()), name="t.csv.gz")


def test_archive_of_several_files_names_them(desk: Desk) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.csv", CLEAN)
        archive.writestr("__MACOSX/._one.csv", "x")
    message = desk.refusal(packed.getvalue(), name="t.zip")
    assert message.startswith("t.zip: holds 2 files: `one.csv`, `__MACOSX/._one.csv`")


# --- encodings ---


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_that_is_not_declared_is_named(desk: Desk, encoding: str) -> None:
    message = desk.refusal(CLEAN.encode(encoding))
    assert message.startswith("t.csv:1: ")
    assert "UTF-16" in message
    assert "`data.format.encoding: utf-16`" in message


def test_big_endian_mark_is_heeded(desk: Desk) -> None:
    desk.is_clean(b"\xfe\xff" + CLEAN.encode("utf-16-be"), "data.format.encoding=utf-16")


@pytest.mark.parametrize(("encoding", "letter"), [("latin-1", "0xe9"), ("cp1252", "0xe9"), ("cp437", "0x82")])
@pytest.mark.parametrize("row", [0, COUNT - 1])
def test_byte_that_is_not_utf_8_is_named_with_the_way_out(desk: Desk, encoding: str, letter: str, row: int) -> None:
    rows = changed(row, "color", "café")
    message = desk.refusal(text(rows).encode(encoding))
    assert message.startswith(f"t.csv:{row + 2}: byte {letter} is not UTF-8; set `data.format.encoding`")
    plain = desk.train(text(rows)).metrics
    assert desk.train(text(rows).encode(encoding), f"data.format.encoding={encoding}").metrics == plain


def test_wrong_encoding_of_a_plain_file_is_named(desk: Desk) -> None:
    content = text(changed(3, "color", "café")).encode()
    assert "it is UTF-8: leave out `data.format.encoding`" in desk.refusal(content, "data.format.encoding=utf-16")
    assert desk.refusal(content, "data.format.encoding=ascii").startswith("t.csv:5: byte 0xc3")


def test_letters_of_any_script_are_letters(desk: Desk) -> None:
    words = {"blue": "красный", "green": "緑", "red": "😀"}  # in the same order
    desk.is_clean(text(with_column("color", lambda _, cell: words[cell])))


# --- delimiters and line ends ---


@pytest.mark.parametrize("delimiter", [":", " ", "\x01", "~"])
def test_delimiter_that_is_not_found_shows_in_the_column_that_is(desk: Desk, delimiter: str) -> None:
    message = desk.refusal(text(delimiter=delimiter))
    assert "t.csv has no column `y`" in message
    assert repr(f"a{delimiter}b")[1:-1] in message
    assert f": 1 column; if `{repr(delimiter)[1:-1]}` is the delimiter, set `data.format.delimiter`" in message


def test_delimiter_that_is_declared_wins(desk: Desk) -> None:
    assert "allowed: `a,b,color,y`" in desk.refusal(CLEAN, 'data.format.delimiter=";"')


@pytest.mark.parametrize("end", ["\n\r", "\r\r", "\n\n\n", "\r\n\n"])
def test_lines_may_end_in_any_way(desk: Desk, end: str) -> None:
    desk.is_clean(text(end=end))


def test_line_ends_may_be_mixed(desk: Desk) -> None:
    ends = ["\n", "\r\n", "\r", "\n\n"]
    desk.is_clean("".join(line + ends[place % 4] for place, line in enumerate(LINES)))


@pytest.mark.parametrize("end", ["\x0b", "\x85", "\u2028"])
def test_other_line_ends_are_none(desk: Desk, end: str) -> None:
    assert desk.refusal(text(end=end)).startswith("t.csv")


# --- lines that are no rows ---


def test_delimiter_behind_every_line_is_no_column(desk: Desk) -> None:
    for tail in (",", ",,", ", ,"):
        desk.is_clean("".join(f"{line}{tail}\n" for line in LINES))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("\n".join([LINES[0] + ",", *LINES[1:]]), "t.csv:2: expected 5 fields, found 4"),
        ("\n".join([LINES[0], *(line + "," for line in LINES[1:])]), "t.csv:2: expected 4 fields, found 5"),
        ("\n".join([LINES[0], *(f"9,{line}" for line in LINES[1:])]), "t.csv:2: expected 4 fields, found 5"),
        ("\n".join([LINES[0], *(line[2:] + "," for line in LINES[1:])]), "t.csv:2: expected 4 fields, found 5"),
        (CLEAN + "Total\n", "t.csv:122: expected 4 fields, found 1"),
        (CLEAN + "\x1a", "t.csv:122: expected 4 fields, found 1"),
        (CLEAN + "1,2,red", "t.csv:122: expected 4 fields, found 3"),
        (CLEAN + "# end\n", "t.csv:122: expected 4 fields, found 1"),
    ],
)
def test_line_of_another_width_is_refused(desk: Desk, content: str, says: str) -> None:
    message = desk.refusal(content)
    assert message.startswith(says)
    assert len(message) < 500


def test_table_written_twice_shows_its_second_header(desk: Desk) -> None:
    for second in (CLEAN, BOM + CLEAN):
        message = desk.refusal(CLEAN + second)
        assert message.startswith("t.csv:122: ")
        assert "`b`" in message
        assert "'b' (line 122)" in message


@pytest.mark.parametrize("mark", ["", BOM])
def test_second_header_between_texts_is_refused(desk: Desk, mark: str) -> None:
    content = f"{mark}p,q,y\n" + "red,x,no\nblue,z,yes\n" * 20
    assert desk.refusal(content + content) == (
        "t.csv:42: this line is the header again; if two files were put together, delete it"
    )
    assert desk.train(content + "p,z,no\n").metrics["train_accuracy"] > 0.95


@pytest.mark.parametrize("above", ["Sales report\n\n", "# exported 2024\n", "sep=,\n", "Report\nof 2024\n", "#,x\n"])
def test_line_above_the_header_is_not_the_header(desk: Desk, above: str) -> None:
    message = desk.refusal(above + CLEAN)
    first = above.split("\n")[0].rstrip(",")
    assert message.startswith(f"t.csv:1: the first line, `{first}")
    assert "delete what stands before the names of the columns" in message
    assert "is taken for the header" not in desk.refusal("".join([LINES[0], ",\n", *(f"{row}\n" for row in LINES[1:])]))


def test_totals_behind_the_rows_are_refused_or_counted(desk: Desk) -> None:
    assert "'Total' (line 122)" in desk.refusal(CLEAN + "Total,12.5,,\n")
    run = desk.train(CLEAN + "9,12.5,,\n")
    assert run.metrics == desk.clean
    assert "t.csv: 1 of 121 rows have no `y`" in (Path(run.path) / "log.txt").read_text()


def test_header_of_all_names_is_needed(desk: Desk) -> None:
    message = desk.refusal("".join(f"{line}\n" for line in LINES[1:]))
    assert "has no column `y`" in message
    assert all(f"`{cell}`" in message for cell in ROWS[0])
