"""Columns with a type: how the texts of a column become numbers, booleans, dates or a category, or are refused.

Without a declared type the distinct texts decide: numbers, if all are; boolean words; dates of ISO 8601; else a
category. Integers with leading zeros are codes, and codes are texts. Where at least half of the cells are numbers, or
dates, or are meant to be, the others are faults. Texts that nearly all differ name rows, and are no category.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import counted, taken
from nnctl.data.dates import date_seconds, is_iso
from nnctl.data.faults import Refusal as Refusal
from nnctl.data.faults import Strays, foreign_dates, key_of, names_every_row
from nnctl.data.faults import Undecided as Undecided
from nnctl.data.numerals import advice, are_codes, meant, not_finite, number
from nnctl.data.wording import SHOWN

Numbers = NDArray[np.float64]

FEWEST = 20  # rows of a column from which on its texts can be too many
MOST = 0.9  # distinct texts of a category by row

_BLOCK = 1 << 20  # rows looked at together: a long column may lie in a file
_WORDS = {"false": 0, "no": 0, "true": 1, "yes": 1}
_DECLARED_WORDS = {**_WORDS, "0": 0, "1": 1}  # 0 and 1 are numbers until somebody says that they are not
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
        """The number of rows without a value."""
        absent = (lambda block: block < 0) if self.type == "category" else np.isnan
        return sum(int(np.count_nonzero(absent(block))) for block in self._blocks())

    @property
    def distinct(self) -> int:
        """The number of different values."""
        if self.levels:
            return int(np.count_nonzero(self.counts))
        ordered = np.sort(self.values)  # nan last; the only copy
        ordered = ordered[: ordered.size - self.missing]
        steps = range(1, ordered.size, _BLOCK)
        changes = sum(
            int(np.count_nonzero(np.diff(ordered[start - 1 : min(start + _BLOCK, ordered.size)]))) for start in steps
        )
        return changes + bool(ordered.size)

    @property
    def counts(self) -> NDArray[np.intp]:
        """The rows of each level."""
        found = np.zeros(len(self.levels), np.intp)
        for block in self._blocks():
            present = block[block >= 0].astype(np.intp)  # nan is not, either
            found += np.bincount(present, minlength=len(found))
        return found

    @property
    def extent(self) -> tuple[float, float] | None:
        """The least and the greatest value (of a category: positions), None where all are missing."""
        if self.type == "category":
            there = np.flatnonzero(self.counts)
            return (float(there[0]), float(there[-1])) if there.size else None
        if not self.values.size:
            return None
        low, high = float(np.fmin.reduce(self.values)), float(np.fmax.reduce(self.values))
        return None if math.isnan(low) else (low, high)

    def _blocks(self) -> Iterator[NDArray[Any]]:
        return (self.values[start : start + _BLOCK] for start in range(0, self.values.size, _BLOCK))


@dataclass(frozen=True, slots=True)
class Notation:
    """How the cells of a table are to be read.

    ``others`` are the columns that are no features: their texts may all differ, and are dates only if declared so.
    """

    missing: frozenset[str]  # texts that stand for a missing value
    decimal: str = "."
    dates: Mapping[str, str] = field(default_factory=dict)  # formats in the words of strptime; others are ISO 8601
    others: Collection[str] = ()

    def known(self, values: Numbers) -> Numbers:
        """Numbers, nan also where one stands for a missing value, however it is written (-999, -999.0)."""
        for missing in map(self.number, self.missing):
            if missing is not None:
                values = np.where(values == missing, np.nan, values)
        return values

    def number(self, text: str) -> float | None:
        """The number that a text is, infinite if it is out of range."""
        return number(text, self.decimal)


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """The cells of a column: every distinct text once, and for every row the position of its text or -1."""

    codes: NDArray[np.integer[Any]]  # (N,)
    texts: Sequence[str]

    @property
    def counts(self) -> NDArray[np.intp]:
        return counted(self.codes, len(self.texts))

    def mostly(self, holds: Callable[[str], bool]) -> bool:
        """Whether something holds for at least half of the cells."""
        counts = self.counts
        return 2 * int(counts[np.fromiter(map(holds, self.texts), bool, len(self.texts))].sum()) >= int(counts.sum())

    def look_up(self, table: Sequence[float], missing: float) -> Numbers:
        """For every row the entry of its text."""
        return taken(np.array([*table, missing], dtype=np.float64), self.codes)  # code -1 is the last entry

    def cleaned(self, missing: frozenset[str]) -> Texts:
        """The texts without surrounding blanks and without those that stand for a missing value."""
        stripped = [text.strip() for text in self.texts]
        place = {text: i for i, text in enumerate(dict.fromkeys(text for text in stripped if text not in missing))}
        if list(place) == self.texts:
            return self
        moved = np.array([*(place.get(text, -1) for text in stripped), -1], dtype=np.int32)
        return Texts(taken(moved, self.codes), tuple(place))


def number_column(name: str, values: Numbers, notation: Notation) -> Column:
    """A column of finite numbers, nan where one is missing."""
    values = notation.known(values)
    return Column(name, "number", values, whole=_all_whole(values))


def typed_column(name: str, texts: Texts, declared: str | None, notation: Notation) -> Column | Refusal:
    """The column that the texts make, of the declared type or of the one that they show."""
    texts = texts.cleaned(notation.missing)
    if declared in ("category", "text"):
        return _category(name, texts, notation)
    if declared == "boolean":
        return _boolean(name, texts, _DECLARED_WORDS)
    if declared == "date":
        return _date(name, texts, notation.dates.get(name))
    numbers = [notation.number(text) for text in texts.texts]
    stray = [number is None or math.isinf(number) for number in numbers]
    codes = declared is None and are_codes(texts.texts)
    if not any(stray) and not codes:
        return number_column(name, texts.look_up([number or 0.0 for number in numbers], np.nan), notation)
    if declared is not None:
        found = _not_numbers(name, texts, stray, notation)
        return replace(found, may_be_category=name not in notation.others)  # the target of a regression may not
    return _of_texts(name, texts, notation, codes) or _not_numbers(name, texts, stray, notation)


def _of_texts(name: str, texts: Texts, notation: Notation, codes: bool) -> Column | Refusal | None:
    """The column of texts that are not all numbers; None if most are, or were meant to be."""
    if all(text.lower() in _WORDS for text in texts.texts):
        return _boolean(name, texts, _WORDS)
    feature = name not in notation.others
    if feature and not codes and texts.mostly(is_iso):
        return _date(name, texts, None)
    if not codes and texts.mostly(lambda text: notation.number(text) is not None or meant(text)):
        return None
    column = _category(name, texts, notation)
    return column if not feature else _undecided(column, texts, notation) or column


def _undecided(category: Column, texts: Texts, notation: Notation) -> Undecided | None:
    """The question that the texts of a category put, if they do."""
    foreign = foreign_dates(category, texts.texts)
    if foreign is not None:
        return foreign
    present = category.values.size - category.missing
    if present < FEWEST or len(texts.texts) < MOST * present:
        return None
    numeric = all(notation.number(text) is not None for text in texts.texts)
    return names_every_row(category, texts.texts, present, numeric=numeric)


def _all_whole(values: Numbers) -> bool:
    missing = np.isnan(values)
    return not missing.all() and bool(((np.floor(values) == values) | missing).all())


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
    for value in {0, 1} - commonest.keys():
        commonest[value] = _OPPOSITE[commonest[1 - value].lower()]
    return commonest[0], commonest[1]


def _date(name: str, texts: Texts, form: str | None) -> Column | Refusal:
    seconds = [date_seconds(text, form) for text in texts.texts]
    if None in seconds:
        sample = _SAMPLE.strftime(form) if form else f"{_SAMPLE:%Y-%m-%d}"
        fault = (f"is not a date such as {sample}", f"are not dates such as {sample}")
        way_out = "" if form else f", or say how its dates are written, `{key_of(name)}.format`"
        return _refusal(name, texts, [each is None for each in seconds], fault, way_out)
    return Column(name, "date", texts.look_up([each or 0.0 for each in seconds], np.nan))


def _category(name: str, texts: Texts, notation: Notation) -> Column:
    numbers = {text: notation.number(text) for text in texts.texts}
    if None in numbers.values():
        levels = sorted(texts.texts)
    else:
        levels = sorted(texts.texts, key=lambda text: (numbers[text], text))
    place = {level: i for i, level in enumerate(levels)}
    values = taken(np.array([*(place[text] for text in texts.texts), -1], dtype=np.int32), texts.codes)
    return Column(name, "category", values, levels=tuple(levels))


def _not_numbers(name: str, texts: Texts, stray: Sequence[bool], notation: Notation) -> Strays:
    refused = [text for text, is_stray in zip(texts.texts, stray, strict=True) if is_stray]
    # Only where one is not finite does the word help; `abc` is not a number at all.
    number = "finite number" if any(not_finite(text) or notation.number(text) for text in refused) else "number"
    fault = (f"is not a {number}", f"are not {number}s")
    return _refusal(name, texts, stray, fault, advice(refused, notation.decimal))


def _refusal(name: str, texts: Texts, stray: Sequence[bool], fault: tuple[str, str], way_out: str = "") -> Strays:
    rows = np.flatnonzero(texts.look_up(stray, False))
    first = rows[:SHOWN].tolist()
    shown = [texts.texts[texts.codes[row]] for row in first]
    return Strays(name, first, fault, shown, rows.size, int(texts.counts.sum()), way_out)
