"""Other tables are read as the training table was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nnctl
from nnctl.errors import DataError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained(cells: list[str], task: str) -> nnctl.Run:
    rows = "".join(f"{place},{cells[place % len(cells)]}\n" for place in range(20))
    Path("t.csv").write_text(f"x,y\n{rows}")
    Path("t.yaml").write_text(f"data: {{path: t.csv, target: y, task: {task}, split: none}}\ntrain: {{epochs: 2}}\n")
    return nnctl.train("t.yaml")


def test_a_label_that_reads_as_null_is_a_label_again() -> None:
    run = trained(["none", "some"], "auto")
    assert nnctl.load(run).classes == ("none", "some")
    Path("other.csv").write_text("x,y\n1,none\n2,none\n")
    assert nnctl.evaluate(run, "other.csv").rows == 2


def test_words_in_a_numeric_target_are_named() -> None:
    run = trained(["1.5", "2", "7"], "regression")
    Path("other.csv").write_text("x,y\n1,red\n2,blue\n")
    with pytest.raises(DataError, match=r"other\.csv:2: column `y`: 2 of 2 values are not numbers"):
        nnctl.evaluate(run, "other.csv")


def test_the_resolved_config_pins_the_type_of_the_target() -> None:
    run = trained(["1", "2"], "binary")
    Path("other.csv").write_text("x,y\n1,1\n2,1\n")
    assert nnctl.evaluate(run, "other.csv").metrics["accuracy"] >= 0
    assert "y:\n      type: number" in Path(run.path, "resolved.yaml").read_text()


def test_an_evaluation_names_the_run_as_a_path() -> None:
    run = trained(["a", "b"], "auto")
    found = nnctl.evaluate("t/latest", "t.csv")
    assert found.run == run.path
    assert json.loads(Path(found.run, "run.json").read_text())["name"] == "t"
