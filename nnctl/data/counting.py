"""Counting: the rows of a text and its delimiters in every row, by arrays of its bytes instead of the csv module."""

from __future__ import annotations

import csv
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_QUOTE, _NEWLINE, _RETURN, _BLANK, _ZERO = b'"\n\r 0'
_BLANKS = 8  # before a code, at most: the csv module takes those with more


class Counted(NamedTuple):
    """What a text holds."""

    rows: int
    lines: int
    coded: frozenset[int]  # the columns with a cell such as 007
    stop: int  # bytes until the end of the last whole record
    spaced: bool  # whether a blank stands before a quote


def count_rows(text: bytes, delimiter: str, width: int, *, goes_on: bool) -> Counted | None:
    r"""The rows of a text if all of them are as wide as that; else None, and where the bytes alone do not tell.

    They tell where every line ends in \n or \r\n, and every quote opens a whole cell, closes one, or is doubled: then
    what an odd number of quotes precedes lies within a cell, and nothing else does. None where there is one column.
    """
    data = np.frombuffer(text, np.uint8)
    if width < 2 or has_bare_returns(text):
        return None
    ends, marks = data == _NEWLINE, data == ord(delimiter)
    quotes = np.flatnonzero(data == _QUOTE) if b'"' in text else np.empty(0, np.intp)
    lines, quoted = ends, quotes.size > 0
    if _holds(quotes, ends | marks):
        outside = ~np.bitwise_xor.accumulate((data == _QUOTE).view(np.uint8)).view(bool)
        ends, marks = ends & outside, marks & outside
    places = np.flatnonzero(ends)
    if not goes_on and data[-1] != _NEWLINE:
        places = np.append(places, len(data))
    stop = min(int(places[-1]) + 1, len(data)) if places.size else 0
    quotes = quotes[: np.searchsorted(quotes, stop)]
    if quoted and not _are_whole(text, quotes, places, stop, delimiter):
        return None
    if not stop or (not goes_on and stop < len(data)):  # a quote is not closed
        return Counted(0, 0, frozenset(), 0, spaced=False) if goes_on else None
    starts = np.append(0, places[:-1] + 1)
    empty = (starts == places) | ((places - starts == 1) & (data[starts] == _RETURN))
    found = np.add.reduceat(marks[:stop].view(np.uint8), starts, dtype=np.int32)
    coded = _coded(text[:stop], marks[:stop], ends, width) if ((found == width - 1) | empty).all() else None
    if coded is None:
        return None
    return Counted(
        rows=places.size - int(np.count_nonzero(empty)),
        lines=int(np.count_nonzero(lines[:stop])),
        coded=coded,
        stop=stop,
        spaced=bool((data[quotes - 1] == _BLANK).any()),
    )


def line_ends(text: bytes) -> int:
    """The number of line ends of any kind. Where there are many, arrays are faster than ``bytes.count``."""
    data = np.frombuffer(text, np.uint8)
    newlines = data == _NEWLINE
    found = np.count_nonzero(newlines)
    if b"\r" in text:
        returns = data == _RETURN
        found += np.count_nonzero(returns) - np.count_nonzero(returns[:-1] & newlines[1:])
    return int(found)


def has_bare_returns(text: bytes) -> bool:
    r"""Whether a \r stands before anything but \n."""
    if b"\r" not in text:
        return False
    data = np.frombuffer(text, np.uint8)
    return bool(data[-1] == _RETURN or ((data[:-1] == _RETURN) & (data[1:] != _NEWLINE)).any())


def _holds(quotes: Array, what: Array) -> bool:
    """Whether something stands behind an odd number of quotes; also where the last one is not closed."""
    return bool(quotes.size % 2 or (quotes.size and np.bitwise_or.reduceat(what.view(np.uint8), quotes)[::2].any()))


def _are_whole(text: bytes, quotes: Array, ends: Array, stop: int, delimiter: str) -> bool:
    """Whether every quote of the whole records opens a cell, closes one, or is doubled, and no cell may be too long."""
    data, limit = np.frombuffer(text, np.uint8), csv.field_size_limit()
    if quotes.size % 2 or len(text) - stop > limit or (np.diff(ends, prepend=-1) > limit).any():
        return False
    beside = np.zeros(256, bool)
    beside[[ord(delimiter), _NEWLINE, _RETURN, _QUOTE]] = True
    opening, closing = quotes[::2], quotes[1::2]
    begins = beside[data[opening - 1]] | (opening == 0)
    return bool(begins.all() and beside[data[np.minimum(closing + 1, stop - 1)]].all())  # at the end: the quote itself


def _coded(text: bytes, marks: Array, ends: Array, width: int) -> frozenset[int] | None:
    """The columns in which a cell begins with 0 and a digit, blanks and an opening quote before them left out.

    None where other blanks may stand there, or lines within a cell.
    """
    data = np.frombuffer(text, np.uint8)
    code = (data[:-1] == _ZERO) & (data[1:] - _ZERO < 10)  # uint8: what is below wraps around
    may_begin = marks[:-1] | (data[:-1] == _QUOTE) | (data[:-1] - 33 >= 95)  # blanks, line ends, and what is not ASCII
    places = np.flatnonzero(code[1:] & may_begin[:-1])
    if code[:1].any():
        places = np.append(places, -1)  # the place before the text
    if not places.size:
        return frozenset()
    for _ in range(_BLANKS):
        places = places - ((data[places] == _BLANK) & ~marks[places] & (places >= 0))
    opening = (data[places] == _QUOTE) & (places >= 0)
    places = places - opening
    first = (places < 0) | ends[places]
    begins = first | marks[places]
    others = places[~begins & ~opening]
    if any(_is_blank(text, int(place)) for place in others[data[others] - 33 >= 95]):
        return None
    inside = places[begins & ~first]
    order = np.searchsorted(np.flatnonzero(marks), inside) if inside.size else inside
    return frozenset([*([0] if first.any() else []), *(order % (width - 1) + 1).tolist()])


def _is_blank(text: bytes, place: int) -> bool:
    """Whether the letter that ends there is a blank of any kind."""
    return text[max(0, place - 2) : place + 1].decode(errors="replace")[-1].isspace()
