"""Plain values: whether one is right, and a sentence that says what would be."""

from __future__ import annotations

import operator
import re
import sys
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, NewType, Union, get_args, get_origin

HOLDS = {"ge": operator.ge, "gt": operator.gt, "le": operator.le, "lt": operator.lt}
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}
SURROGATES: Final = "[\ud800-\udfff]"  # no text, though Python takes halves of a letter for one

Key = tuple[str | int, ...]  # the indices and names that lead into a value


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; anything else alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def words(annotation: Any) -> tuple[str, ...]:
    """The words that a value may be, where the annotation has literals."""
    return tuple(
        word
        for member in alternatives(annotation)
        if get_origin(member) is Literal
        for word in get_args(member)
        if isinstance(word, str)
    )


class Leaf:
    """A type with bounds that holds no component: numbers, text, words, lists and mappings of them."""

    def __init__(self, annotation: Any, bounds: Mapping[str, float]) -> None:
        self.annotation, self.bounds = annotation, dict(bounds)

    def read(self, value: Any) -> Any:
        """The value as the type has it. Raises LookupError with the path to the element that is wrong in ``args``."""
        made, wrong = _read(self.annotation, self.bounds, value)
        if wrong:
            raise LookupError(*max(wrong, key=len))  # of the members of a union, the one that comes closest
        return made

    def wanted(self) -> str:
        """What is allowed, as a phrase: `a whole number >= 1 or `full``."""
        return _wanted(self.annotation, self.bounds)

    def wanted_inside(self, kind: type) -> str:
        """What is allowed for an element of a list (``tuple``) or of a mapping (``dict``)."""
        for member in alternatives(self.annotation):
            if get_origin(member) is kind:
                return _wanted(get_args(member)[kind is dict], self.bounds)
        return self.wanted()


def _read(annotation: Any, bounds: Mapping[str, float], value: Any) -> tuple[Any, list[Key]]:
    """The value as an annotation has it, and the paths to all that is wrong in it."""
    if isinstance(annotation, NewType):
        return _read(annotation.__supertype__, bounds, value)
    members = alternatives(annotation)
    if len(members) > 1:
        tried = [_read(member, bounds, value) for member in members]
        wrong = [path for _, paths in tried for path in paths]
        return next((made for made in tried if not made[1]), (value, wrong))
    if get_origin(annotation) is tuple and isinstance(value, list):
        return _read_list(get_args(annotation), bounds, value)
    if get_origin(annotation) is dict and isinstance(value, dict):
        read = {name: _read(get_args(annotation)[1], {}, item) for name, item in value.items()}
        wrong = [(name, *path) for name, (_, paths) in read.items() for path in paths]
        return {name: made for name, (made, _) in read.items()}, wrong
    if not _is(annotation, value) or not _within(bounds, value):
        return value, [()]
    return float(value) if annotation is float else value, []


def _read_list(items: tuple[Any, ...], bounds: Mapping[str, float], value: list[Any]) -> tuple[Any, list[Key]]:
    """A list whose items have the annotations ``items``; with an ellipsis after the first, any number of such."""
    if items[-1] is Ellipsis:
        items = items[:1] * len(value)
    if len(value) > len(items):
        return value, [()]
    read = [_read(item, bounds, each) for item, each in zip(items, value, strict=False)]
    wrong: list[Key] = [(at, *path) for at, (_, paths) in enumerate(read) for path in paths]
    lacking: list[Key] = [(at,) for at in range(len(value), len(items))]
    return tuple(made for made, _ in read), wrong + lacking


def _is(annotation: Any, value: Any) -> bool:
    """Whether a value that holds no others is of a type; true is no number, and a whole number may stand for any."""
    if get_origin(annotation) is Literal:
        return isinstance(value, str) and value in get_args(annotation)
    if annotation is float:
        return type(value) in (int, float) and abs(value) <= sys.float_info.max
    if annotation is str:
        return isinstance(value, str) and re.search(SURROGATES, value) is None
    return annotation is Any or type(value) is annotation


def _within(bounds: Mapping[str, float], value: Any) -> bool:
    """Whether a number is within its bounds; anything else has none."""
    return type(value) not in (int, float) or all(HOLDS[bound](value, limit) for bound, limit in bounds.items())


def _wanted(annotation: Any, bounds: Mapping[str, float]) -> str:
    if isinstance(annotation, NewType):
        return _wanted(annotation.__supertype__, bounds)
    members = alternatives(annotation)
    if len(members) > 1:
        ordered = sorted(members, key=lambda member: member is type(None))
        return " or ".join(_wanted(member, bounds) for member in ordered)
    if get_origin(annotation) is Literal:
        return _listed([f"`{word}`" for word in get_args(annotation)])
    if get_origin(annotation) is tuple and Ellipsis not in get_args(annotation):
        return f"[{', '.join(_wanted(item, bounds) for item in get_args(annotation))}]"
    if get_origin(annotation) is tuple:
        return f"a list of which each item is {_wanted(get_args(annotation)[0], bounds)}"
    name = NAMES.get(annotation, "a mapping" if get_origin(annotation) is dict else "a value")
    if annotation in (int, float) and bounds:
        return f"{name} {' and '.join(f'{BOUNDS[bound]} {limit:g}' for bound, limit in bounds.items())}"
    return name


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
