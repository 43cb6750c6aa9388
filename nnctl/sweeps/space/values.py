"""The values of a space: as an override writes them, and as they are read from that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nnctl.errors import Place, SpecError
from nnctl.spec.nodes import Node, plain
from nnctl.spec.overrides import COMMAND_LINE, value_node
from nnctl.spec.problems import format_key, parse_key


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a key: ``KEY=text`` is the override that sets it, ``node`` what that is read as."""

    text: str
    node: Node

    @property
    def plain(self) -> Any:
        """The value without its place."""
        return plain(self.node)


Row = tuple[Value, ...]  # a value for each of some keys


def value_of(key: str, text: str, place: Place = COMMAND_LINE) -> Value:
    """The value that ``KEY=TEXT`` gives a key. Raises: SpecError if it is none."""
    try:
        return Value(text, value_node(key, text, place))
    except SpecError as error:
        raise at_key(key, error, place) from None


def key_of(text: str) -> str:
    """A key as it is written everywhere. Raises: SpecError if it is none."""
    try:
        return format_key(parse_key(text.strip()))
    except SpecError as error:
        raise at_key(text, error) from None


def at_key(key: str, error: SpecError, place: Place = COMMAND_LINE) -> SpecError:
    """The error with its key and place, where it has none."""
    return SpecError(
        replace(problem, key=problem.key or key, place=problem.place or place) for problem in error.problems
    )
