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
from nnctl.spec.dump import scalar_text
from nnctl.spec.leaves import Leaf, alternatives
from nnctl.spec.schema import Experiment
from nnctl.transforms import Encoder, Imputer, Scaler

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
ROLES = {Scaler: "scale: {}", Imputer: "missing: {}", Encoder: "encode: {}"}

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def show_kinds(found: Mapping[str, Mapping[str, type[Component]]]) -> None:
    """Print the names of every kind."""
    show(pairs((kind, ", ".join(names)) for kind, names in found.items()))


def show_kind(found: Mapping[str, type[Component]]) -> None:
    """Print the names of one kind with what they are."""
    rows = [(name, f"alias of {cls.name}" if name != cls.name else summary(cls)) for name, cls in found.items()]
    show(table(["name", "what it is"], rows, words=["name", "what it is"]))


def show_component(cls: type[Component]) -> None:
    """Print a component: its docstring, options and examples."""
    alias = f" (alias {', '.join(cls.aliases)})" if cls.aliases else ""
    examples = [line(f"  {example}") for example in _examples(cls)]
    show(line(f"{cls.kind}: {cls.name}{alias}", "bold"), *_about(cls), line("examples", "bold"), *examples)


def show_option(key: str, option: Option) -> None:
    """Print a key of the YAML: what it says, and the options below it."""
    inside = section_in(option.annotation)
    parts: list[RenderableType] = [line(key, "bold"), line(""), line(_help(option)), line("")]
    if inside is None:
        parts.append(_options({key.rpartition(".")[2]: option}))
    else:
        parts += _about(inside)
    if inside is not None and issubclass(inside, Component):
        names = registry.all(inside.kind, inside)
        parts += [line("types", "bold"), pairs((f"  {name}", summary(cls)) for name, cls in names.items())]
    show(*parts)


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
        if get_origin(member) in (tuple, dict):
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
    parts: list[RenderableType] = [line(""), Text(_ticks(inspect.getdoc(cls) or "")), line("")]
    if dataclasses.is_dataclass(cls) and options(cls):
        parts += [_options(options(cls)), line("")]
    return parts


def _options(known: Mapping[str, Option]) -> RenderableType:
    header = ("option", "default", "allowed", "what it does")
    rows = [(name, _default(option), _allowed(option), _help(option)) for name, option in known.items()]
    return table(header, rows, words=header)


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
        phrase = Leaf(member, option.bounds).wanted()
        for word in option.later:
            phrase = phrase.replace(f", `{word}`", "").replace(f" or `{word}`", "")
        return phrase
    name = inside.kind if issubclass(inside, Component) else "options"
    if get_origin(member) is tuple:
        return f"a list of {name}"
    return "options by name" if get_origin(member) is dict else f"one of {name}" if name != "options" else name


def _examples(cls: type[Component]) -> Iterator[str]:
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
    if isinstance(value, str) and not _BARE.match(value):
        return json.dumps(value)
    return scalar_text(plain(value))


def _ticks(text: str) -> str:
    return text.replace("``", "`")
