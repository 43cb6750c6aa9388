"""YAML text becomes nodes: values that know where they are written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml

from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.problems import Problems, format_key, shown
from nnctl.spec.scalars import UNWRITABLE, Value, resolve

MAX_BYTES = 1_000_000
MAX_DEPTH = 64
MAX_NODES = 100_000
TOO_LARGE = "must be at most 1 MB, is larger"

# libyaml is 20 times faster. Where PyYAML was built without it, what both accept is read alike.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURROGATE = re.compile("[\ud800-\udfff]")  # libyaml refuses their escapes itself
_LINE_BREAK = re.compile("\r\n|\r|\n")
# `{lr: ${env:LR}}`: YAML would end the text at the inner brace. These stand in for the braces while it is parsed.
_ENV = re.compile(r"\$\{(env:[A-Za-z_][A-Za-z0-9_]*)\}")
_GUARDED = re.compile("\\$\U0010fffe(env:[A-Za-z_][A-Za-z0-9_]*)\U0010ffff")

_PlaceAt = Callable[[int, int], Place]  # from line and column


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``text`` is what was written, without quotes."""

    place: Place
    value: Value
    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """Named nodes; ``keys`` has the place of each name."""

    place: Place
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    place: Place
    items: list[Node] = field(default_factory=list)


Node = Scalar | Mapping | Sequence


def plain(node: Node) -> Any:
    """The values of a node without their places."""
    if isinstance(node, Mapping):
        return {key: plain(item) for key, item in node.items.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def parse(text: str, source: str) -> Mapping:
    """The nodes of a YAML document whose top level is a mapping.

    Raises: SpecError with every problem found, each with its line and column.
    """
    root = _compose(text, lambda line, column: Place(source, line, column))
    if isinstance(root, Mapping):
        return root
    if root is None or (isinstance(root, Scalar) and root.text == "" and not root.quoted):
        raise SpecError(Problem("nothing is written here, expected lines such as `seed: 0`", place=Place(source)))
    got = f"the text {shown(root.text)}" if isinstance(root, Scalar) else "a list"
    raise SpecError(Problem(f"expected lines such as `seed: 0` at the top level, got {got}", place=root.place))


def parse_value(text: str, place: Place) -> Node:
    """The node of one value in flow style, as in ``optimizer.lr=0.1``; all of it lies at one place.

    Raises: SpecError if it is no YAML, or YAML that would lose a part of the text.
    """
    root = _compose(text, lambda line, column: place, flow_only=True)
    root = Scalar(place, None, "") if root is None else root
    if isinstance(root, Scalar) and not root.quoted and (root.text != text.strip() or (text and not text.strip())):
        raise SpecError(Problem(f"YAML reads {shown(root.text)} here, put the whole value in quotes", place=place))
    return root


def _compose(text: str, place_at: _PlaceAt, *, flow_only: bool = False) -> Node | None:
    composer = _Composer(place_at, flow_only=flow_only)
    guarded = _guarded(text.removeprefix("\ufeff"), place_at)
    try:
        for event in yaml.parse(guarded, Loader=_LOADER):
            composer.take(event)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # the last two from chr() in PyYAML's own loader
        line, column, message = _syntax(error, guarded)
        composer.stop(message, place_at(line, column))
    composer.problems.raise_if_any()
    return composer.root


@dataclass(slots=True)
class _Open:
    node: Mapping | Sequence
    key: str = ""
    due: bool = False  # the key is read, its value is not


class _Composer:
    """Builds nodes from parser events on a stack of its own, so that no input can exhaust Python's."""

    def __init__(self, place_at: _PlaceAt, *, flow_only: bool) -> None:
        self.place_at, self.flow_only = place_at, flow_only
        self.problems = Problems()
        self.root: Node | None = None
        self.stack: list[_Open] = []
        self.nodes = self.documents = 0

    def take(self, event: Any) -> None:
        place = self.place_at(event.start_mark.line + 1, event.start_mark.column + 1)
        if isinstance(event, yaml.NodeEvent):
            self._limit(event, place)
            node = _node(event, place)
            self._attach(node)
            self._refuse(event, place)
            if not isinstance(node, Scalar):
                self.stack.append(_Open(node))
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.stop("a second document starts here, write one experiment in one file", place)

    def stop(self, message: str, place: Place) -> None:
        """Give up here. Without a key: the parser may be a few lines ahead of the key that was last seen."""
        self.problems.add("", message, place)
        self.problems.raise_if_any()

    def _limit(self, event: Any, place: Place) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.stop(f"must have at most {MAX_NODES:,} values, has more", place)
        if len(self.stack) >= MAX_DEPTH and isinstance(event, yaml.CollectionStartEvent):
            self.stop(f"must be nested at most {MAX_DEPTH} deep, is deeper", place)

    def _attach(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        if isinstance(top.node, Sequence):
            top.node.items.append(node)
        elif top.due:
            top.node.items[top.key], top.due = node, False
        elif isinstance(node, Scalar):
            self._name(top, top.node, node)
        else:
            self.stop("a key must be a single name or number, not a list or a mapping", node.place)

    def _name(self, top: _Open, mapping: Mapping, name: Scalar) -> None:
        top.key, top.due = name.text, True
        if name.text in mapping.keys:
            self._add(f"is written twice, first at {mapping.keys[name.text]}, keep one", name.place)
        elif name.text in ("", "<<") and not name.quoted:
            reason = "merge keys are not supported, use `extends` to share" if name.text else "a name is missing"
            self._add(reason, name.place)
        mapping.keys.setdefault(name.text, name.place)

    def _refuse(self, event: Any, place: Place) -> None:
        tag = getattr(event, "tag", None)
        block = getattr(event, "flow_style", True) is False or getattr(event, "style", None) in ("|", ">")
        if event.anchor is not None:
            sign = shown(("*" if isinstance(event, yaml.AliasEvent) else "&") + event.anchor)
            self._add(f"{sign}: anchors are not supported, use `extends` to share, or quotes for text", place)
        elif tag is not None:
            tag = shown(tag.replace("tag:yaml.org,2002:", "!!"))
            self._add(f"{tag}: tags are not supported, put text that starts with `!` in quotes", place)
        elif self.flow_only and block:
            self._add("put text with signs of YAML in quotes, write a mapping as `{a: 1}`, a list as `[1, 2]`", place)
        elif _SURROGATE.search(getattr(event, "value", "")):
            self._add("half of a surrogate pair is no character", place)

    def _add(self, message: str, place: Place) -> None:
        path = [open_.key if isinstance(open_.node, Mapping) else len(open_.node.items) - 1 for open_ in self.stack]
        self.problems.add(format_key(path), message, place)


def _node(event: Any, place: Place) -> Node:
    if isinstance(event, yaml.MappingStartEvent):
        return Mapping(place)
    if isinstance(event, yaml.SequenceStartEvent):
        return Sequence(place)
    if isinstance(event, yaml.AliasEvent):
        return Scalar(place, None, f"*{event.anchor}")
    text = _GUARDED.sub(r"${\1}", event.value) if "\U0010fffe" in event.value else event.value
    quoted = not event.implicit[0]
    return Scalar(place, text if quoted else resolve(text), text, quoted)


def _guarded(text: str, place_at: _PlaceAt) -> str:
    """The text as PyYAML may have it. Raises: SpecError at what no YAML may hold."""
    if len(text) > MAX_BYTES:
        raise SpecError(Problem(TOO_LARGE, place=place_at(1, 1)))
    # A tag directive costs libyaml the square of their number, and tags are refused anyway.
    wrong = UNWRITABLE.search(text) or re.search("^%TAG", text, re.MULTILINE)
    if wrong:
        lines = _LINE_BREAK.split(text[: wrong.start()])
        message = f"the character U+{ord(wrong[0][0]):04X} can be written only as an escape in double quotes"
        message = "tags are not supported" if wrong[0] == "%TAG" else message
        raise SpecError(Problem(message, place=place_at(len(lines), len(lines[-1]) + 1)))
    return _ENV.sub("$\U0010fffe\\1\U0010ffff", text)


# What PyYAML (libyaml and its own scanner) says -> whether it is meant at the start of what was being read, and ours.
_SENTENCES = (
    ("unexpected end of stream", True, "the quote that opens here is never closed"),
    ("could not find expected ':'", True, "expected `name: value`"),
    ("mapping values are not allowed", False, "no `:` is expected here, check the indentation or quote the text"),
    ("sequence entries are not allowed", False, "a list of `- ` items starts on a line of its own"),
    ("cannot start any token", False, "text cannot start with this character, put it in quotes"),
    ("alphabetic or numeric", True, "text that starts with `*` or `&` must be in quotes"),
    ("escape", False, "no such escape in double quotes, write `\\\\` for a backslash or use single quotes"),
    ("tag", False, "tags are not supported, put text that starts with `!` in quotes"),
    ("expected ',' or", False, "expected `,` or the end of the brackets opened on line {line}"),
    ("expected <document start>", False, "nothing may follow the end of the document"),
    ("node content", False, "expected a value, put text that starts with this character in quotes"),
    ("expected", False, "this does not continue the lines above, check the indentation and the quotes"),
)


def _syntax(error: Exception, text: str) -> tuple[int, int, str]:
    """Line, column and sentence of an error that PyYAML raised."""
    mark: Any = getattr(error, "problem_mark", None)
    start: Any = getattr(error, "context_mark", None) or mark
    problem = getattr(error, "problem", None) or str(error)
    if mark is None:
        return 1, 1, f"not valid YAML: {problem}"
    line = (_LINE_BREAK.split(text) + [""] * 2)[mark.line]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return mark.line + 1, mark.column + 1, "a tab in the indentation, use spaces"
    for said, at_start, sentence in _SENTENCES:
        if said in problem:
            where = start if at_start else mark
            return where.line + 1, where.column + 1, sentence.format(line=start.line + 1)
    return mark.line + 1, mark.column + 1, f"not valid YAML: {problem}"
