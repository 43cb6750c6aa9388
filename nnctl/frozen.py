"""Frozen dataclasses with keywords only, whose methods are written once.

``dataclass`` compiles them for every class, which takes a millisecond a class, at every start.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError, dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class _Frozen:
    """The methods that a class gets."""

    def __init__(self, **values: Any) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            if field.name in values:
                value = values.pop(field.name)
            elif field.default_factory is not MISSING:
                value = field.default_factory()
            elif field.default is not MISSING:
                value = field.default
            else:
                raise TypeError(f"{type(self).__name__}: the option {field.name} is required")
            object.__setattr__(self, field.name, value)
        if values:
            raise TypeError(f"{type(self).__name__}: has no option {', '.join(values)}")
        check = getattr(self, "__post_init__", None)
        if check is not None:
            check()

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in _values(self))})"

    def __eq__(self, other: object) -> bool:
        return _values(self) == _values(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(_values(self))

    def __setattr__(self, name: str, value: Any) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


def _values(made: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, getattr(made, field.name)) for field in dataclasses.fields(made))


def frozen(cls: type[T]) -> type[T]:
    """Make a class what ``dataclass(frozen=True, kw_only=True)`` makes of it; its own methods stay, as there.

    Raises: TypeError if it has an own ``__setattr__`` or ``__delattr__``.
    """
    own = {*vars(cls)}
    if vars(cls).get("__hash__", cls) is None and "__eq__" in own:
        own.remove("__hash__")  # Python wrote that None
    made = dataclass(init=False, repr=False, eq=False)(cls)
    for name in ("__init__", "__repr__", "__eq__", "__hash__"):
        if name not in own:
            setattr(made, name, vars(_Frozen)[name])
    for name in ("__setattr__", "__delattr__"):
        if name in own:
            raise TypeError(f"cannot overwrite {name} in class {cls.__name__}: options never change")
        setattr(made, name, vars(_Frozen)[name])
    return made
