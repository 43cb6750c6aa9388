"""From the bytes of a file to its text: decoded, the line ends made one, the delimiter found."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from nnctl.data.counting import line_ends as line_ends
from nnctl.data.wording import in_file
from nnctl.errors import DataError, Problem, SpecError
from nnctl.spec.problems import shown

DELIMITER, ENCODING = "data.format.delimiter", "data.format.encoding"  # the keys of what may be wrong here

_DELIMITERS = ",;\t|"  # those that `auto` knows
_TABS = ("tab", r"\t")  # words for a tab, which is hard to see and to type
_WORDS = {"comma": ",", "semicolon": ";", "bar": "|", "pipe": "|", "space": "' '", "blank": "' '", "tabulator": "tab"}
_WIDE = {  # how files in an encoding begin that takes more than one byte for every letter
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),  # first: the mark of the other one begins alike
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
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
        self.is_utf8 = codec(encoding) == "utf-8"
        self.skipped = 0  # bytes of a mark in UTF-8
        self._path, self._encoding = path, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._lines = _Lines()
        self._first: bytes | None = None
        self._ends = self._ends_in_text = False

    def decode(self, piece: bytes, *, last: bool = False) -> bytes:
        """The text of a piece; what is not whole in it comes with the next one.

        Raises: DataError if the file is not in its encoding, or holds a NUL byte.
        """
        first = self._first is None
        if self._first is None:
            self._first = piece
            self._decoder = codecs.getincrementaldecoder(_byte_order(self._encoding, piece))()
        if first and self.is_utf8 and piece.startswith(codecs.BOM_UTF8):
            self.skipped = len(codecs.BOM_UTF8)
            piece = piece[self.skipped :]
        text = self._text(piece, first=first, last=last)
        if b"\0" in text:
            raise DataError(in_file(self._path, self._nul(), self._lines.after(text[: text.index(b"\0")])))
        self._lines.pass_by(text)
        if last and self._ends and not self._ends_in_text:
            message = f"as {self._encoding.upper()} the file would have no line end; {_way_out(self._first or b'')}"
            raise DataError(in_file(self._path, message))
        return text

    def _text(self, piece: bytes, *, first: bool, last: bool) -> bytes:
        state = self._decoder.getstate()
        if self.is_utf8 and piece.isascii() and not state[0]:
            return piece  # most files are ASCII
        try:
            text = self._decoder.decode(piece, last)
        except UnicodeDecodeError as error:
            self._decoder.setstate(state)
            raise DataError(self._undecodable(error, piece, last=last)) from None
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

    def _undecodable(self, error: UnicodeDecodeError, piece: bytes, *, last: bool) -> Problem:
        """The problem with a byte, the decoder being where it was before the piece."""
        before = piece[: max(0, error.start - (len(error.object) - len(piece)))]  # an earlier piece left over the rest
        line = self._lines.after(before if self.is_utf8 else self._decoded(before))
        wide = self._wide()
        if wide is not None:
            return in_file(self._path, wide, line)
        if last and self._encoding_is_wide and error.end == len(error.object) and b"\0" in (self._first or b""):
            return in_file(self._path, "the file ends within a letter: it is not whole", line)
        byte = error.object[error.start]
        return in_file(
            self._path,
            f"byte 0x{byte:02x} is not {self._encoding.upper()}; {_way_out(piece or self._first or b'')}",
            line,
        )

    def _decoded(self, before: bytes) -> bytes:
        try:
            return self._decoder.decode(before).encode(errors="replace")
        except UnicodeError:  # some codecs fail on parts of what they take as a whole
            return before

    def _nul(self) -> str:
        or_utf16 = "" if self._encoding_is_wide else ", or UTF-16 (set `data.format.encoding: utf-16`)"
        return self._wide() or f"a NUL byte; the file is damaged{or_utf16}"

    @property
    def _encoding_is_wide(self) -> bool:
        return codec(self._encoding).startswith(("utf-16", "utf-32"))

    def _wide(self) -> str | None:
        """What is said of a file that begins as one in UTF-16 or UTF-32 does, and is read as another one."""
        start = self._first or b""
        if len(start) < 4 and self._encoding_is_wide:  # too little to tell the two apart
            return None
        found = next((name for name, marks in _WIDE.items() if start.startswith(marks)), None)
        if found is None or codec(self._encoding).startswith(found):
            return None
        return f"the file is {found.upper()}; set `data.format.encoding: {found}`"


class _Lines:
    """The lines of a text, counted piece by piece."""

    def __init__(self) -> None:
        self._line = 1  # where the next piece begins
        self._returned = False  # whether the last one ended in \r, which a \n may follow

    def after(self, text: bytes) -> int:
        """The line that the beginning of the next piece leads to."""
        return self._line + line_ends(text) - (self._returned and text.startswith(b"\n"))

    def pass_by(self, text: bytes) -> None:
        """Take the next piece."""
        self._line = self.after(text)
        self._returned = text.endswith(b"\r") if text else self._returned


def _byte_order(encoding: str, start: bytes) -> str:
    """The encoding with the order of its bytes, where no mark tells: zeros stand before ASCII, or behind."""
    name = codec(encoding)
    if name != "utf-16" or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return encoding
    return "utf-16-be" if start[0::2].count(0) > start[1::2].count(0) else "utf-16-le"


def unify_line_ends(text: bytes) -> bytes:
    r"""A text without quotes with every line end a \n."""
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text


def _way_out(piece: bytes) -> str:
    """What to do where the file is not in the encoding that is set."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(piece)
    except UnicodeDecodeError:
        return "set `data.format.encoding` to what the file is written in, such as latin-1 or cp1252"
    return "it is UTF-8: leave out `data.format.encoding`"
