"""Missing cells are counted in every part, and categories too wide for the memory are refused before it is taken."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import nnctl.preparing.sizes
from nnctl.data.features import Features
from nnctl.errors import SpecError
from nnctl.experiment import open_experiment
from tests.tables import experiment, write_csv

LEVELS = 400


@pytest.fixture
def towns(tmp_path: Path) -> Path:
    """A config over 800 rows with a category of 400 levels."""
    rows = [[f"t{place % LEVELS}", place % 7, "no" if place % 3 else "yes"] for place in range(2 * LEVELS)]
    write_csv(tmp_path / "table.csv", ["town", "n", "y"], rows)
    (tmp_path / "it.yaml").write_text("data: {path: table.csv, target: y}\ntrain: {epochs: 1}\n")
    return tmp_path / "it.yaml"


def test_missing_cells_are_counted_in_every_part(tmp_path: Path) -> None:
    config = experiment(tmp_path)
    with (tmp_path / "table.csv").open() as file:
        missing = sum(not row["a"] for row in csv.DictReader(file))
    prepared = open_experiment(config).prepared
    column = prepared.dataset.table.columns["a"]
    counts = {name: int((~column.present[part.rows]).sum()) for name, part in prepared.dataset.parts.items()}
    assert sum(counts.values()) == missing > 0
    listed = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    [note] = [note for note in prepared.notes if note.startswith("missing cells")]
    assert note == f"missing cells are filled: `a` {listed} ({prepared.features.columns[0].fill:.6g})"  # type: ignore[union-attr]


def test_a_table_without_missing_cells_has_no_such_note(towns: Path) -> None:
    assert not any(note.startswith("missing cells") for note in open_experiment(towns).prepared.notes)


def test_only_some_of_many_columns_with_missing_cells_are_named(tmp_path: Path) -> None:
    names = [f"n{place}" for place in range(12)]
    rows = [["" if row == place else row * place for place in range(12)] + [row % 2] for row in range(60)]
    write_csv(tmp_path / "table.csv", [*names, "y"], rows)
    (tmp_path / "it.yaml").write_text("data: {path: table.csv, target: y, split: none}")
    [note] = [note for note in open_experiment(tmp_path / "it.yaml").prepared.notes if note.startswith("missing")]
    assert note.endswith("`n7` 1 train (210); and 4 columns more")


@pytest.mark.parametrize(
    ("override", "key", "way"),
    [
        ("data.categorical.encode=one_hot", "data.categorical.encode", "keep fewer levels"),
        ("data.columns.town.encode=one_hot", "data.columns.town.encode", "keep fewer levels"),
        ("data.categorical.encode={type: hash, buckets: 500}", "data.categorical.encode", "or fewer `buckets`"),
    ],
)
def test_too_many_columns_for_levels_are_refused_before_the_matrix_is_made(
    towns: Path, monkeypatch: pytest.MonkeyPatch, override: str, key: str, way: str
) -> None:
    monkeypatch.setattr(nnctl.preparing.sizes, "machine_memory", lambda: 4_000_000)
    monkeypatch.setattr(Features, "matrix", lambda *_: pytest.fail("the matrix was made"))
    with pytest.raises(SpecError) as caught:
        open_experiment(towns, [override])
    [problem] = caught.value.problems
    assert problem.key == key
    assert "columns of `town`" in problem.message
    assert "`data.columns.town.encode: embedding`" in problem.message
    assert way in problem.message


def test_the_same_table_fits_as_codes(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nnctl.preparing.sizes, "machine_memory", lambda: 1_000)
    assert open_experiment(towns, ["model.hidden=[1]"]).prepared.features.width == 2
