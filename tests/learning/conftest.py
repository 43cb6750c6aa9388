"""A folder with the table of fruit and its config, in which every test of this package runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.network.members import stream
from tests.learning.helpers import CONFIG, HEADER
from tests.tables import write_csv


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = stream(0, "learning")
    rows = []
    for place in range(60):
        a, b = rng.standard_normal(2)
        sort = ("pear", "apple", "fig")[0 if a > 0 else 1 + (b > 0.5)]
        ripe, sweet = "yes" if a + b > 0.5 else "no", "on" if b > 0 else "off"
        size = round(5 + float(a - b), 4)
        rows.append([round(float(a), 4), round(float(b), 4), size, place % 4, sort, ripe, sweet, place % 3])
    write_csv(tmp_path / "table.csv", HEADER, rows)
    (tmp_path / "it.yaml").write_text(CONFIG)
    return tmp_path
