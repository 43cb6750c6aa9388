"""Cells that are probably not meant as they stand: missing values by another name, one level in several spellings."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from nnctl.data.table import Column, Table
from nnctl.data.wording import SHOWN, literal

# What other tools write for a missing value or an error; words that people choose (`unknown`) may be levels.
_ABSENT = re.compile(
    r"[-.]+|-?nan|n/?a|none|nil|null|<na>|[<(]null[>)]|\\n|-?1\.#(ind|qnan|inf)"
    r"|#(n/?a|ref!|div/0!|value!|name\?|num!|null!|error!)",
    re.IGNORECASE,
)
_LINE_END = re.compile(r"\r\n|\r|\n")
# Blanks and letters that take no room: zero-width ones, joiners, direction marks, byte order marks, soft hyphens.
_INVISIBLE = re.compile(r"[\s\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]+")


def suspects(table: Table, targets: Collection[str], unused: Collection[str]) -> list[str]:
    """Warnings of columns that are used, the targets included."""
    warnings: list[str] = []
    for name, column in table.columns.items():
        if column.type == "category" and (name in targets or name not in unused):
            warnings += _absent(column)
            warnings += _swallowed(table, column)
            warnings += _spellings(column)
        elif name in targets and column.type == "number":
            warnings += _constant(column)
    return warnings


def _constant(target: Column) -> Iterator[str]:
    extent = target.extent
    if extent is not None and extent[0] == extent[1]:
        yield f"the target `{target.name}` is {extent[0]:g} in every row: there is nothing to learn"


def _absent(column: Column) -> Iterator[str]:
    found = [code for code, level in enumerate(column.levels) if _ABSENT.fullmatch(level)]
    if found:
        rows = int(column.counts[found].sum())
        yield (
            f"column `{column.name}` has the {_levels([column.levels[code] for code in found])} in {rows} "
            f"row{'s' * (rows != 1)}: what stands for a missing value belongs into `data.missing_values`"
        )


def _swallowed(table: Table, column: Column) -> Iterator[str]:
    """A cell that holds lines which look like rows: two quotes that do not belong together took them in."""
    width = len(table.header)
    for code, level in enumerate(column.levels):
        inner = _LINE_END.split(level)[1:-1] if width > 1 and ("\n" in level or "\r" in level) else []
        if inner and all(line.count(table.delimiter) == width - 1 for line in inner):
            line = table.line(int(np.argmax(column.values == code)))
            yield (
                f"{table.path}:{line}: the cell of column `{column.name}` holds {len(inner)} more lines that look like "
                "rows: is a quote missing?"
            )
            return


def _spellings(column: Column) -> Iterator[str]:
    alike: dict[str, list[str]] = {}
    for level in column.levels:
        alike.setdefault(_folded(level), []).append(level)
    for levels in [several for several in alike.values() if len(several) > 1][:SHOWN]:
        yield (
            f"column `{column.name}` has the {_levels(levels)}, which differ only in case, blanks or letters that "
            "cannot be seen: write them alike if they are one"
        )


def _folded(level: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", level)).casefold()


def _levels(levels: Sequence[str]) -> str:
    shown = ", ".join(map(_visible, levels[:SHOWN]))
    more = f" and {len(levels) - SHOWN} more" if len(levels) > SHOWN else ""
    return f"level{'s' * (len(levels) > 1)} {shown}{more}"


def _visible(level: str) -> str:
    """A level between quotes, escaped where it looks like another text: by odd blanks, or letters in two pieces."""
    looks_alike = _INVISIBLE.search(level.replace(" ", "")) or not unicodedata.is_normalized("NFC", level)
    return ascii(level) if looks_alike else literal(level)
