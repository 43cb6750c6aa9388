"""Conformance checks of components of any kind."""

from __future__ import annotations

from nnctl.component import Component, options, plain
from nnctl.spec.binding import Binder
from nnctl.spec.dump import dump
from nnctl.spec.nodes import parse
from nnctl.spec.problems import Problems
from nnctl.testing.harness import made


def check_options(cls: type[Component]) -> None:
    """Every option has help: a capitalised sentence."""
    for name, option in options(cls).items():
        assert option.help[:1].isupper(), f"{cls.name}.{name}: help must be a capitalised sentence"
        assert option.help.endswith("."), f"{cls.name}.{name}: help must end with a full stop"
    assert (cls.__doc__ or "").strip(), f"{cls.name} has no docstring"


def check_round_trip(cls: type[Component]) -> None:
    """A component written as YAML reads back as the same one."""
    for example in cls.examples:
        component = made(cls, example)
        text = dump({"it": plain(component)})
        problems = Problems()
        again = Binder(problems).component(cls, parse(text, "written").items["it"], ("it",), usual="")
        problems.raise_if_any()
        assert again == component, f"{cls.name}: {component} is written as\n{text}and reads back as {again}"


CHECKS = (check_options, check_round_trip)
