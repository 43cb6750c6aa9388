"""From the bytes of a file to its text: decoded, the line ends made one, the delimiter found."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nnctl.data.wording import in_file
from nnctl.errors import DataError, Problem, SpecError
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
    first = re.search(rb"[^\s][^\r\n]*", data)
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


class Decoder:
    """Turns the bytes of a file, piece by piece, into UTF-8 without a byte order mark."""

    def __init__(self, path: Path, encoding: str) -> None:
        self._name = codec(encoding)
        self.is_utf8 = self._name == "utf-8"
        self.skipped = 0  # bytes of a mark in UTF-8
        self._path, self._encoding = path, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._line = 1  # where the next piece begins
        self._first: bytes | None = None
        self._returned = self._ends = self._ends_in_text = False

    def decode(self, piece: bytes, *, last: bool = False) -> bytes:
        """The text of a piece; what is not whole in it comes with the next one.

        Raises: DataError if the file is not in its encoding, or holds a NUL byte.
        """
        first = self._first is None
        if first:
            self._first = piece
        if first and self.is_utf8 and piece.startswith(codecs.BOM_UTF8):
            self.skipped = len(codecs.BOM_UTF8)
            piece = piece[self.skipped :]
        text = self._text(piece, first=first, last=last)
        if b"\0" in text:
            line = self._line_after(text[: text.index(b"\0")])
            message = "a NUL byte; the file is damaged, or UTF-16 (set `data.format.encoding: utf-16`)"
            raise DataError(in_file(self._path, message, line))
        self._line = self._line_after(text)
        self._returned = text.endswith(b"\r") if text else self._returned
        if last and self._ends and not self._ends_in_text:
            message = f"as {self._encoding.upper()} the file would have no line end; {_way_out(self._first or b'')}"
            raise DataError(in_file(self._path, message))
        return text

    def _text(self, piece: bytes, *, first: bool, last: bool) -> bytes:
        if self.is_utf8 and piece.isascii() and not self._decoder.getstate()[0]:
            return piece  # most files are ASCII
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(piece, last)
        except UnicodeDecodeError as error:
            raise DataError(self._undecodable(error, piece, state, first=first)) from None
        except UnicodeError:  # some codecs do not say where
            message = f"the file is not {self._encoding.upper()}; {_way_out(piece)}"
            raise DataError(in_file(self._path, message)) from None
        if self.is_utf8:
            return piece  # a letter may be cut at its end: whoever cuts at line ends cuts between letters
        self._ends |= bool(re.search(rb"[\r\n]", piece))
        self._ends_in_text |= bool(re.search(r"[\r\n]", text))
        try:
            return (text.removeprefix("\ufeff") if first else text).encode()
        except UnicodeError:
            message = f"as {self._encoding.upper()} the file holds half of a surrogate pair, which is no character"
            raise DataError(in_file(self._path, message)) from None

    def _line_after(self, text: bytes) -> int:
        """The line that a text ends on which follows what was decoded."""
        return self._line + line_ends(text) - (self._returned and text.startswith(b"\n"))

    def _undecodable(
        self, error: UnicodeDecodeError, piece: bytes, state: tuple[bytes, int], *, first: bool
    ) -> Problem:
        before = len(error.object) - len(piece)  # what an earlier piece left over
        line = self._line_of(piece[: max(0, error.start - before)], state)
        wide = self._name.startswith(("utf-16", "utf-32"))
        if first and not wide and piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return in_file(self._path, "the file is UTF-16; set `data.format.encoding: utf-16`", line)
        byte = error.object[error.start]
        return in_file(self._path, f"byte 0x{byte:02x} is not {self._encoding.upper()}; {_way_out(piece)}", line)

    def _line_of(self, good: bytes, state: tuple[bytes, int]) -> int | None:
        """The line of what follows good bytes in the piece that the decoder met in this state."""
        self._decoder.setstate(state)
        try:
            return self._line_after(self._decoder.decode(good).encode())
        except UnicodeError:  # of a codec that does not work letter by letter, as punycode
            return None


def unify_line_ends(text: bytes) -> bytes:
    r"""A text without quotes with every line end a \n."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def line_ends(text: bytes) -> int:
    """The number of line ends of any kind."""
    found = text.count(b"\n")
    return found + text.count(b"\r") - text.count(b"\r\n") if b"\r" in text else found


def _way_out(piece: bytes) -> str:
    """What to do where the file is not in the encoding that is set."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError:
        return "set `data.format.encoding` to what the file is written in, such as latin-1 or cp1252"
    return "it is UTF-8: leave out `data.format.encoding`"
