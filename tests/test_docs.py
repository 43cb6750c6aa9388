"""The pages in docs/ that are made from the code are those of this code."""

from __future__ import annotations

import runpy
from pathlib import Path

from nnctl.component import KINDS, registry

DOCS = Path(__file__).parent.parent / "docs"
PAGE = runpy.run_path(str(DOCS / "make.py"))["components"]()


def test_the_components_are_those_of_the_code() -> None:
    stale = (DOCS / "components.md").read_text(encoding="utf-8") != PAGE
    assert not stale, "docs/components.md is stale: run `make docs`"


def test_every_component_has_a_part_of_its_own() -> None:
    for kind in KINDS:
        for cls in registry.classes(kind):
            assert PAGE.count(f'<a id="{kind}-{cls.name}"></a>') == 1
            assert f"](#{kind}-{cls.name})" in PAGE


def test_no_row_of_a_table_is_torn() -> None:
    for line in PAGE.splitlines():
        if line.startswith("|"):
            assert line.replace("\\|", "").count("|") == 5, line
