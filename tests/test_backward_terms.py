"""No term of any backward can be dropped without a gradient check that fails."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nnctl.component import Component, registry
from nnctl.layers import convolution
from nnctl.network.buffers import Memory
from nnctl.testing.layers import check_layer_gradients
from nnctl.testing.losses import check_loss_gradients

CHECKS: dict[str, Callable[[Any], None]] = {"layers": check_layer_gradients, "losses": check_loss_gradients}


def statements(tree: ast.AST) -> Iterator[ast.Expr]:
    """Every statement that computes something: all calls that stand alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node


def without(source: str, place: int) -> ast.Module:
    """The function without its statement number ``place``."""
    tree = ast.parse(source)
    dropped = list(statements(tree))[place]

    class Drop(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.stmt:
            return ast.copy_location(ast.Pass(), node) if node is dropped else node

    return ast.fix_missing_locations(Drop().visit(tree))


def source_of(cls: type[Component]) -> str:
    return textwrap.dedent(inspect.getsource(cls.backward))  # type: ignore[attr-defined]


def module_of(cls: type[Component]) -> str:
    """The module of the class that defines its backward."""
    return next(base.__module__ for base in cls.__mro__ if "backward" in vars(base))


def filled_with_junk(carve: Callable[..., Any]) -> Callable[..., Any]:
    """``Memory.carve`` whose new memory never holds by chance what the last check left there: the right answer."""

    def carved(self: Memory, name: str, *rest: Any) -> Any:
        new, _ = name not in self.flat, carve(self, name, *rest)
        if new and self._planned[name][2] is None:
            memory = self.flat[name]
            memory.fill(0.37 if memory.dtype.kind == "f" else 1)
        return carve(self, name, *rest)

    return carved


CASES = [
    pytest.param(cls, place, id=f"{cls.name}-{ast.unparse(node)}")
    for kind in CHECKS
    for cls in registry.classes(kind)
    for place, node in enumerate(statements(ast.parse(source_of(cls))))
]


@pytest.mark.parametrize(("cls", "place"), CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what is left of a formula may well overflow
def test_dropping_a_term_fails_the_gradient_check(
    cls: type[Component], place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = dict(vars(sys.modules[module_of(cls)]))
    exec(compile(without(source_of(cls), place), "dropped", "exec"), scope)
    monkeypatch.setattr(cls, "backward", scope["backward"])
    monkeypatch.setattr(Memory, "carve", filled_with_junk(Memory.carve))
    monkeypatch.setattr(convolution, "BLOCK", 1)  # several blocks, as a batch of images has
    with pytest.raises(AssertionError, match="gradient"):
        CHECKS[cls.kind](cls)
