"""Numbers in other notations than ours: refused, with what is odd about them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.data.columns import Notation
from nnctl.data.numerals import meant
from nnctl.data.numerals import number as parsed
from tests.data.helpers import column, sentence, texts

DIGITS = [chr(code) for code in range(0x80, 0x20000) if chr(code).isdecimal()]
# fmt: off
MEANT = [
    *("1,000", "12,880.0", "1.234,5", "1.234.567,8", "1 000", "1\u00a0000", "1\u202f000.5", "1'000'000"),
    *("1\u2019000", "1_000", "1,23,456", "$5", "5 $", "€1.50", "1.50€", "£3", "¥100", "₹1,000", "US$7"),
    *("USD 7", "7.5 EUR", "-$3", "$-3", "5%", "5 %", "5\u2030", "(5)", "(1,000.50)", "($3)", "5-"),
    *("\u22125", "\u20135", "\uff0d5", "\uff0b5", "- 5", "1,5", ",5", "1.5D+03", "\uff11\uff12"),
    *("\u0661\u0662\u0663", "\u0967\u0968", "\uff11\uff0e\uff15", "1\u066b5", "inf", "-Infinity", "NaN"),
    *("∞", "-∞", "1,5e3"),
]
NOT_MEANT = [
    *("10.0.0.1", "1.2.3", "2024-01-01", "31.12.2024", "12:30", "A1", "5 kg", "1/2", "", "-", ".", "$"),
    *("()", "%"),
]
# fmt: on


@pytest.mark.parametrize("text", MEANT)
def test_what_was_meant_as_a_number_is_no_category(text: str) -> None:
    assert parsed(text) is None
    assert meant(text)
    assert sentence(text, text, "x").startswith("t.csv:2: column `a`: 3 of 3 values are not ")
    assert sentence(text, "1").startswith("t.csv:2: column `a`: 1 of 2 values is not a ")
    assert texts(column(text, text, declared="category")) == [text, text]


@pytest.mark.parametrize("text", NOT_MEANT)
def test_a_label_was_not_meant_as_a_number(text: str) -> None:
    assert not meant(text)


@given(st.lists(st.sampled_from(DIGITS), min_size=1, max_size=6).map("".join))
def test_the_digits_of_all_scripts_are_refused(text: str) -> None:
    message = sentence(text, "2", "3")
    assert "1 of 3 values is not a number: " in message
    assert "here are other digits" in message
    assert unicodedata.decimal(text[0]) < 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("12,880.0", "thousands separators"),
        ("1 000", "thousands separators"),
        ("1_000", "underscores"),
        ("$5", "a currency"),
        ("7.5 EUR", "a currency"),
        ("5%", "per cent"),
        ("(5)", "parentheses"),
        ("5-", "a minus sign at the end"),
        ("\u2212 5", "other signs and a blank after the sign"),
        ("$1,000", "thousands separators and a currency"),
    ],
)
def test_the_sentence_names_what_is_odd(text: str, says: str) -> None:
    end = f"a number is written with the digits 0-9 and `.` alone, here are {says}"
    assert sentence(text, text).endswith(f"; {end}")


def test_a_comma_may_be_the_decimal_sign_unless_it_cannot() -> None:
    way_out = "where the comma is the decimal sign, set `data.format.decimal`"
    assert sentence("1,5", "-2,25").endswith(f"; {way_out}")
    assert way_out in sentence("1,288", "1,449")
    assert "thousands separators" in sentence("1,288", "1,449")
    assert way_out not in sentence("12,880.0", "1,449")
    assert way_out not in sentence("1.5", "x", "2.5", notation=Notation(frozenset(), decimal=","))


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e400", "nan", "-1e999"])
def test_a_number_that_is_not_finite_is_named_also_in_a_column_of_such(cell: str) -> None:
    assert "2 of 2 values are not finite numbers" in sentence(cell, cell)


def test_integers_of_any_length_are_numbers() -> None:
    made = column("1234567890123456789012", "-1")
    assert (made.type, made.whole, made.values.tolist()) == ("number", True, [1234567890123456789012.0, -1])
