"""``nnctl train``."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nnctl.commands import AsJson, Config, Overrides, RunsDir
from nnctl.commands.showing import Progress, Quiet, show


def train(
    config: Config,
    overrides: Overrides = None,
    *,
    quiet: Quiet = False,
    as_json: AsJson = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Folder of the run below the runs folder.")] = None,
    runs_dir: RunsDir = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="Only if no such run has ended or is being trained; an interrupted one goes on."),
    ] = False,
    start_from: Annotated[
        str | None,
        typer.Option("--from", metavar="RUN", help="Begin with the weights and the preparation of data of a run."),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Cross-validate: K runs, each validated on another part."),
    ] = None,
    progress: Progress = "auto",
    profile: Annotated[
        bool, typer.Option("--profile", help="Print where the time went, layer by layer, to stderr.")
    ] = False,
) -> None:
    """Train one run, or one for each fold.

    Example: nnctl train configs/xor.yaml optimizer.lr=0.1 train.epochs=200
    """
    from nnctl.running.beginning import training

    if profile and quiet and not as_json:
        from nnctl.errors import Problem, SpecError

        raise SpecError(Problem("prints a table, which `-q` leaves out: leave out one of the two", "--profile"))
    events = training(
        config,
        overrides or (),
        folds=folds,
        name=name,
        runs_dir=runs_dir,
        once=once,
        start_from=start_from,
        argv=["nnctl", *sys.argv[1:]],
        together=not profile,
    )
    if profile:
        from nnctl.running.profiling import Profiler

        events = Profiler().over(events)
    show(events, quiet=quiet, as_json=as_json, progress=progress)
