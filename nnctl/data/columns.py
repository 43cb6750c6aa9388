"""Columns with a type: how the texts of a column become numbers, booleans, dates or a category, or are refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.data.cells import SHOWN, code, literal
from nnctl.errors import Place, Problem

Numbers = NDArray[np.float64]

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
# What was meant as a number, too: decimal commas, thousands, currencies, per cent.
_MEANT = re.compile(
    r"[-+]?[$€£¥]?[-+]?(\d{1,3}([,' \xa0\u202f]\d{3})+|\d+)([.,]\d+)?(e[-+]?\d+)?\s?[%$€£¥]?",
    re.ASCII | re.IGNORECASE,
)
_NOT_FINITE = re.compile(r"[-+]?(inf|infinity|nan)", re.IGNORECASE)
_WORDS = {"false": 0, "no": 0, "true": 1, "yes": 1}
_DECLARED_WORDS = {**_WORDS, "0": 0, "1": 1}  # 0 and 1 are numbers until somebody says that they are not
_START = datetime(1970, 1, 1)
_SAMPLE = datetime(2024, 12, 31)
_OPPOSITE = {"false": "true", "no": "yes", "0": "1", "true": "false", "yes": "no", "1": "0"}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One column of a table, every cell a number.

    Shapes: values (N,); number: nan = missing; boolean: 0, 1, nan; category: positions in ``levels``, -1 = missing;
            date: seconds since the start of 1970 in UTC, nan = missing
    """

    name: str
    type: Literal["number", "boolean", "category", "date"]
    values: NDArray[Any]  # float64; int32 for a category; may be read-only
    levels: tuple[str, ...] = ()  # category: its texts, sorted by value if all are numbers; boolean: false and true
    whole: bool = False  # number: some value is present, and every one is a whole number

    @property
    def present(self) -> NDArray[np.bool_]:
        return self.values >= 0 if self.type == "category" else ~np.isnan(self.values)

    @property
    def missing(self) -> int:
        return int(self.values.size - np.count_nonzero(self.present))

    @property
    def distinct(self) -> int:
        return int(np.unique(self.values[self.present]).size)


@dataclass(frozen=True, slots=True)
class Notation:
    """How cells are written: which texts stand for a missing value, the decimal sign, and dates by their column."""

    missing: frozenset[str]
    decimal: str = "."
    dates: Mapping[str, str] = field(default_factory=dict)  # formats in the words of strptime; others are ISO 8601

    @property
    def missing_numbers(self) -> list[float]:
        """Numbers that stand for a missing value, in a column of numbers however they are written (-999, -999.0)."""
        return [number for number in map(self.number, self.missing) if number is not None]

    def number(self, text: str) -> float | None:
        """The number that a text is, infinite if it is out of range."""
        if self.decimal != ".":
            text = "" if "." in text else text.replace(self.decimal, ".")
        return float(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The cells of a column: every distinct text once, and for every row the position of its text or -1."""

    codes: NDArray[np.integer[Any]]  # (N,)
    texts: Sequence[str]

    @property
    def counts(self) -> NDArray[np.intp]:
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))

    def look_up(self, table: Sequence[float], missing: float) -> Numbers:
        """For every row the entry of its text."""
        found: Numbers = np.array([*table, missing], dtype=np.float64)[self.codes]  # code -1 is the last entry
        return found

    def cleaned(self, missing: frozenset[str]) -> Texts:
        """The texts without surrounding blanks and without those that stand for a missing value."""
        stripped = [text.strip() for text in self.texts]
        place = {text: i for i, text in enumerate(dict.fromkeys(text for text in stripped if text not in missing))}
        moved = np.array([*(place.get(text, -1) for text in stripped), -1], dtype=np.int32)
        return Texts(moved[self.codes], tuple(place))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Cells that the type of their column does not allow."""

    column: str
    fault: tuple[str, str]  # about one cell, about several
    rows: list[int]  # of the first few, from 0
    texts: list[str]
    count: int
    present: int
    way_out: str = ""

    def problem(self, source: str, lines: Mapping[int, int], *, unit: str = "line") -> Problem:
        """The sentence about it. ``lines`` says where the rows are, counted in ``unit``."""
        cells = ", ".join(
            f"{literal(text)} ({unit} {lines[row]})" for row, text in zip(self.rows, self.texts, strict=True)
        )
        more = f" and {self.count - len(self.rows)} more" if self.count > len(self.rows) else ""
        says = self.fault[self.count > 1]
        message = (
            f"column {code(self.column)}: {self.count} of {self.present} values {says}: {cells}{more}; correct "
            f"{'them' if self.count > 1 else 'it'}, add the text to `data.missing_values`, or declare "
            f"`{_key(self.column)}.type: category`{self.way_out}"
        )
        return Problem(message, place=Place(source, lines[self.rows[0]]))


def number_column(name: str, values: Numbers, notation: Notation) -> Column:
    """A column of finite numbers, nan where one is missing."""
    for missing in notation.missing_numbers:
        values = np.where(values == missing, np.nan, values)
    # Most columns that are not whole show it in their first rows: the rest of a long column need not be looked at.
    return Column(name, "number", values, whole=_all_whole(values[:1000]) and _all_whole(values))


def typed_column(name: str, texts: Texts, declared: str | None, notation: Notation) -> Column | Refusal:
    """The column that the texts make, of the declared type or of the one that they show."""
    texts = texts.cleaned(notation.missing)
    if declared == "category":
        return _category(name, texts, notation)
    if declared == "boolean":
        return _boolean(name, texts, _DECLARED_WORDS)
    if declared == "date":
        return _date(name, texts, notation.dates.get(name))
    numbers = [notation.number(text) for text in texts.texts]
    stray = [number is None or math.isinf(number) for number in numbers]
    if not any(stray):
        return number_column(name, texts.look_up([number or 0.0 for number in numbers], np.nan), notation)
    if declared is None and all(text.lower() in _WORDS for text in texts.texts):
        return _boolean(name, texts, _WORDS)
    if declared is None and not _meant_as_numbers(texts, numbers):
        return _category(name, texts, notation)
    return _not_numbers(name, texts, stray, notation)


def _all_whole(values: Numbers) -> bool:
    present = values[~np.isnan(values)]
    return present.size > 0 and bool((np.floor(present) == present).all())


def _boolean(name: str, texts: Texts, words: Mapping[str, int]) -> Column | Refusal:
    truth = [words.get(text.lower(), -1) for text in texts.texts]
    if -1 in truth:
        fault = ("is neither true or yes nor false or no", "are neither true or yes nor false or no")
        return _refusal(name, texts, [value < 0 for value in truth], fault)
    return Column(name, "boolean", texts.look_up(truth, np.nan), levels=_spelling(texts, truth))


def _spelling(texts: Texts, truth: Sequence[int]) -> tuple[str, ...]:
    """How a column writes false and true most often; a word that it does not use is the opposite of the other."""
    commonest = {truth[i]: texts.texts[i] for i in np.argsort(texts.counts, kind="stable")}
    if not commonest:
        return "false", "true"
    for value in (0, 1):
        commonest.setdefault(value, _OPPOSITE[commonest.get(1 - value, "").lower()])
    return commonest[0], commonest[1]


def date_seconds(text: str, form: str | None) -> float | None:
    """The seconds from the start of 1970 to a date; one with an offset is moved to UTC. None if it is no date."""
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)
        moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return (moment - _START).total_seconds()


def date_text(seconds: float) -> str:
    """A date as ISO 8601 writes it."""
    return (_START + timedelta(seconds=seconds)).isoformat()


def _date(name: str, texts: Texts, form: str | None) -> Column | Refusal:
    seconds = [date_seconds(text, form) for text in texts.texts]
    if None in seconds:
        sample = _SAMPLE.strftime(form) if form else f"{_SAMPLE:%Y-%m-%d}"
        fault = (f"is not a date such as {sample}", f"are not dates such as {sample}")
        way_out = "" if form else f", or say how its dates are written, `{_key(name)}.format`"
        return _refusal(name, texts, [each is None for each in seconds], fault, way_out)
    return Column(name, "date", texts.look_up([each or 0.0 for each in seconds], np.nan))


def _category(name: str, texts: Texts, notation: Notation) -> Column:
    numbers = {text: notation.number(text) for text in texts.texts}
    if None in numbers.values():
        levels = sorted(texts.texts)
    else:
        levels = sorted(texts.texts, key=lambda text: (numbers[text], text))
    place = {level: i for i, level in enumerate(levels)}
    values = texts.look_up([place[text] for text in texts.texts], -1).astype(np.int32)
    return Column(name, "category", values, levels=tuple(levels))


def _meant_as_numbers(texts: Texts, numbers: Sequence[float | None]) -> bool:
    """Whether at least half of the cells are numbers or look as if they were meant to be."""
    meant = [
        number is not None or bool(_MEANT.fullmatch(text) or _NOT_FINITE.fullmatch(text))
        for text, number in zip(texts.texts, numbers, strict=True)
    ]
    counts = texts.counts
    return 2 * int(counts[np.array(meant)].sum()) >= int(counts.sum())


def _not_numbers(name: str, texts: Texts, stray: Sequence[bool], notation: Notation) -> Refusal:
    refused = [text for text, is_stray in zip(texts.texts, stray, strict=True) if is_stray]
    # Only where one is not finite does the word help; `abc` is not a number at all.
    number = (
        "finite number" if any(_NOT_FINITE.fullmatch(text) or notation.number(text) for text in refused) else "number"
    )
    way_out = ""
    if notation.decimal == "." and any("," in text and _MEANT.fullmatch(text) for text in refused):
        way_out = "; where the comma is the decimal sign, set `data.format.decimal`"
    return _refusal(name, texts, stray, (f"is not a {number}", f"are not {number}s"), way_out)


def _refusal(name: str, texts: Texts, stray: Sequence[bool], fault: tuple[str, str], way_out: str = "") -> Refusal:
    rows = np.flatnonzero(texts.look_up(stray, False))
    first = rows[:SHOWN].tolist()
    shown = [texts.texts[texts.codes[row]] for row in first]
    return Refusal(name, fault, first, shown, rows.size, int(texts.counts.sum()), way_out)


def _key(column: str) -> str:
    """The key of a column in the YAML, as an override writes it."""
    return f"data.columns.{column}" if re.fullmatch(r"[\w-]+", column) else f'data.columns["{column}"]'
