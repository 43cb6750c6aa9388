"""Options of columns that cannot apply, and a target that contradicts itself: each a problem at its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.checking import check
from nnctl.errors import NnctlError
from tests.tables import mixed_csv

START = "data:\n  path: table.csv\n"


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return mixed_csv(tmp_path / "table.csv")


def problems(data: str) -> NnctlError:
    Path("it.yaml").write_text(START + "".join(f"  {line}\n" for line in data.splitlines()))
    error = check("it.yaml").error
    assert error is not None
    return error


def keys(data: str) -> list[str]:
    return [problem.key for problem in problems(data).problems]


ANSWER = "target: answer\nid: [id]\ndrop: [amount]\n"


@pytest.mark.parametrize(
    ("column", "options", "wrong"),
    [
        ("a", "{encode: ordinal, order: [x]}", ["encode", "order"]),
        ("member", "{encode: one_hot}", ["encode"]),
        (
            "colour",
            "{scale: robust, missing: mean, clip: [0, 1], indicator: true}",
            ["scale", "missing", "indicator", "clip"],
        ),
        ("colour", "{encode: parts}", ["encode"]),
    ],
)
def test_an_option_of_another_type_is_refused_at_its_key(column: str, options: str, wrong: list[str]) -> None:
    error = problems(f"{ANSWER}columns: {{{column}: {options}}}")
    assert error.exit_code == 3
    assert [problem.key for problem in error.problems] == [f"data.columns.{column}.{option}" for option in wrong]
    assert all(str(problem).startswith("it.yaml:6:") for problem in error.problems)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{type: number, encode: ordinal}", "encode"),
        ("{type: category, scale: none}", "scale"),
        ("{type: date, encode: one_hot}", "encode"),
        ("{type: date, order: [a]}", "order"),
        ("{format: '%Y', encode: ordinal}", "encode"),
        ("{type: number, format: '%Y'}", "format"),
        ("{type: text, encode: hash}", "encode"),
        ("{type: date, format: d.m.Y}", "format"),
        ("{type: date, format: '%Q'}", "format"),
        ("{type: date, format: '%d %d'}", "format"),
        ("{clip: [1, 1]}", "clip"),
        ("{clip: [3, -3]}", "clip"),
    ],
)
def test_what_the_yaml_alone_shows_is_wrong_in_itself(options: str, wrong: str) -> None:
    error = problems(f"{ANSWER}columns: {{a: {options}}}")
    assert error.exit_code == 2
    assert [problem.key for problem in error.problems] == [f"data.columns.a.{wrong}"]


@pytest.mark.parametrize(
    ("columns", "wrong"),
    [
        ("{answer: {type: category, encode: one_hot}}", "answer.encode"),
        ("{answer: {order: [no, yes]}}", "answer.order"),
        ("{answer: {type: date}}", "answer.type"),
        ("{answer: {type: text}}", "answer.type"),
        ("{id: {type: category}}", "id.type"),
        ("{amount: {scale: none}}", "amount.scale"),
    ],
)
def test_options_of_a_column_that_is_no_feature_are_in_vain(columns: str, wrong: str) -> None:
    error = problems(f"{ANSWER}columns: {columns}")
    assert (error.exit_code, [problem.key for problem in error.problems]) == (2, [f"data.columns.{wrong}"])


def test_the_column_of_a_split_may_say_how_it_is_read() -> None:
    split = "split: {type: column, column: colour}\n"
    assert keys(f"{ANSWER}{split}columns: {{colour: {{encode: one_hot}}}}") == ["data.columns.colour.encode"]
    assert "column `colour` must say train" in str(problems(f"{ANSWER}{split}columns: {{colour: {{type: category}}}}"))


def test_a_target_may_say_its_type() -> None:
    Path("it.yaml").write_text(START + "  target: answer\n  drop: [id]\n  columns: {answer: {type: category}}\n")
    assert check("it.yaml").error is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("target: []", "names no column to predict"),
        ("target: [amount, b, amount]", "names `amount` more than once"),
        ("target: amount\ndrop: [id, amount]", "`amount` also stands in `data.drop`"),
        ("target: [a, amount]\nid: [amount]", "`amount` also stands in `data.id`"),
    ],
)
def test_a_target_that_contradicts_itself_is_refused(data: str, message: str) -> None:
    error = problems(data)
    assert (error.exit_code, [problem.key for problem in error.problems]) == (2, ["data.target"])
    assert str(error).startswith("it.yaml:3:11: ")
    assert message in str(error)


@pytest.mark.parametrize("order", ["[blue, red]", "[blue, red, green, red]"])
def test_an_order_that_does_not_fit_has_its_own_key(order: str) -> None:
    assert keys(f"{ANSWER}columns: {{colour: {{order: {order}}}}}") == ["data.columns.colour.order"]


def test_an_order_needs_levels() -> None:
    data = f"{ANSWER}columns: {{colour: {{encode: hash, order: [blue, green, red]}}}}"
    assert "data.columns.colour.order: hash knows no order" in str(problems(data))
    data = f"{ANSWER}categorical: {{encode: hash, min_count: 2, max_levels: 3}}"
    assert keys(data) == ["data.categorical.min_count", "data.categorical.max_levels"]


def test_columns_that_are_left_out_may_hold_anything() -> None:
    path = Path("table.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0] + ",mess", *(f"{line},{place}" for place, line in enumerate(lines[1:])), ""]))
    path.write_text(path.read_text().replace(",7\n", ",seven\n"))
    Path("it.yaml").write_text(START + "  target: answer\n  drop: [id, amount, mess]\n")
    assert check("it.yaml").error is None
    assert "column `mess`: 1 of 120 values is not a number" in str(problems("target: answer\ndrop: [id, amount]"))


@pytest.mark.parametrize("part", ["val", "test"])
def test_problems_with_a_file_of_its_own_name_its_key(part: str) -> None:
    key = f"data.{part}_path"
    data = f"{ANSWER}{part}_path: other.csv"
    assert str(problems(data)).startswith(f"it.yaml:6:{len(part) + 10}: {key}: other.csv: no such file")
    text = Path("table.csv").read_text()
    for old, new, message in (
        (",answer,", ",reply,", "has no column `answer`, the target"),
        (",colour,", ",color,", "has no column `colour`, which training used"),
        ('"yes, please"', "perhaps", "`answer` holds `perhaps`, not among the classes of training"),
    ):
        Path("other.csv").write_text(text.replace(old, new))
        found = problems(data)
        assert [problem.key for problem in found.problems] == [key]
        assert message in str(found)


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_file_of_its_own_may_hold_anything_in_columns_that_are_not_used(part: str) -> None:
    lines = Path("table.csv").read_text().splitlines()
    mess = ["mess", *("7" if place else "inf" for place, _ in enumerate(lines[1:]))]
    Path("other.csv").write_text("".join(f"{line},{cell}\n" for line, cell in zip(lines, mess, strict=True)))
    data = f"{ANSWER}{part}_path: other.csv\n"
    Path("it.yaml").write_text(START + "".join(f"  {line}\n" for line in data.splitlines()))
    assert check("it.yaml").error is None


@pytest.mark.parametrize("part", ["val", "test"])
def test_a_part_comes_from_one_place_alone(part: str) -> None:
    lines = Path("table.csv").read_text().splitlines()
    parts = ["part", *(part if place < 9 else "train" for place, _ in enumerate(lines[1:]))]
    Path("table.csv").write_text("".join(f"{line},{cell}\n" for line, cell in zip(lines, parts, strict=True)))
    error = problems(f"{ANSWER}{part}_path: table.csv\nsplit: {{type: column, column: part}}")
    assert [problem.key for problem in error.problems] == ["data.split"]
    assert f"puts 9 rows into {part}, which `data.{part}_path` gives" in str(error)
