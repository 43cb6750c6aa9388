"""The committed records: how make.py writes them and how the tests read them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "records"

Array = NDArray[np.float64]
Record = dict[str, Any]


def load(file: str) -> list[Record]:
    """The records of one file, in the order they were made."""
    return json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))


def save(file: str, records: Sequence[Record]) -> None:
    """One line for each record, so that a change shows in the diff; floats in full."""
    lines = ",\n".join(json.dumps(_plain(record), separators=(",", ":")) for record in records)
    (FOLDER / f"{file}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def label(record: Record) -> str:
    """A record's name for pytest: the component and what distinguishes the record."""
    words = [record["name"], *(f"{key}={_short(value)}" for key, value in record["options"].items())]
    return "-".join([*words, *([record["case"]] if record.get("case") else [])])


def make(kind: str, name: str, source: str, options: Mapping[str, Any] | None = None, **content: Any) -> Record:
    """A record. ``case`` in the content says in which other way it differs from the records of that name."""
    return {"kind": kind, "name": name, "options": dict(options or {}), "source": source, **content}


def numbers(seed: str, *shape: int, scale: float = 1.0) -> Array:
    """Normal numbers of three decimals, the same for the same words."""
    drawn = np.random.default_rng(zlib.crc32(seed.encode())).standard_normal(shape)
    return np.round(drawn * scale, 3)


def _short(value: Any) -> str:
    return json.dumps(value, separators=(",", ":")).replace('"', "")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value
