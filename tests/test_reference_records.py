"""The records are made without nnctl, stay small, and say where their numbers come from."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.reference.records import FOLDER, label, load

FILES = sorted(path.stem for path in FOLDER.glob("*.json"))
MAKERS = sorted(path for path in FOLDER.parent.glob("*.py") if path.stem != "comparison")


@pytest.mark.parametrize("path", MAKERS, ids=lambda path: path.stem)
def test_no_record_is_made_by_nnctl(path: Path) -> None:
    """A maker imports its own folder and packages of others."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    own = {f"tests.reference.{maker.stem}" for maker in MAKERS} | {"tests.reference"}
    strange = {name for name in found - own if name.split(".")[0] in ("nnctl", "tests", "subprocess", "importlib")}
    assert not strange


@pytest.mark.parametrize("file", FILES)
def test_every_record_names_its_source_and_differs_from_the_others(file: str) -> None:
    records = load(file)
    for record in records:
        assert record["source"], record["name"]
    labels = [(record["kind"], label(record)) for record in records]
    assert len(labels) == len(set(labels)), {name for name in labels if labels.count(name) > 1}


def test_the_records_together_are_smaller_than_three_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
