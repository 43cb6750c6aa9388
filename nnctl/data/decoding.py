"""From the bytes of a file to its text: decoded, the line ends made one, the delimiter found."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nnctl.errors import DataError, Place, Problem, SpecError
from nnctl.spec.problems import shown

DELIMITER, ENCODING = "data.format.delimiter", "data.format.encoding"  # the keys of what may be wrong here

_DELIMITERS = ",;\t|"  # those that `auto` knows
_TABS = ("tab", r"\t")  # words for a tab, which is hard to see and to type
_WORDS = {"comma": ",", "semicolon": ";", "bar": "|", "pipe": "|", "space": "' '", "blank": "' '", "tabulator": "tab"}
_NO_DELIMITERS = "\"'\n\r\0"


def separator(delimiter: str) -> str:
    """The character that ``data.format.delimiter`` stands for; ``auto`` stays.

    Raises: SpecError if there is none.
    """
    if delimiter == "auto":
        return delimiter
    found = "\t" if delimiter in _TABS else delimiter
    if len(found) != 1 or not found.isascii() or found.isalnum() or found in _NO_DELIMITERS:
        allowed = "one ASCII character that is no letter, digit, quote or line end, or `tab`, or `auto`"
        meant = _WORDS.get(delimiter.lower())
        hint = f", did you mean `{meant}`?" if meant else ""
        raise SpecError(Problem(f"must be {allowed}, got {shown(delimiter)}{hint}", DELIMITER))
    return found


def guess_delimiter(data: bytes) -> str:
    """The delimiter that the header shows."""
    # A wrong guess does no harm: every line must have as many fields as the header.
    first = re.search(rb"[^\r\n]+", data)
    header = re.sub(rb'"[^"]*"', b"", first[0]) if first else b""
    return max(_DELIMITERS, key=lambda delimiter: header.count(delimiter.encode()))


def codec(encoding: str) -> str:
    """Python's own name of a text encoding.

    Raises: SpecError if there is none of that name, or it is one of bytes (base64) or of texts (rot13).
    """
    try:
        "".encode(encoding)  # refuses what does not lead from text to bytes, which `lookup` takes
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):  # ValueError: a name that holds NUL, or half of a surrogate pair
        message = f"unknown encoding {shown(encoding)}, write one such as `utf-8`, `latin-1`, `cp1252` or `utf-16`"
        raise SpecError(Problem(message, ENCODING)) from None


def decode(path: Path, data: bytes, encoding: str) -> bytes:
    """The text as UTF-8, without a byte order mark.

    Raises: SpecError if there is no such encoding; DataError if the file is not in it, or holds a NUL byte.
    """
    is_utf8 = codec(encoding) == "utf-8"
    data = data.removeprefix(codecs.BOM_UTF8) if is_utf8 else data
    if not (is_utf8 and data.isascii()):  # in two steps: most files are ASCII, and need no second copy
        text = _text(path, data, encoding)
        data = data if is_utf8 else _utf8(path, text.removeprefix("\ufeff"), encoding)
    if b"\0" in data:
        line = _line_at(data, data.index(b"\0"))
        message = "a NUL byte; the file is damaged, or UTF-16 (set `data.format.encoding: utf-16`)"
        raise DataError(in_file(path, message, line))
    return data


def unify_line_ends(data: bytes) -> bytes:
    r"""The text with every line end a \n; as it is where quotes may hold one."""
    if b"\r" not in data or b'"' in data:  # between quotes a line end belongs to the cell
        return data
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def in_file(path: Path, message: str, line: int | None = None) -> Problem:
    """A problem with a file, or with a line of it."""
    return Problem(message, place=Place(str(path), line))


def _text(path: Path, data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            sentence = "the file is UTF-16; set `data.format.encoding: utf-16`"
        else:
            sentence = f"byte 0x{data[error.start]:02x} is not {encoding.upper()}; {_way_out(data)}"
        raise DataError(in_file(path, sentence, _line_at(data, error.start))) from None
    except UnicodeError:  # some codecs do not say where
        raise DataError(in_file(path, f"the file is not {encoding.upper()}; {_way_out(data)}")) from None
    if re.search(rb"[\r\n]", data) and not re.search(r"[\r\n]", text):
        sentence = f"as {encoding.upper()} the file would have no line end; {_way_out(data)}"
        raise DataError(in_file(path, sentence))
    return text


def _utf8(path: Path, text: str, encoding: str) -> bytes:
    try:
        return text.encode()
    except UnicodeError:
        message = f"as {encoding.upper()} the file holds half of a surrogate pair, which is no character"
        raise DataError(in_file(path, message)) from None


def _way_out(data: bytes) -> str:
    """What to do where the file is not in the encoding that is set."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return "set `data.format.encoding` to what the file is written in, such as latin-1 or cp1252"
    return "it is UTF-8: leave out `data.format.encoding`"


def _line_at(data: bytes, position: int) -> int:
    before = data[:position]
    return 1 + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
