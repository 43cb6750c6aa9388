"""``nnctl resume``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nnctl.commands import AsJson, Overrides, RunName, RunsDir
from nnctl.commands.showing import Progress, Quiet, show


def resume(
    run: RunName,
    overrides: Overrides = None,
    *,
    exact: Annotated[
        bool, typer.Option("--exact", help="Refuse a machine or libraries on which the bits would be others.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
    progress: Progress = "auto",
) -> None:
    """Go on with a run from its last save, bit by bit as if it had never stopped.

    May change: train.epochs, train.max_time, train.on_nan, early_stopping, optimizer.lr, checkpoint, data.cache, and
    the places of data files that are the same.

    Example: nnctl resume xor/latest train.epochs=500
    """
    from nnctl.running.beginning import resuming

    argv = ["nnctl", *sys.argv[1:]]
    events = resuming(run, overrides or (), exact=exact, runs_dir=runs_dir, argv=argv)
    show(events, quiet=quiet, as_json=as_json, progress=progress)
