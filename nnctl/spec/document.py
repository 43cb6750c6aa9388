"""A document: one experiment file with its parents, its environment variables and its overrides in place."""

from __future__ import annotations

import os
import re
from collections import abc
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.arguments import check_overrides, check_path
from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.files import content_of, parse_bytes
from nnctl.spec.nodes import MAX_BYTES, TOO_LARGE, Mapping, Node, Scalar, Sequence
from nnctl.spec.overrides import assigned, is_null, merge, override
from nnctl.spec.problems import Problems, format_key, parse_key, shown
from nnctl.spec.scalars import UNWRITABLE, resolve

MAX_FILES = 16
_HOLE = re.compile(r"\$\{(?:env:([A-Za-z_][A-Za-z0-9_]*)\})?")


@dataclass(frozen=True)
class Document:
    """What the files and the overrides say together. ``files`` are all that were read, the parents last."""

    root: Mapping
    path: Path
    files: tuple[Path, ...]
    overrides: abc.Mapping[str, Any]  # plain values by key
    content: bytes  # of the file itself, as it was when it was read

    def place(self, key: str) -> Place | None:
        """Where the value of a dotted key is written, or else the nearest value that holds it; None for no key."""
        try:
            parts = parse_key(key)
        except SpecError:
            return None
        node: Node = self.root
        place = node.place
        for part in parts:
            child = _child(node, part)
            if child is None:
                return node.place
            place = _start(node, part, child)
            node = child
        return place


@dataclass(frozen=True)
class Source:
    """An experiment file and its parents as they were when they were read: however often it is loaded."""

    root: Mapping  # ``extends`` resolved
    path: Path
    files: tuple[Path, ...]
    content: bytes


def source_of(path: str | Path) -> Source:
    """Read the files of an experiment. Raises: SpecError."""
    check_path("config", path, "the path of a YAML file")
    content = content_of(path)
    root, files = _with_parents(path, content)
    return Source(root, Path(path), files, content)


def load(path: str | Path | Source, overrides: abc.Sequence[str] | abc.Mapping[str, Any] | None = ()) -> Document:
    """Read an experiment: ``extends`` resolved, overrides applied, ``${env:NAME}`` filled in.

    Raises: SpecError with every problem found.
    """
    overrides = () if overrides is None else overrides
    if not isinstance(path, Source):
        check_path("config", path, "the path of a YAML file")
    check_overrides(overrides)
    problems = Problems()
    source = path if isinstance(path, Source) else source_of(path)
    root = source.root
    try:
        root = override(root, overrides)
    except SpecError as error:
        problems.extend(error)
    if "extends" in root.items:
        problems.add("extends", "can be written only in a file", root.items["extends"].place)
    filled = _Filler(problems).fill(root, ())
    problems.raise_if_any()
    assert isinstance(filled, Mapping)
    return Document(filled, source.path, source.files, assigned(overrides), source.content)


def filled(root: Mapping) -> Mapping:
    """The tree with environment variables filled in. Raises: SpecError with every one that cannot be."""
    problems = Problems()
    made = _Filler(problems).fill(root, ())
    problems.raise_if_any()
    assert isinstance(made, Mapping)
    return made


def _with_parents(path: str | Path, content: bytes) -> tuple[Mapping, tuple[Path, ...]]:
    """The file laid over its parents, without the key ``extends``; and all files read."""
    roots = [parse_bytes(content, os.fspath(path))]
    files, size = [Path(path)], len(content)
    while (wanted := _parent(roots[-1])) is not None:
        parent = Path(wanted.place.source).parent / str(wanted.value)
        _check_chain([*files, parent], wanted.place)
        root, read = _read_parent(parent, wanted.place)
        size += read
        if size > MAX_BYTES:
            raise SpecError(Problem(f"with the files it extends: {TOO_LARGE}", "extends", wanted.place))
        roots.append(root)
        files.append(parent)
    merged = roots[-1]
    for root in reversed(roots[:-1]):
        merged = merge(_without_extends(merged), root)
    return _without_extends(merged), tuple(files)


def _parent(root: Mapping) -> Scalar | None:
    """The name of the file that this one extends, filled in."""
    node = root.items.get("extends")
    if node is None or is_null(node):
        return None
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or UNWRITABLE.search(node.value):
        raise SpecError(Problem("must be the name of one YAML file", "extends", node.place))
    problems = Problems()
    filled = _Filler(problems).text(node, "extends")
    problems.raise_if_any()
    return Scalar(filled.place, filled.text, filled.text)


def _check_chain(files: list[Path], place: Place) -> None:
    chain = " -> ".join(str(file) for file in files)
    real = [os.path.realpath(file) for file in files]
    if real[-1] in real[:-1]:
        raise SpecError(Problem(f"the files extend one another in a circle: {chain}", "extends", place))
    if len(files) > MAX_FILES:
        raise SpecError(Problem(f"at most {MAX_FILES} files may extend one another, got {chain}", "extends", place))


def _read_parent(path: Path, place: Place) -> tuple[Mapping, int]:
    """The nodes of a file that another one extends, and its size in bytes."""
    try:
        content = content_of(path)
        return parse_bytes(content, os.fspath(path)), len(content)
    except SpecError as error:
        # A problem with the file as a whole belongs to the line that names it.
        raise SpecError(
            Problem(f"{problem.place}: {problem.message}", "extends", place)
            if problem.place is None or problem.place.line is None
            else problem
            for problem in error.problems
        ) from None


def _without_extends(root: Mapping) -> Mapping:
    items = {key: node for key, node in root.items.items() if key != "extends"}
    return Mapping(root.place, items, {key: place for key, place in root.keys.items() if key != "extends"})


class _Filler:
    """Fills environment variables in; what is wrong with them goes to the problems."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.size = 0  # letters of the texts that were filled in, all together

    def fill(self, node: Node, key: tuple[str | int, ...]) -> Node:
        """The tree with environment variables filled in."""
        if isinstance(node, Mapping):
            items = {name: self.fill(item, (*key, name)) for name, item in node.items.items()}
            return Mapping(node.place, items, node.keys)
        if isinstance(node, Sequence):
            return Sequence(node.place, [self.fill(item, (*key, at)) for at, item in enumerate(node.items)])
        return self.text(node, format_key(key)) if "${" in node.text else node

    def text(self, node: Scalar, key: str) -> Scalar:
        """The scalar, filled in, then read as YAML, also where the hole stands in quotes."""
        for hole in _HOLE.finditer(node.text):
            self._check(hole, node, key)
        text = _HOLE.sub(lambda hole: os.environ.get(hole[1] or "", hole[0]), node.text)
        return Scalar(node.place, resolve(text), text)

    def _check(self, hole: re.Match[str], node: Scalar, key: str) -> None:
        name = hole[1]
        if name is None:
            message = f"only `${{env:NAME}}` is filled in, got {shown(node.text[hole.start() :])}"
            self.problems.add(key, message, node.place)
        elif name not in os.environ:
            self.problems.add(key, f"the environment variable {shown(name)} is not set", node.place)
        elif UNWRITABLE.search(os.environ[name]):
            message = f"the environment variable {shown(name)} holds characters that are not text"
            self.problems.add(key, message, node.place)
        else:
            self.size += len(os.environ[name])
            if self.size > MAX_BYTES:
                self.problems.add(
                    key, f"with the environment variable {shown(name)} filled in: {TOO_LARGE}", node.place
                )
                self.problems.raise_if_any()


def _start(node: Node, part: str | int, child: Node) -> Place:
    """Where a child is written; a mapping in block style starts at its name, not at the line below."""
    name = node.keys.get(str(part)) if isinstance(node, Mapping) and isinstance(child, Mapping) else None
    if name is not None and name.source == child.place.source and name.line != child.place.line:
        return name
    return child.place


def _child(node: Node, part: str | int) -> Node | None:
    if isinstance(node, Mapping):
        return node.items.get(str(part))
    if isinstance(node, Sequence) and isinstance(part, int) and part in range(len(node.items)):
        return node.items[part]
    return None
