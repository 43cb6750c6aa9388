"""Tables that the tests write and read in the current folder, so that messages begin with the bare name."""

from __future__ import annotations

from pathlib import Path

import pytest

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
