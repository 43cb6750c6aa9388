"""``nnctl train``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nnctl.commands import AsJson, Config, Overrides, RunsDir
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.recording import Run


def train(
    config: Config,
    overrides: Overrides = None,
    *,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the run folder and nothing else.")] = False,
    as_json: AsJson = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Folder of the run below the runs folder.")] = None,
    runs_dir: RunsDir = None,
    folds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Cross-validate: K runs, each validated on another part."),
    ] = None,
    progress: Annotated[
        Literal["auto", "bar", "plain", "none"], typer.Option(help="Display; auto: a bar on a terminal, else lines.")
    ] = "auto",
) -> None:
    """Train one run, or one for each fold.

    Example: nnctl train configs/xor.yaml optimizer.lr=0.1 train.epochs=200
    """
    from nnctl.console.progress import display
    from nnctl.experiment import diverged, training

    shown = display(progress, quiet=quiet)
    argv = ["nnctl", *sys.argv[1:]]
    try:
        with shown:
            for event in training(config, overrides or (), folds=folds, name=name, runs_dir=runs_dir, argv=argv):
                shown.show(event)
    finally:
        run = shown.so_far()
        if run is not None:
            _print(run, quiet=quiet, as_json=as_json)
    if shown.finished is not None and shown.finished.signal is not None:
        _interrupted(shown.finished.run, shown.finished.signal)
    if run is not None and run.status == "diverged":
        raise diverged(run)


def _print(run: Run, *, quiet: bool, as_json: bool) -> None:
    """The result on stdout; it names the run folder, whatever became of the run."""
    if as_json:
        output.write_json(run.as_json())
    elif quiet:
        output.write_path(run.path)
    else:
        from nnctl.console import results

        results.show_run(run)


def _interrupted(run: Run, signal: int) -> None:
    """Say what was saved, and end with the code of the signal."""
    from nnctl.console import problems

    best = f", the best weights (epoch {run.best_epoch}) are in {run.checkpoint}" if run.checkpoint else ""
    problems.sentence(f"{run.path}: stopped by {run.reason}; its state is saved{best}")
    raise typer.Exit(128 + signal)
