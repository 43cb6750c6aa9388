"""``nnctl eval``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nnctl.commands import AsJson, RunName, RunsDir
from nnctl.console import output

if TYPE_CHECKING:
    from nnctl.judging import Evaluation


def evaluate(
    run: RunName,
    csv: Annotated[
        str | None, typer.Argument(metavar="CSV", help="Table to judge the run on; default: the run's own rows.")
    ] = None,
    *,
    split: Annotated[
        Literal["train", "val", "test"] | None,
        typer.Option(help="Part of the rows of training; default: CSV whole, else test, else val, else train."),
    ] = None,
    as_json: AsJson = False,
    runs_dir: RunsDir = None,
) -> None:
    """Print the metrics of a run's best checkpoint.

    Example: nnctl eval iris/latest data/iris.csv --split test
    """
    from nnctl import judging

    found = judging.evaluate(run, csv, split=split, runs_dir=runs_dir)
    output.notes(found.notes)
    if as_json:
        output.write_json(_as_json(found))
        return
    from nnctl.console import results

    results.show_evaluation(found)


def _as_json(found: Evaluation) -> dict[str, Any]:
    names = ["run", "data", "split", "rows", "metrics", *(["confusion", "classes"] if found.labels else [])]
    return {"schema": "nnctl.eval/1", **{name: getattr(found, name) for name in names}}
