"""The JSON Schema of an experiment's YAML, for editors: composed from the options that the dataclasses declare."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any, Literal, NewType, get_args, get_origin

from nnctl.component import Component, Option, options, plain, registry
from nnctl.spec.leaves import alternatives
from nnctl.spec.schema import Experiment

DRAFT = "https://json-schema.org/draft/2020-12/schema"
BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
NULL = {"enum": [None, "none"]}
# Labels and names of columns may be written as numbers or truth values: what counts is the text.
TEXT = {"type": ["string", "number", "boolean"]}
ENVIRONMENT = {"$ref": "#/$defs/environment"}

Schema = dict[str, Any]


def json_schema() -> Schema:
    """The schema, draft 2020-12. Whatever it refuses, nnctl refuses; what needs the data or two keys, it cannot see."""
    composer = _Composer()
    root = composer.mapping(Experiment)
    parent = {"type": "string", "description": "YAML file that this one is laid over, relative to this file."}
    root["properties"] = {"extends": parent, **root["properties"]}
    return {
        "$schema": DRAFT,
        "title": "nnctl experiment",
        **root,
        # A file with a parent may leave the required keys to it.
        "if": {"required": ["extends"]},
        "else": _required(Experiment),
        "$defs": composer.definitions,
    }


class _Composer:
    """Composes the schemas of sections and components; each is defined once, under ``$defs``."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {
            "environment": {"type": "string", "pattern": r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}"}
        }

    def mapping(self, cls: type) -> Schema:
        """The schema of a mapping with the options of a class."""
        properties = {name: self.option(option) for name, option in options(cls).items()}
        return {
            "type": "object",
            "description": _first_sentence(cls),
            "properties": properties,
            "additionalProperties": False,
        }

    def option(self, option: Option) -> Schema:
        """The schema of one option's value."""
        text = option.help if option.available else f"{option.help} Not available yet."
        described: Schema = {"description": text.replace("``", "`")}
        if not option.required and not dataclasses.is_dataclass(option.default):
            described["default"] = plain(option.default)
        elif isinstance(option.default, Component):
            described["default"] = option.default.name
        if not option.available:
            default = plain(option.default)
            return described | (NULL if default is None else {"const": default})
        return described | self.value(option.annotation, option)

    def value(self, annotation: Any, option: Option) -> Schema:
        """The schema of a value, the bounds of the option on every number in it."""
        return _any([self.member(member, option) for member in alternatives(annotation)])

    def member(self, annotation: Any, option: Option) -> Schema:
        """The schema of a value of one type, which is no union."""
        if annotation is type(None):
            return NULL
        if annotation is Any:
            return {}
        if annotation in (int, float):
            limits = {BOUNDS[bound]: limit for bound, limit in option.bounds.items()}
            return _any([{"type": "integer" if annotation is int else "number", **limits}, ENVIRONMENT])
        if annotation is bool:
            return _any([{"type": "boolean"}, ENVIRONMENT])
        if annotation is str or isinstance(annotation, NewType):
            return TEXT
        if get_origin(annotation) is Literal:
            return _any([{"enum": list(get_args(annotation))}, ENVIRONMENT])
        if isinstance(annotation, type) and issubclass(annotation, Component):
            return self.component(annotation, _usual(option, annotation))
        return self.collection(annotation, option)

    def collection(self, annotation: Any, option: Option) -> Schema:
        """The schema of a section, a list, or a mapping by name."""
        origin, items = get_origin(annotation), get_args(annotation)
        if origin is tuple and Ellipsis in items:
            return {"type": ["array", "null"], "items": self.value(items[0], option)}
        if origin is tuple:
            return {
                "type": "array",
                "prefixItems": [self.value(item, option) for item in items],
                "minItems": len(items),
            }
        if origin is dict:
            return {"type": ["object", "null"], "additionalProperties": self.value(items[1], option)}
        name: str = annotation.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # taken, in case that it holds itself
            self.definitions[name] = self.mapping(annotation)
        return _any([{"$ref": f"#/$defs/{name}"}, NULL])

    def component(self, base: type[Component], usual: str) -> Schema:
        """The schema of a component: its name, or a mapping with its type and options."""
        key = f"{base.__name__}.{usual}" if usual else base.__name__
        if key not in self.definitions:
            self.definitions[key] = {}  # taken: a dense layer has an activation, which is a layer
            self.definitions[key] = self._union(base, usual)
        return {"$ref": f"#/$defs/{key}"}

    def _union(self, base: type[Component], usual: str) -> Schema:
        names = registry.all(base.kind, base)
        bare: list[Any] = [name for name, cls in names.items() if not any(o.required for o in options(cls).values())]
        if "none" in bare:
            bare.append(None)
        classes = registry.classes(base.kind, base)
        mappings = [self._mapping(cls, typed=cls.name != usual) for cls in classes]
        short = [self._short(cls) for cls in classes if cls.short]
        return {"anyOf": [{"enum": bare}, *mappings, *short, ENVIRONMENT]}

    def _short(self, cls: type[Component]) -> Schema:
        """A component of one option, written ``{NAME: value}``."""
        properties = {cls.name: self.option(options(cls)[cls.short])}
        return {"type": "object", "properties": properties, "required": [cls.name], "additionalProperties": False}

    def _mapping(self, cls: type[Component], *, typed: bool) -> Schema:
        """A component written out; the usual one of its place needs no ``type``."""
        key = f"{cls.kind}.{cls.name}" + ("" if typed else ".usual")
        if key not in self.definitions:
            self.definitions[key] = {}
            self.definitions[key] = self._written_out(cls, typed=typed)
        return {"$ref": f"#/$defs/{key}"}

    def _written_out(self, cls: type[Component], *, typed: bool) -> Schema:
        made = self.mapping(cls)
        names: list[Any] = [cls.name, *cls.aliases]
        if "none" in names:
            names.append(None)
        made["properties"] = {"type": {"const": cls.name} if len(names) == 1 else {"enum": names}, **made["properties"]}
        required = [name for name, option in options(cls).items() if option.required]
        return made | {"required": [*(["type"] if typed else []), *required]}


def _usual(option: Option, base: type[Component]) -> str:
    """The type that a mapping without ``type`` means there."""
    return option.default.name if isinstance(option.default, Component) else base.usual


def _required(cls: type) -> Schema:
    """The required keys of a section and of the sections in it."""
    annotations: dict[str, Any] = {name: option.annotation for name, option in options(cls).items() if option.required}
    inside = {name: _required(each) for name, each in annotations.items() if hasattr(each, "__dataclass_fields__")}
    required: Schema = {"required": list(annotations)}
    return required | ({"properties": inside} if inside else {})


def _any(schemas: list[Schema]) -> Schema:
    """One of the schemas; those that are unions already are taken apart."""
    flat: list[Schema] = []
    for schema in schemas:
        flat += schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
    unique = [schema for place, schema in enumerate(flat) if schema not in flat[:place]]
    return unique[0] if len(unique) == 1 else {"anyOf": unique}


def _first_sentence(cls: type) -> str:
    return (inspect.getdoc(cls) or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")
