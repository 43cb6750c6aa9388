"""Where things lie, as whoever asks for them sees it."""

from __future__ import annotations

import os
from pathlib import Path


def from_here(path: str | Path) -> str:
    """A path as seen from the current folder; as it is where that has been removed."""
    try:
        return os.path.relpath(path)
    except FileNotFoundError:
        return os.fspath(path)


def is_somewhere() -> bool:
    """Whether the current folder is still there."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
