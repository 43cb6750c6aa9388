"""The YAML 1.2 core schema: what value an unquoted text is, and the text of a value."""

from __future__ import annotations

import math
import re
from typing import Final

MAX_DIGITS = 1_000  # of a number, else it is text; Python writes no whole number of over 4,300, and few a hex

NULL: Final = re.compile(r"(?:~|null|Null|NULL|)\Z")
BOOL: Final = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
INT: Final = re.compile(r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)\Z")
FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
NOT_FINITE: Final = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
# What a file may hold only as an escape: controls, the line breaks that editors do not count, lone surrogates, a second
# byte order mark, and U+10FFFE and U+10FFFF, which the reader needs for itself. (The complement, [^ -~...], says the
# same and takes ten times as long to compile.)
UNWRITABLE: Final = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U0010fffe\U0010ffff]"
)

Value = None | bool | int | float | str


def resolve(text: str) -> Value:
    """The value of an unquoted scalar: ``010`` is ten, ``1e-3`` a float, ``no`` and ``12:30`` are text."""
    if len(text) > MAX_DIGITS:
        return text
    if NULL.match(text):
        return None
    if BOOL.match(text):
        return text[0] in "tT"
    if INT.match(text):
        return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
    if FLOAT.match(text):
        return float(text)
    return float(text.replace(".", "", 1)) if NOT_FINITE.match(text) else text


def scalar_text(value: Value) -> str:
    """The shortest text that ``resolve`` reads as this value; a text is itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    return value if isinstance(value, str) else repr(value)
