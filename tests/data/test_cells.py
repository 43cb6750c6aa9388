"""Opening a CSV file: what is read, and what is refused before any column is looked at."""

from __future__ import annotations

import gzip
import hashlib
import io
from pathlib import Path

import pytest

from nnctl.data import cells, source, text
from nnctl.data.table import read_table
from nnctl.errors import DataError, OutputError, SpecError
from tests.data.helpers import MISSING, read, refusal, texts


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_missing_file_is_named_with_one_that_is_there():
    Path("churn.csv").touch()
    for path, message in [
        ("chrun.csv", "chrun.csv: no such file, did you mean `churn.csv`?"),
        ("zzz.csv", "zzz.csv: no such file"),
        ("no/a.csv", "no/a.csv: no such file: there is no folder `no`"),
        (".", ".: this is a folder; give the path of a CSV file"),
    ]:
        with pytest.raises(DataError) as error:
            read_table(Path(path), missing_values=MISSING)
        assert str(error.value) == message


def test_a_file_that_cannot_be_read_is_named_with_the_reason(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"^a\.csv: the file cannot be read: Permission denied$"):
        read_table(Path("a.csv"), missing_values=MISSING)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", ": the file is empty; it needs a header line and data rows"),
        (b"\n \n\r\n", ": the file is empty; it needs a header line and data rows"),
        (b"a,b\n", ": no data rows: there is only a header line"),
        (b"a,b,c,d\n1,2,3,4\n1,2,3\n", ":3: expected 4 fields, found 3"),
        (b"a,b\r\n\r\n1,2\r\n1,2,3\r\n", ":4: expected 2 fields, found 3"),
        (b'a,b\n"1\n1",2\n1,2,3\n1\n', ":4: expected 2 fields, found 3\na.csv:5: expected 2 fields, found 1"),
        (b"a,b\n1,2,3\n4\n", ":2: expected 2 fields, found 3\na.csv:3: expected 2 fields, found 1"),
        (b"a\n1,2\n", ":2: expected 1 field, found 2"),
        (b'a,b\n1,2\n"x\ny",3\n1,"2\n3,4\n', ":5: unclosed quote; close it, or double it if it is part of the text"),
        (b'a,b\n1,"', ":2: unclosed quote; close it, or double it if it is part of the text"),
        (b'a\n1\n"', ":3: unclosed quote; close it, or double it if it is part of the text"),
        (b"a,b\n1,\0\n", ":2: a NUL byte; the file is damaged, or UTF-16 (set `data.format.encoding: utf-16`)"),
        ("a\n1".encode("utf-16"), ":1: the file is UTF-16; set `data.format.encoding: utf-16`"),
        (b"b,a,a,c,a\n", ":1: duplicate column `a`: columns 2, 3 and 5; rename all but one"),
        (b"\n a,a \n1,2\n", ":2: duplicate column `a`: columns 1 and 2; rename all but one"),
        (b"a,,c\n1,,2\n1,5,2\n", ":3: column 2 has no name, but has values; name it in the header"),
        (
            b"a,b\n1,\xe9\n",
            ":2: byte 0xe9 is not UTF-8; set `data.format.encoding` to what the file is written in, "
            "such as latin-1 or cp1252",
        ),
        (
            b"PK\x03\x04",
            ": this is a zip archive (as every .xlsx file is), not text; unpack it, or export the sheet as CSV",
        ),
        (b"\x1f\x8b\x08", ": this is gzip data in a file that is not called `.gz`; rename it, or unpack it"),
    ],
)
def test_a_broken_file_is_refused(content, message):
    assert refusal(content) == f"a.csv{message}"


def test_a_broken_gzip_file_is_refused():
    packed = gzip.compress(b"a,b\n1,2\n")
    assert refusal(packed[:-3], "a.csv.gz").startswith("a.csv.gz: this is not a whole gzip file (")
    assert refusal(b"a,b\n1,2\n", "a.csv.gz").startswith("a.csv.gz: this is not a whole gzip file (")


def test_many_lines_of_a_wrong_width_are_counted():
    lines = refusal("a,b\n" + "1\n" * 9).splitlines()
    assert lines[4:] == ["a.csv:6: expected 2 fields, found 1", "a.csv:7: and 4 more of such lines"]


def test_a_quote_that_swallows_the_rest_of_a_long_file_is_found():
    message = refusal('a,b\n1,2\n1,"2\n' + "1,2\n" * 50_000)
    assert message == "a.csv:3: a cell of more than 131072 characters; is its closing quote missing?"


def test_an_unknown_encoding_is_a_fault_of_the_yaml():
    with pytest.raises(SpecError, match="unknown encoding `utf-88`"):
        read("a\n1\n", encoding="utf-88")


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa,b\n1,x\n2,y\n",
        b"a,b\r\n1,x\r\n2,y\r\n",
        b"a,b\r1,x\r2,y\r",
        b"a,b\r\n1,x\n2,y",
        b"\n a , b \n\n1,x\n \t\n2,y\n\n\n",
        b'"a","b"\n"1","x"\n"2","y"\n',
        b'a, b\n1, "x"\n2 ,y \n',
        b'a,b\r1,"x"\r\r2,y\r',
        b"a,b,\n1,x,\n2,y,\n",
    ],
)
def test_harmless_variants_read_the_same(content):
    table = read(content)
    assert list(table.columns) == ["a", "b"]
    assert table.columns["a"].values.tolist() == [1, 2]
    assert texts(table.columns["b"]) == ["x", "y"]


def test_an_empty_first_cell_after_a_bare_return_is_kept():
    assert texts(read('a,b,c\r\r,x,"y"\rz,x,y\r').columns["a"]) == [None, "z"]


def test_encodings_and_gzip_read_the_same():
    plain = read("a,b\né,1\n").columns["a"].levels
    assert plain == read("a,b\né,1\n".encode("latin-1"), encoding="latin-1").columns["a"].levels == ("é",)
    assert plain == read("a,b\né,1\n".encode("utf-16"), encoding="utf-16").columns["a"].levels
    assert plain == read(gzip.compress("a,b\né,1\n".encode()), "a.csv.gz").columns["a"].levels


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", " "])
def test_the_delimiter_is_an_option(delimiter):
    table = read(f'a{delimiter}b\n1{delimiter}"x{delimiter}y"\n', delimiter=delimiter)
    assert texts(table.columns["b"]) == [f"x{delimiter}y"]
    if delimiter != " ":
        assert list(read(f'"a, b"{delimiter}c\n1{delimiter}x\n', delimiter="auto").columns) == ["a, b", "c"]


def test_lines_count_blank_lines_and_newlines_in_quotes():
    table = read('a,b\n\n1,"x\ny\nz"\n\n2,y\n3,z\n')
    assert [table.line(row) for row in range(3)] == [3, 7, 8]


def test_a_file_that_changes_is_not_read_silently(monkeypatch):
    table = read("a,b\n1,2\n")
    Path("a.csv").write_text("a,b\n\n1,2\n")
    with pytest.raises(DataError, match=r"a\.csv: the file changed while it was read"):
        table.line(0)
    stamps = iter(range(9))
    monkeypatch.setattr(source, "stamp_of", lambda status: (next(stamps),))
    assert "a.csv: the file changed while it was read" in refusal("a,b\n1,2\n")


@pytest.mark.parametrize("call", ["os.write", "tempfile.mkstemp"])
def test_a_disk_without_room_for_the_text_is_named(call, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(text, "HELD", 0)
    monkeypatch.setattr(call, refuse)
    with pytest.raises(OutputError, match=r"No space left on device"):
        read(gzip.compress(b"a,b\n1,2\n"), "a.csv.gz")


def test_the_digest_is_that_of_the_bytes_on_the_disk():
    packed = gzip.compress(b"a\n1\n")
    assert read(packed, "a.csv.gz").sha256 == hashlib.sha256(packed).hexdigest()


def test_standard_input_is_read_once(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a,b\n1,x\n\n2,y\n")))
    table = read_table(source.STDIN, missing_values=MISSING)
    assert (str(table.path), table.columns["a"].values.tolist(), table.line(1)) == ("standard input", [1, 2], 4)


@pytest.mark.parametrize("block", [1, 7, 64])
def test_lines_are_counted_alike_however_the_text_is_cut(block, monkeypatch):
    monkeypatch.setattr(cells, "PIECE", block)
    monkeypatch.setattr(cells, "BLOCK", 3 * block)
    assert read("a,b\n" + "10,200\n\n" * 50 + "1,2").rows == 51
    assert refusal("a,b\n" + "10,200\n" * 50 + "1").startswith("a.csv:52: expected 2 fields, found 1")


@pytest.mark.parametrize("delimiter", ["comma", "ab", "", "\n", "\r", "\0", "é", "x", "7", '"', "'"])
def test_a_delimiter_that_cannot_be_one_is_refused(delimiter):
    with pytest.raises(SpecError) as error:
        read("a,b\n1,2\n", delimiter=delimiter)
    (problem,) = error.value.problems
    assert problem.key == "data.format.delimiter"
    assert problem.message.startswith("must be one ASCII character")


@pytest.mark.parametrize("delimiter", ["tab", r"\t", "\t", "auto"])
def test_a_tab_may_be_written_as_a_word(delimiter):
    assert list(read("a\tb\n1\t2\n", delimiter=delimiter).columns) == ["a", "b"]


@pytest.mark.parametrize("delimiter", [*"!#$%&()*/:<>?@\\^_`{}~+-.=[]; |", "\x01", "\x1f"])
def test_any_other_ascii_character_may_separate(delimiter):
    table = read(f"a{delimiter}b\nq{delimiter}w\ne{delimiter}r\n", delimiter=delimiter)
    assert texts(table.columns["b"]) == ["w", "r"]


@pytest.mark.parametrize("encoding", ["rot13", "base64", "hex", "bz2", "klingon", "", "\0", "\ud800", "é"])
def test_an_encoding_that_is_none_of_text_is_refused(encoding):
    with pytest.raises(SpecError) as error:
        read("a,b\n1,2\n", encoding=encoding)
    (problem,) = error.value.problems
    assert problem.key == "data.format.encoding"
    assert problem.message.startswith("unknown encoding")


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b\n1,2\n3,é\n", "a,ä\r\n1,2\r\n"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "cp037", "punycode", "idna", "utf-7"])
def test_a_wrong_encoding_of_a_plain_file_is_named(encoding, text):
    if encoding == "cp037":  # its \\r is that of ASCII, its \\n is not
        text = text.replace("\r", "")
    if encoding in ("idna", "utf-7", "punycode"):  # they read some ASCII
        text = text.replace("b", "é")
    message = refusal(text, encoding=encoding)
    assert encoding.upper() in message
    assert message.endswith("; it is UTF-8: leave out `data.format.encoding`")


@pytest.mark.parametrize("block", [1, 2, 3, 1 << 22])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be", "utf-32"])
def test_what_cannot_be_decoded_is_found_on_its_line(encoding, block, monkeypatch):
    monkeypatch.setattr(cells, "BLOCK", block)
    good = "ਊ,Ċ\r\n1,2\r\n\r3,".encode(encoding)  # in UTF-16 both letters have a byte that is \n in ASCII
    wrong = {"utf-8": b"\xff", "utf-16": b"\x00\xdc", "utf-16-be": b"\xdc\x00", "utf-32": b"\xff" * 4}[encoding]
    assert f"a.csv:4: byte 0x{wrong[0]:02x} is not {encoding.upper()}" in refusal(good + wrong * 2, encoding=encoding)
    nul = "\0".encode(encoding)[-4 if encoding == "utf-32" else -2 :]
    assert refusal(good + nul, encoding=encoding).startswith("a.csv:4: a NUL byte")


def test_half_a_surrogate_pair_is_no_text():
    message = refusal(b"a,b\n1,\\ud800\n", encoding="raw_unicode_escape")
    assert message.startswith("a.csv: as RAW_UNICODE_ESCAPE the file holds half of a surrogate pair")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_shows_its_order(encoding):
    plain = "a,b\né,1\n緑,2\n"
    assert read(plain.encode(encoding), encoding="utf-16").columns["a"].levels == ("é", "緑")


def test_utf_32_is_called_by_its_name():
    for encoding in ("utf-8", "utf-16"):
        message = refusal("a,b\n1,2\n".encode("utf-32"), encoding=encoding)
        assert message == "a.csv:1: the file is UTF-32; set `data.format.encoding: utf-32`"
    assert read("a,b\n1,2\n".encode("utf-32"), encoding="utf-32").rows == 1


def test_utf_16_that_is_cut_off_is_not_called_something_else():
    assert refusal("a,b\n1,2\n".encode("utf-16")[:-1], encoding="utf-16") == (
        "a.csv:2: the file ends within a letter: it is not whole"
    )


@pytest.mark.parametrize("block", [8, 10, 12, 14, 1 << 22])
def test_lines_of_utf_16_are_counted_through_pieces(block, monkeypatch):
    monkeypatch.setattr(cells, "BLOCK", block)
    content = "a,b\r\n1,x\r\n3,y\r\n5,\u0a0d\r\n6,z\r\n"  # \u0a0d holds the bytes of \r and \n
    assert read(content.encode("utf-16"), encoding="utf-16").line(3) == 5
    assert refusal((content + "8,\0").encode("utf-16"), encoding="utf-16").startswith("a.csv:6: a NUL byte")
    damaged = content.encode("utf-16") + b"\0\xdc,\0"
    assert refusal(damaged, encoding="utf-16").startswith("a.csv:6: byte 0x00 is not UTF-16")
    assert refusal(content.encode() + b"8,\0", encoding="utf-8").startswith("a.csv:6: a NUL byte")
    assert refusal(content.encode() + b"8,\xff", encoding="utf-8").startswith("a.csv:6: byte 0xff")
