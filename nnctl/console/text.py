"""Text as a terminal may show it: without anybody's control characters, numbers short enough to read."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"

# ANSI sequences: those with parameters, strings up to their end (titles, links), and the short ones.
_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")


def clean(text: object) -> str:
    """A user's text on one line, with nothing in it that a terminal would obey."""
    words = str(text)
    if words.isprintable():
        return words
    return "".join(_printable(letter) for letter in _SEQUENCE.sub("", words))


def named(name: str) -> str:
    """A name as one of several behind each other: in backticks where it could be taken for two."""
    return f"`{clean(name)}`" if "," in name else clean(name)


def number(value: object) -> str:
    """A number with four significant digits, whole ones as they are, ``-`` for none."""
    if value is None:
        return "-"
    if not isinstance(value, float):
        return clean(value)
    if not math.isfinite(value):
        return str(value)
    if 1e3 <= abs(value) < 1e9:
        return f"{value:.0f}"
    return f"{value:#.4g}"


def duration(seconds: float) -> str:
    """A time span: ``0.31 s``, ``4:05``, ``1:02:03``."""
    return f"{seconds:.2f} s" if seconds < 10 else clock(seconds)


def clock(seconds: float) -> str:
    """A time span in whole seconds: ``0:07``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, noun: str) -> str:
    """A number of things: ``1 row``, ``1,797 rows``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def sparkline(values: Sequence[float], width: int) -> str:
    """The values as blocks of eight heights, at most ``width`` of them; a value that is not finite is a gap.

    Losses fall by orders of magnitude, so positive values are drawn by their logarithms.
    """
    means = _means(values, width)
    finite = [value for value in means if math.isfinite(value)]
    if not finite:
        return ""
    scale = math.log if min(finite) > 0 else float
    low, high = scale(min(finite)), scale(max(finite))
    step = (high - low) / (len(BLOCKS) - 1) or 1.0
    return "".join(BLOCKS[round((scale(value) - low) / step)] if math.isfinite(value) else " " for value in means)


def _means(values: Sequence[float], width: int) -> list[float]:
    """The means of ``width`` stretches of the values; the values themselves, if they are no more than that."""
    if len(values) <= width:
        return list(values)
    edges = [len(values) * place // width for place in range(width + 1)]
    return [sum(values[start:stop]) / (stop - start) for start, stop in itertools.pairwise(edges)]


def _printable(letter: str) -> str:
    if letter.isprintable():
        return letter
    if letter.isspace():
        return " "
    # A lone surrogate is a byte of a path that is no UTF-8: it is shown, since without it the path is another.
    return f"\\udc{ord(letter) & 0xFF:02x}" if "\udc80" <= letter <= "\udcff" else ""
