"""Plain values: pydantic says whether one is right, a sentence says what would be."""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NewType, Union, get_args, get_origin

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

STRICT = ConfigDict(strict=True, allow_inf_nan=False)
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "null"}


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


@functools.cache  # it takes a millisecond to make one, and a run binds the same options two or three times
def _adapter(annotation: Any, bounds: tuple[tuple[str, float], ...]) -> TypeAdapter[Any]:
    return TypeAdapter(_bounded(annotation, dict(bounds)), config=STRICT)


class Leaf:
    """A type with bounds that holds no component: numbers, text, words, lists and mappings of them."""

    def __init__(self, annotation: Any, bounds: Mapping[str, float]) -> None:
        self.annotation, self.bounds = annotation, dict(bounds)

    @property
    def adapter(self) -> TypeAdapter[Any]:
        return _adapter(self.annotation, tuple(self.bounds.items()))

    def read(self, value: Any) -> Any:
        """The validated value. Raises LookupError with the path to the element that is wrong in ``args``."""
        try:
            return self.adapter.validate_json(json.dumps(value))
        except ValidationError as error:
            raise LookupError(*_deepest(error, value)) from None

    def wanted(self) -> str:
        """What is allowed, as a phrase: `a whole number >= 1 or `full``."""
        return _wanted(self.annotation, self.bounds)

    def wanted_inside(self, kind: type) -> str:
        """What is allowed for an element of a list (``tuple``) or of a mapping (``dict``)."""
        for member in alternatives(self.annotation):
            if get_origin(member) is kind:
                return _wanted(get_args(member)[kind is dict], self.bounds)
        return self.wanted()


def _bounded(annotation: Any, bounds: Mapping[str, float]) -> Any:
    """The annotation with the bounds on every number in it."""
    if annotation in (int, float):
        return Annotated[annotation, Field(**bounds)]  # type: ignore[call-overload]
    members = alternatives(annotation)
    if len(members) > 1:
        return Union[tuple(_bounded(member, bounds) for member in members)]  # noqa: UP007 - made at run time
    if get_origin(annotation) is tuple:
        items = tuple(item if item is Ellipsis else _bounded(item, bounds) for item in get_args(annotation))
        return types.GenericAlias(tuple, items)
    return annotation


def _deepest(error: ValidationError, value: Any) -> tuple[str | int, ...]:
    """The indices and names that lead to the wrong element; a union reports one error for each of its members."""
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    return max((_path(problem["loc"], value) for problem in errors), key=len)


def _path(loc: tuple[str | int, ...], value: Any) -> tuple[str | int, ...]:
    """The parts of a location that lead into the value; the others are pydantic's names of the members of unions."""
    path: list[str | int] = []
    for part in loc:
        if isinstance(value, list) and isinstance(part, int):
            path.append(part)
            value = value[part] if part < len(value) else None  # an item that lacks
        elif isinstance(value, dict) and part in value:
            path.append(part)
            value = value[part]
    return tuple(path)


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
