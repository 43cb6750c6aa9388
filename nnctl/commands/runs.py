"""``nnctl runs``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, RunName, RunsDir
from nnctl.commands.cache import cache
from nnctl.console import output

runs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and show runs.")
runs.command()(cache)


@runs.command()
def ls(
    *,
    where: Annotated[
        list[str] | None, typer.Option(metavar="CONDITION", help="Only such runs: 'val_loss<0.1'; repeatable.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="KEY", help="Order by val_loss, say, or -val_accuracy: highest first.")
    ] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", help="Only the first N.")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print everything known as CSV.")] = False,
    runs_dir: RunsDir = None,
) -> None:
    """List the runs, the newest first.

    Example: nnctl runs ls --where 'val_loss<0.1' --sort val_loss --limit 5
    """
    from nnctl.runs import listing
    from nnctl.runs.find import runs_folder

    if as_json and as_csv:
        raise typer.BadParameter("cannot stand beside --json", param_hint="--csv")
    folder = runs_folder(runs_dir)
    found = listing.select(listing.ls(folder), where or (), sort, limit)
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


@runs.command()
def show(run: RunName, *, as_json: AsJson = False, runs_dir: RunsDir = None) -> None:
    """Show one run: what it was, how it ended, its metrics.

    Example: nnctl runs show iris/latest
    """
    from nnctl.runs import find, listing

    found = find.find_run(find.runs_folder(runs_dir), run)
    about = found.read_run_json()
    summary = listing.describe(found)
    if as_json:
        # run.json, and what is not in it: the folder, the metrics, a status that knows of a killed process.
        output.write_json({**about, **listing.as_json([summary])["runs"][0]})
        return
    from nnctl.console import run_tables

    run_tables.show_summary(summary, about)
