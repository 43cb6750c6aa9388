"""Tables that the tests write and read in the current folder, so that messages begin with the bare name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnctl.data.columns import Column, Notation, Texts, typed_column
from nnctl.data.table import Table, read_table
from nnctl.errors import DataError

MISSING = ["", "NA", "?"]


def read(text: str | bytes, name: str = "a.csv", **options) -> Table:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(Path(name), **{"missing_values": MISSING, **options})


def refusal(text: str | bytes, name: str = "a.csv", **options) -> str:
    with pytest.raises(DataError) as error:
        read(text, name, **options)
    return str(error.value)


def texts(column) -> list[str | None]:
    return [column.levels[code] if code >= 0 else None for code in column.values]


NOTATION = Notation(frozenset(["", "?"]))


def cells(*found: str) -> Texts:
    distinct = list(dict.fromkeys(found))
    return Texts(np.array([distinct.index(text) for text in found], np.int32), distinct)


def column(*found: str, declared: str | None = None, notation: Notation = NOTATION, name: str = "a") -> Column:
    made = typed_column(name, cells(*found), declared, notation)
    assert isinstance(made, Column)
    return made


def sentence(*found: str, notation: Notation = NOTATION, declared: str | None = None) -> str:
    made = typed_column("a", cells(*found), declared, notation)
    assert not isinstance(made, Column)
    return str(made.problem("t.csv", {row: row + 2 for row in range(len(found))}))
