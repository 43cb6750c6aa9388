"""What the binding says about a value that cannot stand where it is written."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any

from nnctl.component import Component, options, registry
from nnctl.spec.leaves import alternatives
from nnctl.spec.nodes import Mapping, Node, Scalar
from nnctl.spec.problems import listed, shown, suggest
from nnctl.spec.synonyms import SYNONYMS

MOST_LISTED = 12  # names of components in one message


def noun(base: type[Component]) -> str:
    """How one component of a kind is called in a message: layers -> layer, losses -> loss."""
    nouns = {"losses": "loss", "early_stopping": "early stopping rule", "transforms": "transform"}
    return nouns.get(base.kind, base.kind.removesuffix("s"))


def allowed_types(base: type[Component], kind: AnyMapping[str, type]) -> str:
    """What may stand there, or how to see it where it is a long list."""
    return f"allowed: {listed(kind)}" if len(kind) <= MOST_LISTED else f"`nnctl list {base.kind}` shows all there are"


def text_of(node: Node | None) -> str:
    """A node as a message shows it."""
    if isinstance(node, Scalar):
        return node.text if node.text else ("null" if node.value is None else "")
    return "a mapping" if isinstance(node, Mapping) else "a list"


def got(node: Node) -> str:
    """What stands there, as the end of a message."""
    if not isinstance(node, Scalar):
        return text_of(node)
    return "nothing" if node.value is None and not node.text else shown(node.text)


def meant_list(base: type[Component], node: Node) -> str:
    """What was probably meant by one component where a list of them is expected."""
    meant = suggest(node.text, registry.all(base.kind, base), SYNONYMS) if isinstance(node, Scalar) else None
    return f", did you mean `[{meant}]`?" if meant else ""


def meant_option(cls: type, node: Node) -> str:
    """What was probably meant by a component's name where a section with an option for it is expected."""
    if not isinstance(node, Scalar):
        return ""
    for name, option in options(cls).items():
        bases = [each for each in alternatives(option.annotation) if is_component(each)]
        if any(node.text in registry.all(base.kind, base) for base in bases):
            return f", did you mean `{{{name}: {node.text}}}`?"
    return ""


def must_be(allowed: str, node: Node, known: tuple[str, ...]) -> str:
    message = f"must be {allowed}, got {got(node)}"
    if isinstance(node, Scalar) and isinstance(node.value, str) and known:
        close = suggest(node.value, known, SYNONYMS)
        return f"{message}, did you mean `{close}`?" if close else message
    return message


def is_component(item: Any) -> bool:
    return isinstance(item, type) and issubclass(item, Component)
