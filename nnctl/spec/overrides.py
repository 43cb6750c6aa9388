"""Overrides: ``key=value`` from the command line, values from Python, and a file laid over the one it extends."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import abc
from dataclasses import replace
from functools import partial
from typing import Any

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.files import STDIN
from nnctl.spec.nodes import MAX_DEPTH, Mapping, Node, Scalar, Sequence, parse_value, plain
from nnctl.spec.problems import Problems, shown
from nnctl.spec.problems import format_key as format_key
from nnctl.spec.problems import parse_key as parse_key
from nnctl.spec.scalars import MAX_DIGITS, UNWRITABLE, scalar_text

COMMAND_LINE = Place("command line")
FROM_PYTHON = Place("overrides")

# The first `=` outside of quoted names. Possessive, so that it is linear in any text.
_ASSIGNMENT = re.compile(r"""((?:\["(?:[^"\\]|\\.)*+"\]|\['(?:[^'\\]|\\.)*+'\]|[^=])*+)=(.*)""", re.DOTALL)

# What starts a list, a mapping or quotes, or is a mapping or list in block style: quotes around it are not the way out.
_BRACKETS = re.compile(r"""\s*[\[{"']|- |.*:(\s|$)""", re.DOTALL)

Key = tuple[str | int, ...]


def override(root: Mapping, assignments: abc.Sequence[str] | abc.Mapping[str, Any]) -> Mapping:
    """A new tree with the assignments in it: ``["optimizer.lr=0.1"]`` or ``{"optimizer.lr": 0.1}``.

    Text set over a mapping is its new ``type``, and a key set below text makes that text the ``type``, so that
    nothing is dropped silently; a mapping, a list or null replaces what was there. The later of two assignments to
    the same key wins.

    Raises: SpecError with every assignment that is none, or that does not fit the tree.
    """
    problems = Problems()
    changes = changes_of(assignments, problems)
    try:
        root = changed(root, changes)
    except SpecError as error:
        problems.extend(error)
    problems.raise_if_any()
    return root


def changes_of(assignments: abc.Sequence[str] | abc.Mapping[str, Any], problems: Problems) -> dict[Key, Node]:
    """The nodes that the assignments set, by the parts of their keys; what is none goes to the problems."""
    read = _from_python if isinstance(assignments, abc.Mapping) else _from_text
    return read(assignments, problems)


def changed(root: Mapping, changes: abc.Mapping[Key, Node]) -> Mapping:
    """A new tree with the changes in it, made one after the other. Raises: SpecError with all that do not fit."""
    problems = Problems()
    for parts, value in changes.items():
        try:
            root = _below_root(root, parts, value)
        except SpecError as error:
            problems.extend(error)
    problems.raise_if_any()
    return root


def assigned(assignments: abc.Sequence[str] | abc.Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of assignments that ``override`` takes, by key."""
    return {format_key(parts): plain(node) for parts, node in changes_of(assignments, Problems()).items()}


def halves(text: str) -> tuple[str, str] | None:
    """The key and the value of an assignment as they are written; None if it is none."""
    match = _ASSIGNMENT.fullmatch(text)
    return None if match is None else (match[1], match[2])


def value_node(key: str, text: str, place: Place = COMMAND_LINE) -> Node:
    """The value of an assignment. Raises: SpecError, with the way to write it if it was meant as text."""
    if text == STDIN:  # which YAML takes for the beginning of a list
        return Scalar(place, text, text)
    try:
        return parse_value(text, place)
    except SpecError:
        if _BRACKETS.match(text) or UNWRITABLE.search(text):
            raise
        quoted = shlex.quote(f"{key}={json.dumps(text, ensure_ascii=False)}")
        raise SpecError(Problem(f"YAML cannot read {shown(text)} as it is; write {quoted}")) from None


def merge(base: Mapping, over: Mapping) -> Mapping:
    """A new tree: ``over`` laid over ``base``, mappings key by key, lists as a whole, text as in ``override``."""
    items = dict(base.items)
    for key, node in over.items.items():
        items[key] = _merged(items.get(key), node)
    return Mapping(over.place, items, base.keys | over.keys)


def from_plain(value: Any, place: Place, depth: int = 0, *, quoted: bool = False) -> Node:
    """The node of a plain Python value; ``quoted`` keeps the text `none` a text.

    Raises: SpecError if YAML has no such value.
    """
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, int) and value.bit_length() > 3 * MAX_DIGITS:
        raise SpecError(Problem("is too large a number", place=place))
    if value is None or isinstance(value, bool | int | float | str):
        return Scalar(place, value, scalar_text(value), quoted)
    if depth >= MAX_DEPTH:
        raise SpecError(Problem(f"must be nested at most {MAX_DEPTH} deep, is deeper", place=place))
    if isinstance(value, abc.Mapping):
        items = {str(key): from_plain(item, place, depth + 1, quoted=quoted) for key, item in value.items()}
        return Mapping(place, items, dict.fromkeys(items, place))
    if isinstance(value, list | tuple):
        return Sequence(place, [from_plain(item, place, depth + 1, quoted=quoted) for item in value])
    allowed = "None, a boolean, a number, text, a list or a mapping"
    raise SpecError(Problem(f"must be {allowed}, got {shown(type(value).__name__)}", place=place))


def is_null(node: Node | None) -> bool:
    """Whether the node is missing, null, or the bare word ``none``, which means the same."""
    return node is None or (
        isinstance(node, Scalar) and (node.value is None or (node.value == "none" and not node.quoted))
    )


def _from_text(assignments: Any, problems: Problems) -> dict[Key, Node]:
    changes: dict[Key, Node] = {}
    for text in [assignments] if isinstance(assignments, str) else assignments:
        written = halves(text)
        if written is None:
            problems.add(text, f"expected KEY=VALUE, got {shown(text)}", COMMAND_LINE)
        else:
            _read(written[0], partial(value_node, *written), changes, problems, COMMAND_LINE)
    return changes


def _from_python(assignments: Any, problems: Problems) -> dict[Key, Node]:
    changes: dict[Key, Node] = {}
    for key, value in assignments.items():
        _read(str(key), partial(from_plain, value, FROM_PYTHON), changes, problems, FROM_PYTHON)
    return changes


def _read(key: str, value: abc.Callable[[], Node], changes: dict[Key, Node], problems: Problems, place: Place) -> None:
    try:
        parts, node = parse_key(key), value()
    except SpecError as error:
        for problem in error.problems:
            joint = "." if problem.key and not problem.key.startswith("[") else ""
            problems.add(key + joint + problem.key, problem.message, place)
        return
    changes.pop(parts, None)  # the later one also comes later
    changes[parts] = node


def _below_root(root: Mapping, parts: Key, value: Node) -> Mapping:
    if isinstance(parts[0], int):
        raise SpecError(Problem("a key starts with a name, the experiment is no list", format_key(parts), value.place))
    made = _set(root, parts, 0, value)
    assert isinstance(made, Mapping)
    return made


def _set(node: Node | None, parts: Key, at: int, value: Node) -> Node:
    """The node with ``value`` in it, at ``parts[at:]`` below the node."""
    if at >= len(parts):
        return _replaced(node, value)
    part = parts[at]
    if isinstance(part, int):
        sequence = _as_list(node, parts, at, value.place)
        items = list(sequence.items)
        items[part] = _set(items[part], parts, at + 1, value)
        return replace(sequence, items=items)
    mapping = _as_mapping(node, parts, at, value.place)
    child = _set(mapping.items.get(part), parts, at + 1, value)
    keys = mapping.keys if part in mapping.keys else mapping.keys | {part: value.place}
    return Mapping(mapping.place, mapping.items | {part: child}, keys)


def _as_list(node: Node | None, parts: Key, at: int, place: Place) -> Sequence:
    """The list that ``parts[at]`` is an index of."""
    name, index = shown(format_key(parts[:at])), parts[at]
    if not isinstance(node, Sequence):
        message = f"{name} is {_kind(node)}, `[{index}]` needs a list"
    elif index not in range(len(node.items)):
        count = len(node.items)
        message = f"{name} has {count} item{'' if count == 1 else 's'}, counted from `[0]`"
    else:
        return node
    raise SpecError(Problem(message, format_key(parts), place))


def _as_mapping(node: Node | None, parts: Key, at: int, place: Place) -> Mapping:
    """The mapping that ``parts[at]`` is a key of."""
    if isinstance(node, Mapping):
        return node
    if is_null(node):
        return Mapping(place)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return Mapping(node.place, {"type": node}, {"type": node.place})
    message = f"{shown(format_key(parts[:at]))} is {_kind(node)}, it has no keys"
    if isinstance(node, Sequence):
        message += f"; an item is {shown(format_key((*parts[:at], 0, *parts[at:])))}"
    raise SpecError(Problem(message, format_key(parts), place))


def _replaced(node: Node | None, value: Node) -> Node:
    if not isinstance(node, Mapping) or not _is_text(value):
        return value
    return Mapping(node.place, node.items | {"type": value}, node.keys | {"type": value.place})


def _merged(base: Node | None, over: Node) -> Node:
    if isinstance(base, Mapping) and isinstance(over, Mapping):
        return merge(base, over)
    if base is not None and _is_text(base) and isinstance(over, Mapping) and "type" not in over.items:
        return Mapping(over.place, {"type": base} | over.items, {"type": base.place} | over.keys)
    return _replaced(base, over)


def _is_text(node: Node) -> bool:
    return isinstance(node, Scalar) and isinstance(node.value, str) and not is_null(node)


def _kind(node: Node | None) -> str:
    if isinstance(node, Scalar):
        return shown(node.text or "null")
    return "not set" if node is None else "a mapping" if isinstance(node, Mapping) else "a list"
