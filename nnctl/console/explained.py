"""The vocabulary in words: a component or a section with its options, read off the classes."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from rich.console import RenderableType
from rich.text import Text

from nnctl.component import Component, Option, options, plain, registry
from nnctl.console.tables import line, pairs, show, table
from nnctl.spec.leaves import Leaf, alternatives
from nnctl.spec.scalars import resolve, scalar_text
from nnctl.spec.schema import Experiment
from nnctl.transforms import Encoding, Imputer, Scaler

# Where a component of a kind is written; {} is the component.
PLACES = {
    "layers": "layers: [{}]",
    "initializers": "init: {}",
    "losses": "loss: {}",
    "optimizers": "optimizer: {}",
    "schedules": "schedule: {}",
    "metrics": "metrics: [{}]",
    "early_stopping": "early_stopping: {}",
    "splits": "split: {}",
}
ROLES = {Scaler: "scale: {}", Imputer: "missing: {}", Encoding: "encode: {}"}

OPTION_HEADER = ("option", "default", "allowed", "what it does")
BLANK = Text("")
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def show_kinds(found: Mapping[str, Mapping[str, type[Component]]]) -> None:
    """Print the names of every kind."""
    show(pairs((kind, ", ".join(names)) for kind, names in found.items()))


def show_kind(found: Mapping[str, type[Component]]) -> None:
    """Print the names of one kind with what they are."""
    rows = [(name, f"alias of {cls.name}" if name != cls.name else summary(cls)) for name, cls in found.items()]
    show(table(["name", "what it is"], rows, words=["name", "what it is"]))


def show_components(classes: Sequence[type[Component]]) -> None:
    """Print components that share a name: the docstring, options and examples of each."""
    show(*(part for cls in classes for part in _component(cls)))


def _component(cls: type[Component]) -> list[RenderableType]:
    alias = f" (alias {', '.join(cls.aliases)})" if cls.aliases else ""
    examples = [line(f"  {example}") for example in written(cls)]
    return [line(f"{cls.kind}: {cls.name}{alias}", "bold"), *_about(cls), line("examples", "bold"), *examples, BLANK]


def show_option(key: str, option: Option) -> None:
    """Print a key of the YAML: what it says, and the options below it."""
    inside = section_in(option.annotation)
    if inside is None:
        show(_options({key: option}))
    elif issubclass(inside, Component):  # its docstring speaks to those who write a component
        types = pairs((f"  {name}", summary(cls)) for name, cls in registry.all(inside.kind, inside).items())
        show(line(key, "bold"), BLANK, line(_help(option)), BLANK, *_options_of(inside), line("types", "bold"), types)
    else:
        show(line(key, "bold"), *_about(inside))


def option_at(key: str) -> Option | None:
    """The option at a dotted key of the YAML: ``train.epochs``, ``data.numeric``."""
    cls: type | None = Experiment
    option = None
    for part in key.split("."):
        option = options(cls).get(part) if cls is not None and dataclasses.is_dataclass(cls) else None
        if option is None:
            return None
        cls = section_in(option.annotation)
    return option


def keys(cls: type = Experiment, start: str = "") -> Iterator[str]:
    """The keys of all sections and of the places for components."""
    for name, option in options(cls).items():
        inside = section_in(option.annotation)
        if inside is not None:
            yield f"{start}{name}"
            if not issubclass(inside, Component):
                yield from keys(inside, f"{start}{name}.")


def section_in(annotation: Any) -> type | None:
    """The section, or the protocol of the components, that a value of this type holds."""
    for member in alternatives(annotation):
        while get_origin(member) in (tuple, dict):
            member = next(item for item in reversed(get_args(member)) if item is not Ellipsis)
        if isinstance(member, type) and (dataclasses.is_dataclass(member) or issubclass(member, Component)):
            return member
    return None


def summary(cls: type) -> str:
    """The first sentence of a class's docstring."""
    first = (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ")
    return _ticks(re.split(r"(?<=[^.]\.) ", first)[0])


def _about(cls: type) -> list[RenderableType]:
    """The docstring and the options of a class."""
    return [BLANK, Text(_ticks(inspect.getdoc(cls) or "")), BLANK, *_options_of(cls)]


def _options_of(cls: type) -> list[RenderableType]:
    """The table of a class's options, if it has some, and a blank line."""
    known = options(cls) if dataclasses.is_dataclass(cls) else {}
    return [_options(known), BLANK] if known else []


def _options(known: Mapping[str, Option]) -> RenderableType:
    return table(OPTION_HEADER, option_rows(known), words=OPTION_HEADER)


def option_rows(known: Mapping[str, Option]) -> list[tuple[str, str, str, str]]:
    """What there is to say of options, one row each; ``OPTION_HEADER`` names the columns."""
    return [(name, _default(option), _allowed(option), _help(option)) for name, option in known.items()]


def _help(option: Option) -> str:
    later = "" if option.available else " Not available yet."
    return _ticks(option.help) + later


def _default(option: Option) -> str:
    if option.required:
        return "required"
    value = option.default
    if isinstance(value, Component):
        return value.name
    return "" if dataclasses.is_dataclass(value) else flow(value)


def _allowed(option: Option) -> str:
    """What an option may be, as a phrase."""
    members = alternatives(option.annotation)
    return " or ".join(dict.fromkeys(_phrase(member, option) for member in members))


def _phrase(member: Any, option: Option) -> str:
    inside = section_in(member)
    if inside is None:
        return Leaf(member, option.bounds).wanted()
    if not issubclass(inside, Component):
        phrase = f"options ({', '.join(options(inside))})"
        return f"{phrase} by name" if get_origin(member) is dict else phrase
    if get_origin(member) is tuple:
        return f"a list of which each item is {_phrase(get_args(member)[0], option)}"
    noun = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", inside.__name__).lower()
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def written(cls: type[Component]) -> Iterator[str]:
    """A component's examples as they stand in a YAML."""
    roles = [place for role, place in ROLES.items() if issubclass(cls, role)]
    place = roles[0] if roles else PLACES[cls.kind]
    for example in cls.examples:
        yield place.format(flow({"type": cls.name, **example}) if example else cls.name)


def flow(value: Any) -> str:
    """A value as YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str) and (not _BARE.match(value) or resolve(value) != value):
        return json.dumps(value)
    return scalar_text(plain(value))


def _ticks(text: str) -> str:
    return text.replace("``", "`")
