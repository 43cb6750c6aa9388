"""``nnctl runs rm``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, RunsDir, Where
from nnctl.console import output


def rm(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Run folders, NAME/latest, or the starts of ids; see also --where."),
    ] = None,
    *,
    where: Where = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Remove runs for good, and print their folders; it does not ask.

    If one of them is being trained, or is no run in the folder of runs, nothing is removed. Folds go with their parent,
    trials with their sweep. Without RUN, conditions choose sweeps only if one is about their `trials`.

    Example: nnctl runs rm --where name=iris --where 'val_loss>0.5' --dry-run
    """
    from nnctl.runs import removal
    from nnctl.runs.find import runs_folder

    folder = runs_folder(runs_dir)
    chosen = removal.to_remove(folder, runs or (), where or ())
    removed: list[str] = []
    try:
        for path in removal.paths(chosen) if dry_run else removal.remove(chosen):
            removed.append(path)
            if not as_json:
                output.write_path(path)
    finally:
        if as_json:
            output.write_json({"schema": "nnctl.removed/1", "removed": removed, "dry_run": dry_run})
    if not dry_run:
        removal.clear_remains(folder)
    if dry_run or not removed:
        output.note("no such run" if not removed else "nothing was removed: --dry-run")
