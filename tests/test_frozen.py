"""A component's class is a frozen dataclass with keywords only, to its own methods too."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from nnctl.component import option, section

MAKERS: list[Callable[[type], type]] = [section, dataclass(frozen=True, kw_only=True)]


@pytest.fixture(params=MAKERS, ids=["ours", "dataclass"])
def make(request: pytest.FixtureRequest) -> Any:
    """What makes a class of options; the library's own dataclass has to pass the same tests."""
    return request.param


def fresh(*bases: type, **own: Any) -> type:
    """A class with two options and methods of its own."""
    a, b = option(default=1.0, help="A number."), option(default_factory=list, help="Numbers.")
    return type("Fresh", bases, {"__annotations__": {"a": float, "b": list[int]}, "a": a, "b": b, **own})


def test_options_are_given_by_name_compared_and_hashed_by_value(make: Any) -> None:
    cls = make(fresh())
    assert cls() == cls(a=1.0, b=[]) != cls(a=2.0)
    assert cls() != make(fresh())()
    assert repr(cls(b=[3])) == "Fresh(a=1.0, b=[3])"
    assert hash(cls(b=(1,))) == hash(cls(b=(1,)))
    for wrong in (lambda: cls(c=1), lambda: cls(1.0)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(FrozenInstanceError):
        cls().a = 2
    with pytest.raises(FrozenInstanceError):
        del cls().a


def test_what_follows_the_making_is_run(make: Any) -> None:
    def check(self: Any) -> None:
        if self.a < 0:
            raise ValueError("below 0")

    cls = make(fresh(__post_init__=check))
    assert dataclasses.replace(cls(), a=2.0).a == 2
    with pytest.raises(ValueError, match="below 0"):
        cls(a=-1.0)
    with pytest.raises(ValueError, match="below 0"):
        make(fresh(cls))(a=-1.0)


def test_an_own_start_is_kept(make: Any) -> None:
    def start(self: Any, given: float) -> None:
        object.__setattr__(self, "a", 2 * given)

    assert make(fresh(__init__=start))(3.0).a == 6


def test_an_own_text_is_kept_and_not_inherited(make: Any) -> None:
    cls = make(fresh(__repr__=lambda self: "mine"))
    assert repr(cls()) == "mine"
    assert repr(make(fresh(cls))()) == "Fresh(a=1.0, b=[])"


def test_an_own_comparison_is_kept_beside_the_hash_of_the_values(make: Any) -> None:
    cls = make(fresh(__eq__=lambda self, other: True, __hash__=None))  # as Python writes it beside an own `__eq__`
    assert cls(b=()) == cls(a=2.0, b=())
    assert hash(cls(b=())) != hash(cls(a=2.0, b=()))


def test_an_own_hash_is_kept(make: Any) -> None:
    assert hash(make(fresh(__hash__=lambda self: 7))()) == 7
    with pytest.raises(TypeError, match="unhashable"):
        hash(make(fresh(__hash__=None))())


@pytest.mark.parametrize("name", ["__setattr__", "__delattr__"])
def test_what_would_let_options_change_is_refused(make: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"verwrite.* {name}"):
        make(fresh(**{name: lambda self, *given: None}))
