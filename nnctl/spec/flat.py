"""An experiment as flat pairs of dotted keys and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nnctl.spec.problems import format_key


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every value of plain mappings and lists under its dotted key; a list of plain values is one value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping | list | tuple) for item in value):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    else:
        yield format_key(path), value
