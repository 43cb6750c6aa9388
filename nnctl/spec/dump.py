"""Values as YAML text, and the YAML 1.2 core schema, which says what value an unquoted text is."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

MAX_DIGITS = 1_000  # of a number, else it is text; Python writes no whole number of over 4,300, and few a hex
MAX_INLINE = 88  # letters of a list that is written on one line

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


def dump(value: Any) -> str:
    """The value as YAML: mappings as blocks in their own order, short lists of scalars on one line."""
    return yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True, width=2**31 - 1
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _float(dumper: _Dumper, value: float) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:float", scalar_text(value))


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    # On one line: PyYAML folds line breaks in single quotes, which nobody can read.
    escaped = "\n" in value or "\r" in value or UNWRITABLE.search(value) is not None
    style = '"' if escaped else "'" if value == "none" else None  # the bare word means null
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _list(dumper: _Dumper, value: list[Any] | tuple[Any, ...]) -> yaml.Node:
    scalars = all(item is None or isinstance(item, bool | int | float | str) for item in value)
    short = scalars and sum(len(scalar_text(item)) + 2 for item in value) <= MAX_INLINE
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short)


_Dumper.add_representer(float, _float)
_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(tuple, _list)
_Dumper.yaml_implicit_resolvers = {}  # PyYAML's own are those of YAML 1.1
for _tag, _pattern in (("null", NULL), ("bool", BOOL), ("int", INT), ("float", FLOAT), ("float", NOT_FINITE)):
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, None)
# `<<` is text to us too, but must be quoted: as a plain key it is refused.
_Dumper.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), None)
