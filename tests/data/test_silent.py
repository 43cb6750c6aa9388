"""Columns that say nothing are named, and targets that cannot be classes are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.checking import check

ROWS = 40


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = [f"{row},,7,{'p' if row % 3 else ''},{row + 0.5},w{row},{row % 2}" for row in range(ROWS)]
    Path("t.csv").write_text("\n".join(["a,nothing,same,one,number,word,y", *lines]) + "\n")
    Path("t.yaml").write_text("data: {path: t.csv, target: y, drop: [word]}\n")


def test_columns_without_values_and_constant_ones_are_named() -> None:
    checked = check("t.yaml")
    assert not checked.problems
    assert [text for text in checked.warnings if "nothing can be learned" in text] == [
        "column `nothing` has no values: nothing can be learned from it, list it in `data.drop`",
        "column `same` has the same value in every row: nothing can be learned from it, list it in `data.drop`",
    ]


@pytest.mark.parametrize("word", ["no", "YES", "false"])
def test_a_column_of_one_boolean_word_is_a_constant_one(word: str) -> None:
    Path("t.csv").write_text("\n".join(["a,flag,y", *(f"{row},{word},{row % 2}" for row in range(ROWS))]) + "\n")
    checked = check("t.yaml", {"data.drop": []})
    assert not checked.problems
    assert any(text.startswith("column `flag` has the same value in every row") for text in checked.warnings)


@pytest.mark.parametrize(
    ("target", "way"),
    [("number", "write `data.task: regression`"), ("word", "name the column that holds the classes")],
)
def test_a_target_of_nearly_as_many_values_as_rows_is_no_class(target: str, way: str) -> None:
    other = "word" if target == "number" else "number"
    (problem,) = check("t.yaml", [f"data.target={target}", "data.task=classification", f"data.drop=[{other}]"]).problems
    assert problem.key == "data.target"
    assert problem.message == f"`{target}` has {ROWS} distinct values in {ROWS} rows, too many for classes; {way}"
