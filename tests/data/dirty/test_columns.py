"""Columns that are not what they seem, cells that do not belong, and names that cannot be seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from nnctl.checking import CheckedColumn, check
from tests.data.dirty.clean import FIRST, HEADER, LAST, MIDDLE, ROWS, changed, quoted, text, with_column
from tests.data.dirty.conftest import Desk

START = date(2024, 1, 1)
FULL_WIDTH, ARABIC = ({ord("0") + i: first + i for i in range(10)} for first in (0xFF10, 0x660))


def column(desk: Desk, cell_of: Callable[[int, str], str], *overrides: str) -> CheckedColumn:
    """What becomes of the column ``a`` with these cells; the run is the check's."""
    desk.train(text(with_column("a", cell_of)), *overrides)
    (found,) = [column for column in check("t.yaml", overrides).columns if column.name == "a"]
    return found


# --- one cell among numbers ---

STRANGE = [
    *("abc", "n/a", "None", "-", "--", ".", "#N/A", "#REF!", "#DIV/0!", "=1+2", "=SUM(A1:A9)", "<NA>", "0x1F", "1_000"),
    *("1 000", "1\u202f000", "1'000", "$5", "5%", "5 kg", "1.5.2", "--5", "1d5", "1e", "½", "\u22125", "\uff15", "٣"),
    *("True", "yes", "12:30", "2024-01-01", "1.5\u200b", "\ufeff1.5", "1.#QNAN", "1,5", "1.234,56", "1,234.56", "\x1a"),
    *("5 6", '5"', "5\n6", "(5)", "5-", "+-5", "e5", "1e5.5", "\u066b5", "\x7f5"),
]


@pytest.mark.parametrize("cell", STRANGE)
def test_cell_that_is_no_number_is_named(desk: Desk, cell: str) -> None:
    for row in (FIRST, MIDDLE, LAST):
        message = desk.refusal(text(changed(row, "a", quoted(cell))))
        assert message.startswith(f"t.csv:{row + 2}: column `a`: 1 of 120 values is not a number: {cell!r} ")
        assert f"(line {row + 2}); correct it, add the text to `data.missing_values`, or declare" in message


@pytest.mark.parametrize("cell", ["inf", "-inf", "Infinity", "+INF", "1e400", "-1e400", "1e999999999", "-nan", "NAN"])
def test_number_that_is_not_finite_is_named(desk: Desk, cell: str) -> None:
    for name in ("a", "b"):
        message = desk.refusal(text(changed(MIDDLE, name, cell)))
        assert message.startswith(
            f"t.csv:62: column `{name}`: 1 of 120 values is not a finite number: '{cell}' (line 62)"
        )


@pytest.mark.parametrize("cell", ["", "NA", "N/A", "nan", "NaN", "null", "?", "  ", " NA "])
def test_missing_cell_among_numbers_is_filled_and_counted(desk: Desk, cell: str) -> None:
    run = desk.train(text(changed(MIDDLE, "a", cell)))
    assert run.metrics["train_accuracy"] > 0.95
    assert [found.missing for found in check("t.yaml").columns] == [1, 0, 0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("+5", "5"), ("5.", "5"), ("005", "5"), ("5e0", "5"), ("5E+00", "5"), (" 5 ", "5"), ("5\xa0", "5"), ("\t5", "5")],
)
def test_other_spelling_of_a_number_is_that_number(desk: Desk, cell: str, value: str) -> None:
    expected = desk.train(text(changed(MIDDLE, "a", value))).metrics
    assert desk.train(text(changed(MIDDLE, "a", cell))).metrics == expected


@pytest.mark.parametrize("cell", ["1e308", "-1e308", "3.5e38", "1e-320", "1234567890123456789012", "-0", "0e999"])
def test_number_of_any_size_leaves_finite_metrics(desk: Desk, cell: str) -> None:
    metrics = desk.train(text(changed(MIDDLE, "a", cell))).metrics
    assert all(map(math.isfinite, metrics.values()))


# --- whole columns ---


@pytest.mark.parametrize(
    "cell_of",
    [
        lambda row, cell: f"{row + 1}_000",
        lambda row, cell: quoted(f"{row + 1},000"),
        lambda row, cell: quoted(f"{row + 1},00,000"),
        lambda row, cell: f"{row + 1} 000",
        lambda row, cell: f"{row + 1}\u2009000",
        lambda row, cell: f"{row + 1}\xa0000",
        lambda row, cell: f"{row + 1}'000",
        lambda row, cell: f"{row + 1}\u2019000",
        lambda row, cell: quoted(f"{row + 1}.000,5"),
        lambda row, cell: quoted(cell.replace(".", ",")),
        lambda row, cell: "$" + cell,
        lambda row, cell: cell + " €",
        lambda row, cell: cell + " EUR",
        lambda row, cell: cell + "%",
        lambda row, cell: str(row).translate(FULL_WIDTH),
        lambda row, cell: str(row).translate(ARABIC),
        lambda row, cell: ["True", "0", "1", "False"][row % 4],
        lambda row, cell: "x" if row % 2 == 0 else cell,
        lambda row, cell: "inf",
    ],
)
def test_numbers_in_another_notation_do_not_become_a_category(desk: Desk, cell_of: Callable[[int, str], str]) -> None:
    message = desk.refusal(text(with_column("a", cell_of)))
    assert message.startswith("t.csv:2: column `a`: ")
    assert " of 120 values are not " in message
    assert "(line 2)" in message or "(line 4)" in message


@pytest.mark.parametrize(
    "cell_of",
    [
        lambda row, cell: f"id{row}",
        lambda row, cell: f"{row * 7919:032x}",
        lambda row, cell: f"customer {row} said",
        lambda row, cell: f"=B{row}",
        lambda row, cell: f"10.0.0.{row}",
        lambda row, cell: cell + " kg",
        lambda row, cell: hex(row),
        lambda row, cell: f"{row:05d}",
    ],
)
def test_texts_that_all_differ_are_for_the_user_to_decide(desk: Desk, cell_of: Callable[[int, str], str]) -> None:
    message = desk.refusal(text(with_column("a", cell_of)))
    assert "column `a` has 1" in message
    assert "distinct texts in 120 rows" in message
    assert all(way in message for way in ("`data.drop`", "`data.id`", "`data.columns.a.type`"))
    assert desk.train(text(with_column("a", cell_of)), "data.drop=[a]").metrics["train_accuracy"] > 0.5


@pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y"])
def test_dates_that_are_not_iso_ask_for_their_format(desk: Desk, form: str) -> None:
    cells = [(START + timedelta(days=row)).strftime(form) for row in range(120)]
    message = desk.refusal(text(with_column("a", lambda row, _: cells[row])))
    assert "`a`" in message
    assert "type: date, format:" in message
    declared = f"data.columns={{a: {{type: date, format: '{form}'}}}}"
    assert column(desk, lambda row, _: cells[row], declared).type == "date"


@pytest.mark.parametrize(
    ("cell_of", "type", "distinct"),
    [
        (lambda row, _: str(START + timedelta(days=row)), "date", 120),
        (lambda row, _: f"{START + timedelta(days=row)} 12:30:00", "date", 120),
        (lambda row, _: ["TRUE", "false", "Yes", "no"][row % 4], "boolean", 2),
        (lambda row, _: "no", "boolean", 1),
        (lambda row, _: "TF"[row % 2], "category", 2),
        (lambda row, _: f"{row % 7:05d}", "category", 7),
        (lambda row, _: str(10**21 + row * 10**18), "number", 120),
        (lambda row, _: "x", "category", 1),
        (lambda row, _: "", "number", 0),
        (lambda row, _: "3.0", "number", 1),
        (lambda row, cell: str(float(cell) * 1e300), "number", len({row[0] for row in ROWS})),
    ],
)
def test_column_has_the_type_that_its_cells_show(
    desk: Desk, cell_of: Callable[[int, str], str], type: str, distinct: int
) -> None:
    found = column(desk, cell_of)
    assert (found.type, found.distinct) == (type, distinct)
    assert distinct > 1 or any("`a`" in warning for warning in check("t.yaml").warnings)


def test_declared_type_wins_over_what_the_cells_show(desk: Desk) -> None:
    for type, cells in (("category", ["1", "2"]), ("boolean", ["1", "0"]), ("number", ["01", "02"])):
        found = column(desk, lambda row, _, cells=cells: cells[row % 2], f"data.columns={{a: {{type: {type}}}}}")
        assert (found.type, found.distinct) == (type, 2)


# --- names ---


@pytest.mark.parametrize("name", ["\u200by", "y\u200b", "Y", "\u202ay", "y\ufeff", "y\xad", "\xb4y", "y."])
def test_name_that_only_looks_like_the_target_is_shown(desk: Desk, name: str) -> None:
    message = desk.refusal(text(header=["a", "b", "color", name]))
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name)
    assert f"has no column `y`, did you mean `{shown}`? It has `a`, `b`, `color`, `{shown}`" in message


@pytest.mark.parametrize("name", [" y", "y ", "\xa0y", "\ty\t", '"y"', '" y"', ' "y"'])
def test_blanks_and_quotes_around_a_name_are_none_of_it(desk: Desk, name: str) -> None:
    desk.is_clean(text(header=[*HEADER[:3], name]))


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", " a "), ("a", '"a"'), (" é", "é"), ("x\xa0", "x")])
def test_name_that_stands_twice_is_refused(desk: Desk, first: str, second: str) -> None:
    message = desk.refusal(text(header=[first, second, "color", "y"]))
    assert message == f"t.csv:1: duplicate column `{first.strip()}`: columns 1 and 2; rename all but one"


@pytest.mark.parametrize("name", ["", "  ", '""', "\t"])
def test_column_without_a_name_is_refused_if_it_has_values(desk: Desk, name: str) -> None:
    for place in range(3):
        header = [*HEADER[:place], name, *HEADER[place + 1 :]]
        assert desk.refusal(text(header=header)).startswith(f"t.csv:2: column {place + 1} has no name, but has values")
    rows = [["", *cells] for cells in ROWS]
    assert desk.refusal(text([*rows[:50], ["5", *ROWS[50]], *rows[51:]], [name, *HEADER])).startswith(
        "t.csv:52: column 1"
    )


@pytest.mark.parametrize(
    "name", ["é", "色 😀", "b b", "a.b", "c[0]", "d=e", "null", "1", "=1+1", '"x, y"', '"x\ny"', "a\tb"]
)
def test_any_other_name_is_a_name(desk: Desk, name: str) -> None:
    desk.is_clean(text(header=[name, *HEADER[1:]]))
    assert (Path("runs") / "t").is_dir()
