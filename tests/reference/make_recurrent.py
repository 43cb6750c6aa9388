"""The recurrent layers."""

from __future__ import annotations

from tests.reference.records import Record


def records() -> list[Record]:
    return []
