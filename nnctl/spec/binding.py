"""Binding: from placed nodes to the experiment, with every problem placed.

The dataclasses say what may stand where; this module walks them and the nodes side by side. Plain values are left
to ``leaves``. A component is a mapping with a ``type``, or its bare name, which means all defaults.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any, get_args, get_origin

from nnctl.component import Component, Option, Vocabulary, options, registry
from nnctl.errors import Place
from nnctl.spec.files import STDIN
from nnctl.spec.leaves import Leaf, alternatives, words
from nnctl.spec.nodes import Mapping, Node, Scalar, Sequence, plain
from nnctl.spec.overrides import is_null
from nnctl.spec.problems import Problems, format_key, shown, suggest, unknown
from nnctl.spec.schema import Data, Experiment, FilePath
from nnctl.spec.synonyms import SYNONYMS
from nnctl.spec.wording import allowed_types, got, is_component, meant_list, meant_option, must_be, noun, text_of

Key = tuple[str | int, ...]
INVALID: Any = object()  # stands for a value whose problem is already noted
MAX_ITEMS = 1_000  # in all lists of components together
NOT_YET = "not available yet, leave it out or write {default}"


class Binder:
    """Binds nodes to dataclasses and gathers the problems it meets."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.items = 0  # of lists of components

    def section(self, cls: type, node: Node, key: Key) -> Any:
        """A section of the experiment; null means all defaults."""
        if is_null(node):
            node = Mapping(node.place, {}, {})
        if not isinstance(node, Mapping):
            message = f"must be a mapping of options ({', '.join(options(cls))}), got {got(node)}"
            return self._wrong(node, key, message + meant_option(cls, node))
        return self._options(cls, node, key, known=options(cls))

    def component(
        self, base: type[Component], node: Node, key: Key, *, usual: str, others: tuple[str, ...] = ()
    ) -> Any:
        """A component of the kind of ``base``: a bare name, or a mapping with ``type`` and options.

        ``others`` are words that may stand in its place.
        """
        kind = registry.all(base.kind, base)
        if isinstance(node, Scalar):
            node = Mapping(node.place, {"type": node}, {"type": node.place})
        if not isinstance(node, Mapping):
            return self._wrong(node, key, f"must be a name or a mapping with `type`, got {got(node)}")
        named = node.items.get("type")
        if (short := _written_short(node, kind, usual)) is not None:
            return self._short(short, node, key)
        if named is None and not usual:
            return self._wrong(node, key, f"has no `type`, {allowed_types(base, kind)}")
        name = usual if named is None else _name_of(named)
        if name is None or name not in kind:
            written = str(name if name is not None else text_of(named))
            names = [*kind, *others]
            message = unknown(noun(base), written, names, SYNONYMS)
            if suggest(written, names, SYNONYMS) is None:
                message = f"unknown {noun(base)} {shown(written)}, {allowed_types(base, kind)}"
            return self._wrong(named or node, (*key, "type") if isinstance(named, Scalar) else key, message)
        cls = kind[name]
        known = options(cls)
        return self._options(cls, node, key, known=known, type_node=named)

    def _short(self, cls: type[Component], node: Mapping, key: Key) -> Any:
        """A component of one option, written ``{NAME: value}``."""
        value = self._value(options(cls)[cls.short], node.items[cls.name], (*key, cls.name))
        return INVALID if value is INVALID else cls(**{cls.short: value})

    def _options(
        self, cls: type, node: Mapping, key: Key, *, known: dict[str, Option], type_node: Node | None = None
    ) -> Any:
        """An instance of ``cls`` from the options in ``node``."""
        names = [*known, "type"] if issubclass(cls, Component) else list(known)
        for name, place in node.keys.items():
            if name not in names:
                self._unknown(cls, name, place, key, names, type_node)
        values = {}
        for name, option in known.items():
            child = node.items.get(name)
            if child is None and option.required:
                self._wrong(node, (*key, name), f"is required: {option.help[0].lower()}{option.help[1:].rstrip('.')}")
                values[name] = INVALID
            elif child is not None:
                values[name] = self._value(option, child, (*key, name))
        if any(value is INVALID for value in values.values()):
            return INVALID
        made = cls(**values)
        before = len(self.problems)
        if isinstance(made, Component):
            for name, message in made.contradictions():
                self._wrong(node.items.get(name, node), (*key, name), message)
        return made if len(self.problems) == before else INVALID

    def _value(self, option: Option, node: Node, key: Key) -> Any:
        """The value of one option."""
        before = len(self.problems)
        value = self._read(option.annotation, option, node, key)
        if len(self.problems) > before or value is INVALID:
            return INVALID
        if not option.available and value != option.default:
            written = "none" if option.default is None else _yaml(option.default)
            return self._wrong(node, key, f"{shown(text_of(node))} is {NOT_YET.format(default=f'`{written}`')}")
        return value

    def _read(self, annotation: Any, option: Option, node: Node, key: Key) -> Any:
        members = alternatives(annotation)
        if type(None) in members and is_null(node) and not _names_a_component(members, node):
            return None
        if isinstance(node, Scalar) and isinstance(node.value, str) and node.value in words(annotation):
            return node.value
        for member in members:
            if isinstance(member, type) and issubclass(member, Component):
                return self.component(member, node, key, usual=_usual(option, member), others=words(annotation))
            if dataclasses.is_dataclass(member):
                return self.section(member, node, key)  # type: ignore[arg-type]
            if get_origin(member) is tuple and is_component(get_args(member)[0]):
                return self._list(get_args(member)[0], node, key)
            if get_origin(member) is tuple and _is_list_of_lists(member):
                return self._lists(get_args(get_args(member)[0])[0], node, key)
            if get_origin(member) is dict and dataclasses.is_dataclass(get_args(member)[1]):
                return self._named(get_args(member)[1], node, key)
        return self._leaf(Leaf(annotation, option.bounds), node, key)

    def _list(self, base: type[Component], node: Node, key: Key) -> Any:
        """A list of components."""
        if not isinstance(node, Sequence):
            message = f"must be a list of names, or of mappings with `type`, got {got(node)}"
            return self._wrong(node, key, message + meant_list(base, node))
        self.items += len(node.items)
        if self.items > MAX_ITEMS:
            return self._wrong(node, key, f"must have at most {MAX_ITEMS:,} items, with those of all lists, has more")
        items = [self.component(base, item, (*key, place), usual="") for place, item in enumerate(node.items)]
        return INVALID if any(item is INVALID for item in items) else tuple(items)

    def _lists(self, base: type[Component], node: Node, key: Key) -> Any:
        """A list of lists of components."""
        if not isinstance(node, Sequence):
            return self._wrong(node, key, f"must be a list of lists, got {got(node)}")
        lists = [self._list(base, item, (*key, place)) for place, item in enumerate(node.items)]
        return INVALID if any(item is INVALID for item in lists) else tuple(lists)

    def _named(self, cls: type, node: Node, key: Key) -> Any:
        """A mapping from names that the user chose to sections."""
        if is_null(node):
            return {}
        if not isinstance(node, Mapping):
            return self._wrong(node, key, f"must be a mapping by name, got {got(node)}")
        return {name: self.section(cls, item, (*key, name)) for name, item in node.items.items()}

    def _leaf(self, leaf: Leaf, node: Node, key: Key) -> Any:
        takes_text = _takes_text(leaf.annotation)
        if _is_list(leaf.annotation) and isinstance(node, Scalar) and not _takes_scalar(leaf.annotation):
            if is_null(node) and node.value is None:
                return ()
            return self._wrong(node, key, f"must be {leaf.wanted()}, got {got(node)}")
        value = _as_written(node) if takes_text else plain(node)
        is_path = FilePath in alternatives(leaf.annotation)
        if is_path and isinstance(value, str):
            return _as_path(value, node)  # also one that is no UTF-8, which JSON cannot say
        try:
            read = leaf.read(value)
        except LookupError as error:
            where, allowed = node, leaf.wanted()
            for index in error.args:
                if isinstance(where, Sequence) and index < len(where.items):  # else it is an item that lacks
                    where, allowed, key = where.items[index], leaf.wanted_inside(tuple), (*key, index)
                elif isinstance(where, Mapping):
                    where, allowed, key = where.items[index], leaf.wanted_inside(dict), (*key, index)
            return self._wrong(where, key, must_be(allowed, where, words(leaf.annotation)))
        return _as_path(read, node) if is_path else read

    def _unknown(self, cls: type, name: str, place: Place, key: Key, names: list[str], type_node: Node | None) -> None:
        meant = suggest(name, names, SYNONYMS)
        message = unknown("option", name, names, SYNONYMS)
        if cls is Experiment and (inside := _inside_a_section(name)):
            message = f"unknown option, did you mean `{inside}`?"
        elsewhere = type_node is not None and type_node.place.source != place.source
        if elsewhere and meant is None and place.line is not None and issubclass(cls, Component):
            # The type was changed elsewhere than the option was written: on the command line, or by `extends`.
            whole = f"{format_key(key)}='{{type: {cls.name}, ...}}'"
            message = f"{cls.name} has no such option; to replace the whole value write {whole}"
        self.problems.add(format_key((*key, name)), message, place)

    def _wrong(self, node: Node, key: Key, message: str) -> Any:
        self.problems.add(format_key(key), message, node.place)
        return INVALID


def _inside_a_section(name: str) -> str | None:
    """The whole key of an option that stands in one of the experiment's sections: ``epochs`` -> ``train.epochs``."""
    for meant in (name, *SYNONYMS.get(name, "").split()):
        for section, option in options(Experiment).items():
            cls = Data if section == "data" else type(option.default)
            if dataclasses.is_dataclass(cls) and meant in options(cls):
                return f"{section}.{meant}"
    return None


def _written_short(node: Mapping, kind: Vocabulary[Any], usual: str) -> type[Component] | None:
    """The component of ``{NAME: value}``, which is no option of the usual one."""
    if len(node.items) != 1 or "type" in node.items:
        return None
    name = next(iter(node.items))
    found = None if usual and name in options(kind[usual]) else kind.get(name)
    return found if found is not None and found.short and found.name == name else None


def _usual(option: Option, base: type[Component]) -> str:
    """The type that a mapping without ``type`` means: that of the default."""
    return option.default.name if isinstance(option.default, Component) else base.usual


def _name_of(node: Node) -> str | None:
    if isinstance(node, Scalar):
        return "none" if is_null(node) else node.text
    return None


def _names_a_component(members: tuple[Any, ...], node: Node) -> bool:
    """Whether the text ``none`` is the name of a component there, such as a column's ``scale: none``."""
    bases = [each for each in members if isinstance(each, type) and issubclass(each, Component)]
    return (
        isinstance(node, Scalar)
        and node.value is not None
        and any("none" in registry.all(each.kind, each) for each in bases)
    )


def _is_list_of_lists(annotation: Any) -> bool:
    """Whether it is a tuple of tuples of components, the branches of a layer."""
    inner = get_args(annotation)[0]
    return get_origin(inner) is tuple and is_component(get_args(inner)[0])


def _is_list(annotation: Any) -> bool:
    return any(get_origin(member) is tuple for member in alternatives(annotation))


def _takes_scalar(annotation: Any) -> bool:
    return any(get_origin(member) is not tuple and member is not type(None) for member in alternatives(annotation))


def _takes_text(annotation: Any) -> bool:
    """Whether names or labels are expected, which may be written as numbers."""
    members = alternatives(annotation)
    return any(
        member in (str, FilePath) or (get_origin(member) is tuple and get_args(member)[0] is str) for member in members
    )


def _as_written(node: Node) -> Any:
    """The plain value of a node with every scalar as it was written."""
    if isinstance(node, Sequence):
        return [_as_written(item) for item in node.items]
    return node.text if isinstance(node, Scalar) and node.value is not None else plain(node)


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _as_path(written: Any, node: Node) -> Any:
    """A path relative to the file it is written in, as seen from the current folder."""
    if written is None or written == STDIN:
        return written
    folder = Path(node.place.source).parent if node.place.line is not None else Path()
    return os.path.normpath(folder / os.path.expanduser(written))  # one of nobody's home stays as it is
