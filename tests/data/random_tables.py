"""Random tables as texts: types, missing cells, quotes, line ends, delimiters, blank lines; and random damage."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.data.dirty.clean import zipped

MISSING = ["", "NA", "?", "-999"]
DELIMITERS = [",", ";", "\t", "|", ":", " "]
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "t.csv": bytes,
    "t.csv.gz": gzip.compress,
    "t.csv.bz2": bz2.compress,
    "t.csv.xz": lzma.compress,
    "t.zip": zipped,
}
ENCODINGS = [
    "utf-8",
    "utf-8-sig",
    "utf-16",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp1252",
    "gb18030",
    "shift_jis",
    "iso2022_jp",
]

LETTERS = st.sampled_from(list("ab1,;|:\t\"'\n\r é\x0b日😀\u2028\xa0\ufeff#=-.")) | st.just("\r\n")
TEXTS = st.lists(LETTERS, max_size=6).map("".join)
NUMBERS = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(
        ["+5", "5.", ".5", "007", "-0", "1E5", "1e-320", "12345678901234567890123", " 7 ", "\t7", "-999.0"]
    ),
)
CELLS = {
    "number": NUMBERS,
    "boolean": st.sampled_from(["yes", "No", "TRUE", "false", "0", "1", " true "]),
    "category": TEXTS | st.sampled_from(["red", "blue", "1", "NAN", "nan", "None"]),
    "date": st.dates().map(str) | st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat(" ")),
}
ABSENT = st.sampled_from(["", "NA", "?", " NA ", "  ", "-999"])
NAMES = st.lists(LETTERS, min_size=1, max_size=4).map("".join) | st.sampled_from(["a", "b", "x y", "é"])


@dataclass(frozen=True)
class Written:
    """A text that holds a table, and how it is to be read."""

    text: str
    delimiter: str
    kinds: dict[str, str]
    decimal: str
    encoding: str
    file: str

    @property
    def content(self) -> bytes:
        return PACKINGS[self.file](self.text.encode(self.encoding))

    @property
    def declared_encoding(self) -> str:
        return self.encoding.removesuffix("-sig")


@st.composite
def written_tables(draw: st.DrawFn) -> Written:
    """A table without a fault."""
    delimiter = draw(st.sampled_from(DELIMITERS))
    decimal = draw(st.sampled_from([".", "."] if delimiter == "," else [".", ".", ","]))
    width = draw(st.integers(1, 4))
    names = draw(
        st.lists(NAMES.filter(_is_name), min_size=width, max_size=width, unique_by=str.strip),
    )
    kinds = {name.strip(): draw(st.sampled_from(list(CELLS))) for name in names}
    rows = draw(st.lists(st.tuples(*(ABSENT | CELLS[kind] for kind in kinds.values())), min_size=1, max_size=12))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    ends = st.just(end) if draw(st.booleans()) else st.sampled_from(["\n", "\r\n", "\r"])
    style = draw(st.sampled_from(["needed", "always", "random"]))
    blank = st.sampled_from(["", "", "", " ", "\t"] if delimiter not in " \t" else [""])
    lines = []
    for place, cells in enumerate([names, *rows]):
        while draw(st.integers(0, 9)) == 9:
            lines.append(draw(blank) + draw(ends))
        decimal_here = [
            cell.replace(".", decimal) if place and kinds[name.strip()] == "number" else cell
            for name, cell in zip(names, cells, strict=True)
        ]
        lines.append(_record(draw, decimal_here, delimiter, style) + draw(ends))
    text = "".join(lines)
    text = text.removesuffix(lines[-1]) + (lines[-1] if draw(st.booleans()) else lines[-1].rstrip("\r\n"))
    fitting = [encoding for encoding in ENCODINGS if _fits(text, encoding)]
    return Written(
        text, delimiter, kinds, decimal, draw(st.sampled_from(fitting)), draw(st.sampled_from(list(PACKINGS)))
    )


def _record(draw: st.DrawFn, cells: list[str], delimiter: str, style: str) -> str:
    return delimiter.join(
        _quoted(draw, cell, delimiter)
        if _needs_quotes(cell, delimiter, alone=len(cells) == 1)
        or style == "always"
        or (style == "random" and draw(st.booleans()))
        else cell
        for cell in cells
    )


def _needs_quotes(cell: str, delimiter: str, *, alone: bool) -> bool:
    return (
        any(letter in cell for letter in (delimiter, "\n", "\r"))
        or cell.lstrip(" ").startswith('"')
        or (alone and not cell.strip(" \t"))
    )


def _quoted(draw: st.DrawFn, cell: str, delimiter: str) -> str:
    before = draw(st.sampled_from(["", "", "", " "])) if delimiter != " " else ""
    return before + '"' + cell.replace('"', '""') + '"'


def _is_name(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith("\ufeff")  # at the start of a file it would be the mark


def _fits(text: str, encoding: str) -> bool:
    try:
        return text.encode(encoding).decode(encoding) == text
    except UnicodeError:
        return False


@st.composite
def damaged_tables(draw: st.DrawFn) -> Written:
    """A table to which something happened; it may be none that does harm."""
    table = draw(written_tables())
    place = draw(st.integers(0, len(table.text)))
    other = draw(st.integers(0, len(table.text)))
    text, letter = (
        table.text,
        draw(st.sampled_from([table.delimiter, '"', "\n", "\r", "\0", "x", " ", "1e999", "inf", ""])),
    )
    low, high = min(place, other), max(place, other)
    damage = draw(st.sampled_from(["insert", "replace", "cut", "repeat", "swap"]))
    changed = {
        "insert": text[:place] + letter + text[place:],
        "replace": text[:place] + letter + text[place + 1 :],
        "cut": text[:low] if draw(st.booleans()) else text[:low] + text[high:],
        "repeat": text[:high] + text[low:],
        "swap": text[high:] + text[:high],
    }[damage]
    changed = changed.lstrip("\0")  # behind the mark of UTF-16 it would make that of UTF-32
    return replace(table, text=changed, encoding=table.encoding if _fits(changed, table.encoding) else "utf-8")
