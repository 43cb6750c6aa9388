"""The rules of the house, read off the source: imports run downward, files stay small, nothing unsafe is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "nnctl"
MODULES = sorted(PACKAGE.rglob("*.py"))

# A room may import those above it in this list (and its own modules), never those below.
ROOMS = (
    ("errors", "frozen"),
    ("component", "arguments", "blocks"),
    (
        "spec.synonyms",
        "spec.problems",
        "spec.files",
        "spec.nodes",
        "spec.scalars",
        "spec.dump",
        "spec.overrides",
        "spec.document",
        "spec.flat",
    ),
    (
        "initializers",
        "layers",
        "losses",
        "optimizers",
        "schedules",
        "metrics",
        "early_stopping",
        "transforms",
        "splits",
    ),
    ("network",),
    ("data",),
    (
        "spec.sweep",
        "spec.schema",
        "spec.roles",
        "spec.leaves",
        "spec.wording",
        "spec.binding",
        "spec.reading",
        "spec.json_schema",
    ),
    ("testing",),
    ("training",),
    ("significance",),
    ("preparing",),
    ("audit", "autopsy"),
    ("runs",),
    ("model",),
    ("running",),
    ("sweeps",),
    ("experiment",),
    ("purposes", "drafting"),
    ("judging", "checking", "starting"),
    ("pairing",),
    ("comparing",),
    ("console",),
    ("commands",),
    ("cli", "__main__"),
)
EVERYWHERE = {"", "spec"}  # nnctl itself (its version), and the docstring of nnctl.spec


def room(module: str) -> int | None:
    """The place of a module's room in the list; the longest name that fits."""
    fitting = [
        (len(name), place)
        for place, names in enumerate(ROOMS)
        for name in names
        if module == name or module.startswith(f"{name}.")
    ]
    return max(fitting)[1] if fitting else None


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__").removesuffix("__init__")


def imports(path: Path) -> Iterator[str]:
    """The nnctl modules that a file imports, without the leading ``nnctl.``."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if (ROOT / f"{name.replace('.', '/')}.py").exists() else node.module for name in submodules]
        yield from (name.partition(".")[2] for name in names if name.split(".")[0] == "nnctl")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_downward(path: Path) -> None:
    name = name_of(path)
    if name in EVERYWHERE:
        return
    own = room(name)
    assert own is not None, f"{name} stands in no room of the list"
    upward = [other for other in imports(path) if other not in EVERYWHERE and (room(other) or 0) > own]
    assert not upward, f"{name} imports {upward}, which lie above it"


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=str)
def test_no_file_is_longer_than_300_lines(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= 300, f"{path.name} has {lines} lines"


def test_a_component_file_holds_one_public_class_named_like_its_type() -> None:
    from nnctl.component import KINDS, registry

    for kind in KINDS:
        for cls in registry.classes(kind):
            path = PACKAGE / kind / f"{cls.name}.py"
            assert path.exists(), f"{kind}: `{cls.name}` lies in {cls.__module__}"
            public = [
                node.name
                for node in ast.parse(path.read_text()).body
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
            ]
            assert public == [cls.__name__], f"{path.name} holds {public}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_can_run_code_from_data(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\b(import|from) (pickle|marshal|shelve)\b|allow_pickle=True|yaml\.(unsafe_)?load\(", text)
    calls = [
        node.func.id
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert not {"eval", "exec"} & set(calls)


def test_pyarrow_is_imported_by_the_readers_of_parquet_alone() -> None:
    importing = [
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [])
        + ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        if name.split(".")[0] == "pyarrow"
    ]
    assert set(importing) == {"data.parquet", "data.arrow"}


def test_pandas_is_imported_by_the_parsing_alone() -> None:
    importing = [
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "pandas" for alias in node.names)
    ]
    assert set(importing) <= {"data.parsing", "data.frame", "model"}  # the last two: for a type annotation only
