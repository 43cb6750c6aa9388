"""Types that nobody declared: codes, dates, numbers in other notations, and texts that name rows."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.columns import Column, Notation, Strays, Undecided, typed_column
from nnctl.data.dates import date_seconds, date_text, is_iso
from nnctl.data.numerals import are_codes
from tests.data.helpers import NOTATION, cells, column, read, sentence, texts

# --- codes ---


@pytest.mark.parametrize("found", [["01", "2"], ["007", "12", "?"], ["00", "1"], ["01234", "99999"], ["01", "2A", "3"]])
def test_a_column_with_an_integer_that_has_leading_zeros_keeps_its_texts(found: list[str]) -> None:
    made = column(*found)
    assert made.type == "category"
    assert texts(made) == [None if text == "?" else text for text in found]


@pytest.mark.parametrize("found", [["0", "1"], ["0.5", "1"], ["00.5", "01"], ["-03", "01"], ["01", "2e3"], ["1", "0."]])
def test_a_quantity_may_have_leading_zeros(found: list[str]) -> None:
    made = column(*found)
    assert (made.type, made.values.tolist()) == ("number", [float(text) for text in found])


@pytest.mark.parametrize("blanks", ["", " ", "  ", "\t", " \t", "\v", "\f"])
@pytest.mark.parametrize("delimiter", [",", "\t", " "])
def test_blanks_before_a_code_do_not_make_it_a_number(
    blanks: str, delimiter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if delimiter not in blanks:
        for row in (f"{blanks}07{delimiter}1", f"1{delimiter}{blanks}07"):
            table = read(f"a{delimiter}b\n{row}\n", delimiter=delimiter)
            assert ("07",) in [column.levels for column in table.columns.values()]


def test_codes_with_zeros_in_front_are_numbers_if_that_is_declared() -> None:
    assert column("007", "8", declared="number").values.tolist() == [7, 8]


@given(st.lists(st.from_regex(r"0[0-9]{1,6}|[0-9]{1,7}", fullmatch=True), min_size=1, max_size=19))
def test_codes_come_back_as_they_were_written(found: list[str]) -> None:
    made = column(*found)
    if any(len(text) > 1 and text.startswith("0") for text in found):
        assert texts(made) == found
    else:
        assert made.values.tolist() == [float(text) for text in found]


# --- dates ---


@pytest.mark.parametrize(
    "found",
    [
        ["2024-02-29", "?"],
        ["2024-02-29", "2024-02-29T10:30", "2024-02-29 10:30:59.5", "2024-02-29T10:30Z", "2024-02-29 10:30+02:00"],
        ["20240229T1030", "20240229T103059"],
        ["2024-W05", "2024-W05-3"],
        ["2024-02-29", "20240301", "2024-03-02"],
    ],
)
def test_dates_of_iso_8601_are_found(found: list[str]) -> None:
    made = column(*found)
    assert made.type == "date"
    expected = [math.nan if text == "?" else date_seconds(text, None) for text in found]
    np.testing.assert_array_equal(made.values, expected)


@pytest.mark.parametrize("found", [["20240131"], ["20240131", "20240201"]])
def test_dates_of_digits_alone_are_numbers(found: list[str]) -> None:
    assert column(*found).type == "number"


@pytest.mark.parametrize("found", [["2024-01"], ["2024-01-31x"], ["12:30"], ["2024W05"], ["1234-5678"], ["2024-13-45"]])
def test_what_only_resembles_a_date_is_none(found: list[str]) -> None:
    assert not is_iso(found[0])
    assert column(*found).type == "category"


@given(st.lists(st.datetimes(), min_size=1, max_size=30))
def test_dates_are_read_as_written(moments: list[datetime]) -> None:
    for separator in (" ", "T"):
        made = column(*(moment.isoformat(separator) for moment in moments))
        assert made.type == "date"
        found = [date_text(seconds) for seconds in made.values.tolist()]
        for text, moment in zip(found, moments, strict=True):
            assert abs(datetime.fromisoformat(text) - moment) < timedelta(
                milliseconds=1
            )  # float64 seconds in year 9999


def test_a_few_strays_among_dates_are_named() -> None:
    message = sentence("2024-01-01", "2024-01-02", "0000-00-00", "2024-02-30")
    assert "2 of 4 values are not dates such as 2024-12-31: '0000-00-00' (line 4), '2024-02-30' (line 5)" in message
    assert column("2024-01-01", "x", "y").type == "category"


def test_the_dates_of_a_column_that_is_no_feature_stay_texts() -> None:
    notation = Notation(frozenset(), others=["a"])
    assert column("2024-01-01", notation=notation).levels == ("2024-01-01",)
    assert column("2024-01-01", notation=notation, declared="date").type == "date"


@pytest.mark.parametrize(
    ("cell", "other", "written"),
    [
        ("31.12.2024", "1.2.2023", "'%d.%m.%Y'"),
        ("12/31/2024", "01/02/2023", "'%m/%d/%Y'"),
        ("01/02/2024", "03/04/2024", "'%d/%m/%Y' or '%m/%d/%Y'"),
        ("2024/12/31", "2023/01/02", "'%Y/%m/%d'"),
        ("31 Dec 2024", "1 Feb 2023", "'%d %b %Y'"),
        ("Dec 31, 2024", "Feb 1, 2023", "'%b %d, %Y'"),
        ("31-Dec-24", "01-Feb-23", "'%d-%b-%y'"),
        ("31.12.2024 23:59", "01.02.2023 00:00", "'%d.%m.%Y %H:%M'"),
        ("12/31/2024 11:59 PM", "01/02/2023 12:00 AM", "'%m/%d/%Y %I:%M %p'"),
    ],
)
def test_dates_in_another_notation_are_to_be_declared(cell: str, other: str, written: str) -> None:
    made = typed_column("a", cells(cell, other), None, NOTATION)
    assert isinstance(made, Undecided)
    assert texts(made.category) == [cell, other]
    problem = made.problem("t.csv", {})
    assert (problem.key, problem.place) == ("data.columns.a", None)
    assert f"declare `data.columns.a: {{type: date, format: {written}}}`, or `{{type: category}}`" in problem.message
    form = written.split("'")[1]
    assert column(cell, other, declared="date", notation=Notation(frozenset(), dates={"a": form})).type == "date"


# --- texts that name rows ---


@pytest.mark.parametrize(
    ("rows", "distinct", "refused"),
    [(20, 20, True), (20, 18, True), (20, 17, False), (19, 19, False), (398, 305, False), (1000, 900, True)],
)
def test_texts_that_nearly_all_differ_are_refused(rows: int, distinct: int, refused: bool) -> None:
    found = [f"x{row % distinct}" for row in range(rows)]
    made = typed_column("a", cells(*found, "?", "?"), None, NOTATION)
    assert isinstance(made, Undecided) is refused
    assert isinstance(typed_column("a", cells(*found), None, Notation(frozenset(), others=["a"])), Column)
    for declared in ("category", "text"):
        assert texts(column(*found, declared=declared)) == found


def test_the_refusal_shows_two_texts_and_the_ways_out() -> None:
    assert sentence(*(f"note {row}" for row in range(30)), "?") == (
        "data.columns.a: t.csv: column `a` has 30 distinct texts in 30 rows ('note 0', 'note 1', ...), too many to "
        "learn from: add it to `data.drop` or `data.id`, or declare its type, `data.columns.a.type`: `category`"
    )
    assert sentence(*(f"{row:04}" for row in range(30))).endswith("`data.columns.a.type`: `number` or `category`")
    months = [f"{1950 + row // 12}-{1 + row % 12:02}" for row in range(30)]
    assert sentence(*months).endswith("`category` or `{type: date, format: '%Y-%m'}`")


# --- what a column says about itself ---


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False, width=16), min_size=1, max_size=60))
def test_a_column_counts_in_blocks_as_a_set_does(found: list[float | None]) -> None:
    values = np.array([math.nan if value is None else value for value in found], np.float64)
    made = Column("a", "number", values)
    present = [value for value in found if value is not None]
    assert made.missing == len(found) - len(present)
    assert made.distinct == len(set(present))
    assert made.extent == ((min(present), max(present)) if present else None)


@given(st.lists(st.integers(-1, 4), min_size=1, max_size=40))
def test_a_category_counts_its_levels(found: list[int]) -> None:
    made = Column("a", "category", np.array(found, np.int32), levels=tuple("abcde"))
    assert made.counts.tolist() == [found.count(level) for level in range(5)]
    assert (made.missing, made.distinct) == (found.count(-1), len({level for level in found if level >= 0}))


def test_codes_and_strays_are_classes_of_their_own() -> None:
    assert are_codes(["01", "x"])
    assert not are_codes(["1", "x", ""])
    assert isinstance(typed_column("a", cells("1", "2", "x"), None, NOTATION), Strays)
