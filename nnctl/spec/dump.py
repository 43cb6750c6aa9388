"""Values as YAML text."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any

import yaml

from nnctl.spec.scalars import BOOL, FLOAT, INT, NOT_FINITE, NULL, UNWRITABLE, scalar_text

SECTIONS = 64  # that are kept
MAX_INLINE = 88  # letters of a list that is written on one line


def dump(value: Any) -> str:
    """The value as YAML: mappings as blocks in their own order, short lists of scalars on one line.

    The trials of a sweep have most of their sections in common, and PyYAML takes milliseconds: each is kept.
    """
    if isinstance(value, dict) and value:
        return "".join(_section(json.dumps({name: section})) for name, section in value.items())
    return _written(value)


@lru_cache(SECTIONS)
def _section(plain: str) -> str:
    """A section of a mapping, which is given as JSON."""
    return _written(json.loads(plain))


def _written(value: Any) -> str:
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
