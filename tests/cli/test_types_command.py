"""Types from the file to the predictions: found, shown by check, pinned in the resolved config, read with again."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Result
from tests.tables import CLASSIFY, write_csv

Command = Callable[..., Result]
HEADER = ["id", "day", "code", "colour", "flag", "x", "count", "note", "y"]


@pytest.fixture
def table(folder: Path) -> Path:
    rows = [
        [
            f"c{row}",
            f"2024-0{1 + row % 9}-1{row % 9}",
            f"0{row % 4}0",
            ("red", "a, b", "a level of many letters")[row % 3],
            "yes" if row % 5 else "No",
            "" if row % 9 == 0 else (row % 60) / 8 - 3,
            row % 5,
            f"said {row}",
            "p" if row % 2 else "q",
        ]
        for row in range(120)
    ]
    (folder / "typed.yaml").write_text(
        "data:\n  path: typed.csv\n  target: y\n  id: [id]\n  columns: {code: {type: category}, note: {type: text}}\n"
        "model: {hidden: [4]}\ntrain: {epochs: 2}\n"
    )
    return write_csv(folder / "typed.csv", HEADER, rows)


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("table")
def test_the_table_of_a_check_is_as_in_the_golden_file(nnctl: Command, golden: Callable[[str, str], None]) -> None:
    result = nnctl("check", "typed.yaml")
    assert result.code == 0
    golden("check_types.txt", f"{result.out}---\n{result.err}")


@pytest.mark.usefixtures("table")
def test_ranges_and_levels_are_in_the_json(nnctl: Command) -> None:
    columns = {column["name"]: column for column in nnctl("check", "typed.yaml", "--json").json["columns"]}
    assert list(columns) == ["day", "code", "colour", "flag", "x", "count"]
    assert columns["day"]["range"] == ["2024-01-10", "2024-09-18"]
    assert columns["x"]["range"] == [-3.0, 4.375]
    assert columns["code"]["levels"] == {"000": 30, "010": 30, "020": 30, "030": 30}
    assert columns["flag"]["levels"] == {"yes": 96, "No": 24}
    assert (columns["x"]["levels"], columns["flag"]["range"]) == ({}, None)


def test_what_was_found_is_pinned_and_gives_the_same_run(nnctl: Command, table: Path) -> None:
    table.write_text(table.read_text().replace('"a, b"', "a").replace(",", "|"))
    first = nnctl("train", "typed.yaml", "--json").json
    pinned = yaml.safe_load((Path(first["run"]) / "resolved.yaml").read_text())["data"]
    assert pinned["format"]["delimiter"] == "|"
    types = {name: column.get("type") for name, column in pinned["columns"].items()}
    assert types == {
        "day": "date",
        "code": "category",
        "colour": "category",
        "flag": "boolean",
        "x": "number",
        "count": "number",
        "note": "text",
        "y": "category",
    }
    again = nnctl("train", f"{first['run']}/resolved.yaml", "--json").json
    assert again["metrics"] == first["metrics"]
    assert "holds dates" not in nnctl("check", f"{first['run']}/resolved.yaml").err


def test_predict_reads_another_delimiter_and_keeps_the_cells(nnctl: Command, table: Path) -> None:
    run = nnctl("train", "typed.yaml", "--json").json["run"]
    text = table.read_text().replace('"a, b"', "a").replace(",", ";")
    Path("other.csv").write_text(text)
    assert nnctl("predict", run, "other.csv", "-o", "out.csv").code == 0
    assert Path("out.csv").read_text().splitlines()[0] == ";".join([*HEADER, "prediction"])


@pytest.mark.parametrize("overrides", [[], ["data.positive='010'"], ["loss.class_weight={'010': 2, '007': 1}"]])
def test_labels_with_leading_zeros_come_back(nnctl: Command, folder: Path, overrides: list[str]) -> None:
    rows = [[row % 7, row / 10, "010" if row % 7 > 3 else "007"] for row in range(80)]
    write_csv(folder / "codes.csv", ["a", "b", "y"], rows)
    (folder / "codes.yaml").write_text(
        "data: {path: codes.csv, target: y, columns: {y: {type: category}}}\nmodel: {hidden: [4]}\ntrain: {epochs: 3}\n"
    )
    result = nnctl("train", "codes.yaml", "--json", *overrides)
    assert result.code == 0, result.err
    assert nnctl("predict", result.json["run"], "codes.csv", "-o", "out.csv", "--proba").code == 0
    found = read("out.csv")
    assert {row["prediction"] for row in found} <= {"007", "010"}
    assert list(found[0])[-2:] == ["p_007", "p_010"]


@pytest.mark.parametrize("label", ["010", "007"])
def test_labels_with_leading_zeros_need_no_quotes_in_the_yaml(nnctl: Command, folder: Path, label: str) -> None:
    rows = [[row % 7, row / 10, "010" if row % 7 > 3 else "007"] for row in range(80)]
    write_csv(folder / "codes.csv", ["a", "b", "y"], rows)
    (folder / "codes.yaml").write_text(
        f"data: {{path: codes.csv, target: y, positive: {label}, columns: {{y: {{type: category}}}}}}\n"
        f"loss: {{class_weight: {{{label}: 3}}}}\n"
    )
    resolved = yaml.safe_load(nnctl("check", "codes.yaml", "--resolved").out)
    assert resolved["data"]["positive"] == label


def test_columns_that_nobody_can_use_are_refused_together(nnctl: Command, table: Path) -> None:
    lines = table.read_text().replace("2024-01-10", "31.31.2024").splitlines()
    table.write_text("\n".join(lines) + "\n")
    result = nnctl("check", "typed.yaml", "data.id=[]", "data.columns={}", "data.target=why", "--json")
    assert result.code == 3
    keys = [problem["key"] for problem in result.json["problems"]]
    assert keys[:2] == ["data.columns.id", None]
    table.write_text(table.read_text().replace("31.31.2024", "2024-01-10"))
    result = nnctl("check", "typed.yaml", "data.id=[]", "data.columns={}", "data.target=why", "--json")
    assert [problem["key"] for problem in result.json["problems"]] == [
        "data.target",
        "data.columns.id",
        "data.columns.note",
    ]


def test_a_column_that_predict_would_write_is_refused_at_training(nnctl: Command, folder: Path) -> None:
    rows = [[row % 7, row / 10, row % 3, row % 2] for row in range(60)]
    write_csv(folder / "taken.csv", ["prediction", "p_1", "a", "y"], rows)
    (folder / "taken.yaml").write_text("data: {path: taken.csv, target: y}\n")
    result = nnctl("train", "taken.yaml", "--json")
    assert (result.code, result.out) == (3, "")
    assert (
        "data.columns.prediction: `prediction` is the name of a column that `predict` writes: rename it" in result.err
    )
    assert "data.columns.p_1: `p_1` is the name of" in result.err
    assert not (folder / "runs").exists()
    assert nnctl("train", "taken.yaml", "data.drop=[prediction, p_1]", "-q").code == 0


def test_a_text_column_is_left_out_and_says_so(nnctl: Command, folder: Path) -> None:
    (folder / "it.yaml").write_text(CLASSIFY.replace("  id: [id]\n", "  columns: {id: {type: text}}\n"))
    result = nnctl("check", "it.yaml")
    assert "column `id` is text, which the network cannot read, and is left out" in result.err
    assert ["text", "id"] in [line.split() for line in result.out.splitlines()]
    run = nnctl("train", "it.yaml", "--json").json["run"]
    lines = (folder / "table.csv").read_text().splitlines()
    (folder / "less.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines) + "\n")
    assert nnctl("predict", run, "less.csv", "-o", "out.csv").code == 0
    assert nnctl("check", f"{run}/resolved.yaml").code == 0


def test_a_target_of_a_regression_is_read_as_numbers_or_refused_by_line(nnctl: Command, folder: Path) -> None:
    (folder / "it.yaml").write_text(CLASSIFY + "\n")
    result = nnctl("check", "it.yaml", "data.task=regression")
    assert result.code == 3
    assert result.err.startswith("table.csv:2: column `answer`: 120 of 120 values are not numbers: ")
    assert result.err.splitlines()[0].endswith("and 115 more; correct them or add the text to `data.missing_values`")
