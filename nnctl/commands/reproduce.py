"""``nnctl reproduce``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from nnctl.commands import AsJson, RunName, RunsDir
from nnctl.commands.showing import Progress, Quiet, interrupted
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.running.reproducing import Reproduced

DIFFERENT = 7


def reproduce(
    run: RunName,
    *,
    quiet: Quiet = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
    progress: Progress = "auto",
) -> None:
    """Train a run once more from its saved config, and say whether the weights are identical; 7 if they are not.

    Example: nnctl reproduce xor/latest
    """
    from nnctl.console.progress import display
    from nnctl.running.reproducing import Reproduced, reproducing

    shown = display(progress, quiet=quiet)
    found: Reproduced | None = None
    try:
        with shown:
            for event in reproducing(run, runs_dir=runs_dir, argv=["nnctl", *sys.argv[1:]]):
                if isinstance(event, Reproduced):
                    found = event
                else:
                    shown.show(event)
    finally:
        begun = shown.so_far()
        if begun is not None:
            _print(begun.path, found, quiet=quiet, as_json=as_json)
    if shown.finished is not None and shown.finished.signal is not None:
        interrupted(shown.finished.run, shown.finished.signal)
    if found is not None and not found.identical:
        raise typer.Exit(DIFFERENT)


def _print(path: str, found: Reproduced | None, *, quiet: bool, as_json: bool) -> None:
    if as_json:
        unknown = {"schema": "nnctl.reproduce/1", "run": path, "identical": None}
        output.write_json(unknown if found is None else found.as_json())
    elif quiet or found is None:
        output.write_path(path)
    else:
        from nnctl.console.comparison import show_reproduced

        show_reproduced(found)
