"""Arguments of the Python API: one of a wrong kind is refused by a sentence, before anything is done."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.errors import Place, Problem, SpecError

ARGUMENTS = Place("arguments")


def check_path(name: str, value: object, what: str) -> None:
    """Raise SpecError unless the value is a path."""
    if not isinstance(value, str | os.PathLike):
        raise wrong(name, what, value)


def check_text(name: str, value: object, what: str) -> None:
    """Raise SpecError unless the value is text."""
    if not isinstance(value, str):
        raise wrong(name, what, value)


def check_overrides(value: object) -> None:
    """Raise SpecError unless the value is a mapping by key, or a list of assignments."""
    if isinstance(value, str | Mapping):
        return
    what = 'a dict such as {"optimizer.lr": 0.1}, or a list such as ["optimizer.lr=0.1"]'
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
        raise wrong("overrides", what, value)
    for place, item in enumerate(value):
        if not isinstance(item, str):
            raise wrong(f"overrides[{place}]", 'text such as "optimizer.lr=0.1"', item)


def wrong(name: str, what: str, value: Any) -> SpecError:
    """The error for an argument that should have been ``what``."""
    if value is None or isinstance(value, bool | int | float):
        got = f"`{value}`"
    else:
        got = repr(value)[:60] if isinstance(value, str) else f"a value of type `{type(value).__name__}`"
    return SpecError(Problem(f"must be {what}, got {got}", name, ARGUMENTS))
