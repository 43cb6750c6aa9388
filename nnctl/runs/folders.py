"""The folders that runs and sweeps lie in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from nnctl.errors import Place, Problem, SpecError
from nnctl.runs import atomic
from nnctl.runs.run_dir import ID, RunDir


def all_runs(runs_dir: Path) -> Iterator[RunDir]:
    """The runs and sweeps of all names, in no order, those included that are damaged or just being made.

    Raises: SpecError if the folder cannot be read; one that is not there has no runs.
    """
    for entry in _folders(runs_dir):
        # The runs of others in a shared folder may be closed to us; that breaks nothing.
        with contextlib.suppress(SpecError):
            yield from runs_of_name(Path(entry.path))


def runs_of_name(folder: Path) -> Iterator[RunDir]:
    """The runs and sweeps of a name, in no order, those included that are damaged or just being made."""
    for entry in _folders(folder):
        run = RunDir(Path(entry.path))
        # A link with an id is a run that was moved to another disk; any other, `latest` too, is a second name of one.
        if ID.fullmatch(entry.name) or (not entry.is_symlink() and run.is_whole()):
            yield run


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"cannot be read: {atomic.reason(error)}; name the folder of your runs with `--runs-dir`"
        raise SpecError(Problem(message, place=Place(str(folder)))) from error
