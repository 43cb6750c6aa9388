"""``nnctl runs``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, RunsDir
from nnctl.console import output

runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and show runs.")


@runs.command()
def ls(
    *,
    where: Annotated[
        list[str] | None, typer.Option(metavar="CONDITION", help="Only these, such as 'val_loss<0.1'; repeatable.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="KEY", help="Order, such as val_loss, or -val_accuracy: highest first.")
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", help="Print the first N.")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with everything known.")] = False,
    runs_dir: RunsDir = None,
) -> None:
    """List the runs, the newest first.

    Example: nnctl runs ls --where 'val_loss<0.1' --sort val_loss --limit 5
    """
    from nnctl.experiment import runs_folder
    from nnctl.runs import listing

    if as_json and as_csv:
        raise typer.BadParameter("cannot stand beside --json", param_hint="--csv")
    folder = runs_folder(runs_dir)
    everything = listing.ls(folder)
    chosen = listing.select(everything, where or (), sort, limit)
    if as_json:
        output.write_json(listing.as_json(chosen))
        return
    from nnctl.console import results

    if as_csv:
        results.write_runs_csv(chosen)
