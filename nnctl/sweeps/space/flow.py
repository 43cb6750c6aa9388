"""A value of a file as a word of the command line: the text after ``KEY=`` that is read as the very same value."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import get_args

from nnctl.component import options
from nnctl.errors import SpecError
from nnctl.spec.files import STDIN
from nnctl.spec.leaves import alternatives
from nnctl.spec.nodes import Mapping, Node, Scalar, Sequence, parse_value
from nnctl.spec.overrides import COMMAND_LINE, is_null
from nnctl.spec.scalars import UNWRITABLE
from nnctl.spec.schema import Data, FilePath
from nnctl.sweeps.space.values import Value

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def word_value(key: tuple[str | int, ...], node: Node) -> Value:
    """The value of a key as a word gives it; a path is turned into one as seen from the current folder."""
    node = _from_here(key, node)
    return Value(flow(node), node)


def flow(node: Node, *, inside: bool = False) -> str:
    """The node in flow style on one line; texts without quotes keep their letters, as in ``010``."""
    if isinstance(node, Mapping):
        items = (f"{_key(name)}: {flow(item, inside=True)}" for name, item in node.items.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(flow(item, inside=True) for item in node.items) + "]"
    if node.value is None:
        return "null"
    return node.text if not node.quoted and _reads_back(node, inside=inside) else _quoted(node.text)


def _reads_back(node: Scalar, *, inside: bool) -> bool:
    """Whether the text without quotes is this value again."""
    try:
        read = parse_value(f"[{node.text}]" if inside else node.text, COMMAND_LINE)
    except SpecError:
        return False
    if inside and isinstance(read, Sequence) and len(read.items) == 1:
        read = read.items[0]
    return isinstance(read, Scalar) and not read.quoted and (read.text, read.value) == (node.text, node.value)


def _key(name: str) -> str:
    try:
        read = parse_value(f"{{{name}: 0}}", COMMAND_LINE)
    except SpecError:
        return _quoted(name)
    plain = isinstance(read, Mapping) and [*read.items] == [name]
    return name if plain else _quoted(name)


def _quoted(text: str) -> str:
    """The text in double quotes."""
    escaped = "".join(_ESCAPES.get(letter) or _escaped(letter) for letter in text)
    return f'"{escaped}"'


def _escaped(letter: str) -> str:
    if letter != "\x85" and not UNWRITABLE.match(letter):
        return letter
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"


def _from_here(key: tuple[str | int, ...], node: Node) -> Node:
    """The node with every path as seen from the current folder; in the file it is relative to that."""
    if isinstance(node, Mapping) and key in ((), ("data",)):
        items = {name: _from_here((*key, name), item) for name, item in node.items.items()}
        return replace(node, items=items)
    if not isinstance(node, Scalar) or is_null(node) or key not in _paths() or node.text == STDIN:
        return node
    folder = Path(node.place.source).parent if node.place.line is not None else Path()
    path = os.path.normpath(folder / os.path.expanduser(node.text))
    return Scalar(replace(node.place, line=None, column=None), path, path, quoted=True)


def _paths() -> list[tuple[str, str]]:
    """The keys that hold paths."""
    return [
        ("data", name)
        for name, option in options(Data).items()
        if any(FilePath in (member, *get_args(member)) for member in alternatives(option.annotation))
    ]
