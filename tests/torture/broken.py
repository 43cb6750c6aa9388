"""Writers that are broken on purpose: the checks of F1 and F3 must fail with them, or they check nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from nnctl.runs import atomic


def in_place() -> None:
    """Write over the file that is there, as `open(path, "wb")` does."""

    def write(path: Path, parts: Iterable[Any], *_: object) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        for part in parts:
            atomic.write_all(handle, part)
        os.fsync(handle)
        os.close(handle)

    atomic._replace = write


def delete_first() -> None:
    """Remove the old file, then write the new one under a hidden name and rename it."""
    whole = atomic._replace

    def write(path: Path, parts: Iterable[Any], *_: object) -> None:
        if path.exists():
            os.unlink(path)
        whole(path, parts)

    atomic._replace = write


def no_sync() -> None:
    """Rename what is not on the disk yet."""
    atomic._sync = lambda handle: None
