"""``nnctl runs compare``."""

from __future__ import annotations

from typing import Annotated

import typer

from nnctl.commands import AsJson, Metric, RunsDir
from nnctl.console import output


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="The first is compared with each other one.")],
    *,
    metric: Metric = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Show in what runs differ, and whether the differences of their metrics are more than luck.

    Where both runs have the same test (else validation) rows, their networks predict them anew: the difference gets a
    95 % interval (paired bootstrap), classifiers McNemar's test. Runs that differ in the seed alone show its noise.

    Example: nnctl runs compare iris/20261121-115407-3fa9 iris/latest
    """
    from nnctl.comparing import compare as compared

    found = compared(runs, metric, runs_dir=runs_dir)
    if as_json:
        output.write_json(found.as_json())
        return
    from nnctl.console import comparison

    comparison.show_comparison(found)
