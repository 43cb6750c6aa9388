"""``nnctl runs best``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, Metric, RunsDir, Trials, Where
from nnctl.console import output


def best(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of the runs; without one those of all names.")
    ] = None,
    *,
    metric: Metric = None,
    where: Where = None,
    trials: Trials = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Print the folder of the best run by a metric; the metric knows whether high or low is better.

    Runs count that are completed or early_stopped, unless --where names the status; trials of sweeps count with
    --trials. On ties the earliest is taken.

    Example: nnctl runs best iris --metric val_accuracy --where 'optimizer.lr<0.1'
    """
    from nnctl.runs import best as ranked
    from nnctl.runs.find import runs_folder

    found = ranked.best(runs_folder(runs_dir), names or (), metric, where or (), trials=trials)
    for status, count in found.left_out.items():
        output.note(f"left out: {count} {status}" + ("" if status == "damaged" else f"; see --where status={status}"))
    if as_json:
        output.write_json(found.as_json())
    else:
        output.write_path(found.summary.run)
