"""``nnctl sweep``."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from nnctl.commands import AsJson, Config, RunsDir
from nnctl.commands.showing import Progress

Method = Literal["grid", "random", "sobol", "halving", "tpe"]
Engine = Literal["local", "dask"]


def sweep(
    config: Config,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE,VALUE", help="What to try, such as optimizer.lr=1e-3,1e-2 or 'log(1e-4,1)'."),
    ] = None,
    *,
    method: Annotated[
        Method | None, typer.Option(help="Search; default: grid, or random where something is drawn from a range.")
    ] = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="Settings to try, where not all of them are.")] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Train each setting with so many seeds.")] = None,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Processes; default: one for each core.")] = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first trial that fails.")] = False,
    engine: Annotated[Engine, typer.Option(help="Where to train: this machine, or a Dask cluster.")] = "local",
    scheduler: Annotated[
        str | None, typer.Option(metavar="URL", help="Dask's scheduler, such as tcp://host:8786.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Only if no such sweep has ended; if one is being trained, say so.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and list the trials, and train none.")] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Print a command for each trial, and train none.")] = False,
    name: Annotated[str | None, typer.Option(metavar="NAME", help="Folder of the sweep below the runs folder.")] = None,
    runs_dir: RunsDir = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", help="Print the folder of the best run, nothing else.")
    ] = False,
    as_json: AsJson = False,
    progress: Progress = "auto",
) -> None:
    """Train a run for each of many settings, small networks together; the same command again goes on.

    Example: nnctl sweep configs/xor.yaml optimizer.lr=1e-3,1e-2,1e-1 --seeds 8
    """
    from nnctl.commands import showing_sweep

    asked: dict[str, Any] = {"method": method, "trials": trials, "seeds": seeds, "name": name, "runs_dir": runs_dir}
    if dry_run or plan:
        showing_sweep.listed(config, words or (), asked, plan=plan, as_json=as_json)
        return
    from nnctl.sweeps.coordinating import sweeping

    events = sweeping(
        config,
        words or (),
        **asked,
        jobs=jobs,
        fail_fast=fail_fast,
        engine=engine,
        scheduler=scheduler,
        once=once,
        argv=["nnctl", *sys.argv[1:]],
    )
    showing_sweep.show(events, quiet=quiet, as_json=as_json, progress=progress)
