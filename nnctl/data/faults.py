"""Faults: columns that cannot be read as they are, and the sentences about them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnctl.data.dates import FORMATS, SHORT, formats
from nnctl.data.wording import code, literal
from nnctl.errors import Place, Problem
from nnctl.spec.problems import format_key

if TYPE_CHECKING:
    from nnctl.data.columns import Column


@dataclass(frozen=True, slots=True)
class Refusal:
    """A column that is refused."""

    column: str
    rows: list[int]  # whose lines the sentence names, from 0

    def problem(self, source: str, lines: Mapping[int, int], *, unit: str = "line") -> Problem:
        """The sentence about it. ``lines`` says where the rows are, counted in ``unit``."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Strays(Refusal):
    """Cells that the type of their column does not allow; ``rows`` are the first few."""

    fault: tuple[str, str]  # about one cell, about several
    texts: list[str]
    count: int
    present: int
    way_out: str = ""
    may_be_category: bool = True

    def problem(self, source: str, lines: Mapping[int, int], *, unit: str = "line") -> Problem:
        """The sentence about the cells, placed at the first one."""
        cells = ", ".join(
            f"{literal(text)} ({unit} {lines[row]})" for row, text in zip(self.rows, self.texts, strict=True)
        )
        more = f" and {self.count - len(self.rows)} more" if self.count > len(self.rows) else ""
        says = self.fault[self.count > 1]
        them = "them" if self.count > 1 else "it"
        ways = [f"correct {them}", "add the text to `data.missing_values`"]
        ways += [f"declare `{key_of(self.column)}.type: category`"] if self.may_be_category else []
        message = f"column {code(self.column)}: {self.count} of {self.present} values {says}: {cells}{more}; "
        message += f"{', '.join(ways[:-1])}{',' if len(ways) > 2 else ''} or {ways[-1]}"
        return Problem(message + self.way_out, place=Place(source, lines[self.rows[0]]))


@dataclass(frozen=True, slots=True)
class Undecided(Refusal):
    """A column whose cells do not say what it is for: the user must, and until then it is ``category``."""

    shows: str
    choice: str
    category: Column

    def problem(self, source: str, lines: Mapping[int, int], *, unit: str = "line") -> Problem:
        """The sentence about the column, at the key that would decide."""
        message = f"{source}: column {code(self.column)} {self.shows}: {self.choice}"
        return Problem(message, format_key(("data", "columns", self.column)))


@dataclass(frozen=True, slots=True)
class Unreadable(Refusal):
    """A column whose cells are of a type that means nothing to nnctl."""

    type: str

    def problem(self, source: str, lines: Mapping[int, int], *, unit: str = "line") -> Problem:
        """The sentence about the column."""
        message = f"column {code(self.column)} {_of_type(self.type)}; write it as one of these"
        return Problem(message, place=Place(source))


def unreadable(empty: Column, type: str, *, used: bool) -> Refusal:
    """The refusal of a column of such a type; ``used`` says that it cannot just be left out."""
    if used:
        return Unreadable(empty.name, [], type)
    choice = "add it to `data.drop`, or write it as columns of these types"
    return Undecided(empty.name, [], _of_type(type), choice, empty)


def _of_type(type: str) -> str:
    return f"is of the type {type}, which is no number, boolean, text or date"


def data_frame_index(column: Column) -> Undecided:
    """The question what is meant by the index of a DataFrame, which was written with it."""
    shows = "is the index of a DataFrame, which says nothing about new rows"
    choice = f"add it to `data.drop` or `data.id`, or declare its type, `{key_of(column.name)}.type`: `number`"
    return Undecided(column.name, [], shows, choice, column)


def names_every_row(category: Column, texts: Sequence[str], present: int, *, numeric: bool) -> Undecided:
    """The refusal of a column of texts that nearly all differ; ``numeric`` says that all are numbers."""
    column = category.name
    shows = f"has {len(texts)} distinct texts in {present} rows ({_examples(texts)}), too many to learn from"
    types = ["number", "category"] if numeric else ["category"]
    found = formats(texts[:1000], SHORT)
    if found and not numeric:
        types.append(f"{{type: date, format: '{found[0]}'}}")
    listed = " or ".join(f"`{each}`" for each in types)
    choice = f"add it to `data.drop` or `data.id`, or declare its type, `{key_of(column)}.type`: {listed}"
    return Undecided(column, [], shows, choice, category)


def foreign_dates(category: Column, texts: Sequence[str]) -> Undecided | None:
    """The refusal of a column of dates that are not written as in ISO 8601; None if they are no dates."""
    found = formats(texts, FORMATS)
    if not found:
        return None
    column = category.name
    listed = " or ".join(f"'{form}'" for form in found)
    shows = f"looks like dates ({_examples(texts)}), not written as in ISO 8601"
    choice = f"declare `{key_of(column)}: {{type: date, format: {listed}}}`, or `{{type: category}}`, or drop it"
    return Undecided(column, [], shows, choice, category)


def key_of(column: str) -> str:
    """The key of a column in the YAML, as an override writes it."""
    return f"data.columns.{column}" if re.fullmatch(r"[\w-]+", column) else f'data.columns["{column}"]'


def _examples(texts: Sequence[str]) -> str:
    return ", ".join(map(literal, texts[:2])) + (", ..." if len(texts) > 2 else "")
