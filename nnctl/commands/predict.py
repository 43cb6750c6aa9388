"""``nnctl predict``."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from nnctl.commands import RunName, RunsDir
from nnctl.console import output


def predict(
    run: RunName,
    csv: Annotated[str, typer.Argument(metavar="CSV", help="Table to predict for; - reads it from stdin.")],
    *,
    to: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to write; - is stdout.")] = "-",
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of every class.")] = False,
    runs_dir: RunsDir = None,
) -> None:
    """Write a table with predictions added.

    Example: nnctl predict iris/latest data/iris.csv --proba -o predictions.csv
    """
    from nnctl import judging

    with output.stdout() if to == "-" else contextlib.nullcontext():
        predicted = judging.predict(run, csv, to, proba=proba, runs_dir=runs_dir)
    output.notes(predicted.notes)
