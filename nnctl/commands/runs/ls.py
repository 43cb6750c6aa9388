"""``nnctl runs ls``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, RunsDir, Trials, Where
from nnctl.console import output


def ls(
    *,
    where: Where = None,
    sort: Annotated[
        str | None, typer.Option(metavar="KEY", help="Order by val_loss, say, or -val_accuracy: highest first.")
    ] = None,
    trials: Trials = False,
    limit: Annotated[int | None, typer.Option(metavar="N", help="Only the first N.")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print everything known as CSV.")] = False,
    runs_dir: RunsDir = None,
) -> None:
    """List the runs, the newest first; a sweep is one line, with the metrics of its best trial.

    Example: nnctl runs ls --where 'val_loss<0.1' --sort val_loss --limit 5
    """
    from nnctl.runs import listing
    from nnctl.runs.find import runs_folder
    from nnctl.runs.selection import select

    if as_json and as_csv:
        raise typer.BadParameter("cannot stand beside --json", param_hint="--csv")
    folder = runs_folder(runs_dir)
    found = select(listing.ls(folder, trials=trials), where or (), sort, limit)
    if as_json:
        output.write_json(listing.as_json(found))
        return
    from nnctl.console import run_tables

    if as_csv:
        run_tables.write_csv(found)
    elif found:
        run_tables.show_runs(found, [sort.removeprefix("-")] if sort else [])
    else:
        output.note(f"no such run in {folder}" if where else f"no run in {folder}")
