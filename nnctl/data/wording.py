"""How messages about a file say what they found in it."""

from __future__ import annotations

from pathlib import Path

from nnctl.errors import Place, Problem

SHOWN = 5  # faults of one kind that a message names one by one


def code(name: str) -> str:
    """A name between backticks, control characters escaped."""
    return f"`{repr(name)[1:-1]}`"


def literal(text: str) -> str:
    """A cell between quotes, control characters escaped, cut where it is long."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def in_file(path: Path, message: str, line: int | None = None) -> Problem:
    """A problem with a file, or with a line of it."""
    return Problem(message, place=Place(str(path), line))
