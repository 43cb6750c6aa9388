"""Tables with their marks, as text and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Mark:
    """A bound that a ratio is to keep; neither met nor missed where ``unclear`` says why it says nothing."""

    what: str
    value: float
    bound: float
    kind: Literal["<=", ">="] = "<="
    unit: str = "x"
    unclear: str = ""

    @property
    def verdict(self) -> Literal["met", "MISSED", "not measurable here"]:
        if self.unclear:
            return "not measurable here"
        kept = self.value <= self.bound if self.kind == "<=" else self.value >= self.bound
        return "met" if kept else "MISSED"

    def __str__(self) -> str:
        found = f"{self.what} {number(self.value)} {self.unit}, mark {self.kind} {self.bound:g} {self.unit}"
        return f"{self.verdict}: {found}{self.unclear and f'; {self.unclear}'}"


@dataclass
class Table:
    """A table of one part of the benchmark."""

    title: str
    head: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [list(self.head), *map(list, self.rows)]
        widths = [max(len(line[place]) for line in lines) for place in range(len(self.head))]
        shown = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
        return "\n".join([self.title, *shown, *self.notes, *map(str, self.marks), ""])

    def markdown(self) -> str:
        rule = ["---", *("---:" for _ in self.head[1:])]
        lines = [f"| {' | '.join(line)} |" for line in (self.head, rule, *self.rows)]
        marks = [f"- **{mark}**" if mark.verdict == "MISSED" else f"- {mark}" for mark in self.marks]
        parts = [f"## {self.title}", "\n".join(lines), *self.notes, *(["\n".join(marks)] if marks else [])]
        return "\n\n".join(parts) + "\n"


def summary(tables: Sequence[Table]) -> list[str]:
    """How many marks are met, are missed, and could not be measured, and those that are not met."""
    marks = [mark for table in tables for mark in table.marks]
    met, missed, unclear = (
        [mark for mark in marks if mark.verdict == verdict] for verdict in ("met", "MISSED", "not measurable here")
    )
    counts = f"{len(met)} of {len(marks)} marks are met, {len(missed)} missed, {len(unclear)} not measurable here."
    return [counts, *(f"- {mark}" for mark in (*missed, *unclear))]


def number(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def times(value: float) -> str:
    return f"{value:.2f} x"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    first, *rest = zip(cells, widths, strict=True)
    return [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
