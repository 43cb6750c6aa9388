"""One command a file: it parses, calls one function of the library, and prints through the console.

Here stand the arguments and options that several commands share. What is slow to import is imported by the function
that needs it, so that help costs nothing.
"""

from __future__ import annotations

from typing import Annotated

import typer

Config = Annotated[str, typer.Argument(metavar="CONFIG", help="YAML file of the experiment.")]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Values that win over those in CONFIG, such as optimizer.lr=0.1."),
]
RunName = Annotated[
    str, typer.Argument(metavar="RUN", help="Run folder, checkpoint file, NAME/latest, or the start of an id.")
]
Where = Annotated[
    list[str] | None, typer.Option(metavar="CONDITION", help="Only such runs: 'val_loss<0.1'; repeatable.")
]
Trials = Annotated[bool, typer.Option("--trials", help="Each trial of a sweep, not the sweep as one.")]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC", help="val_roc_auc, say, or roc_auc for the same; default: val_loss, else train_loss."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunsDir = Annotated[
    str | None,
    typer.Option("--runs-dir", metavar="DIR", help="Folder of the runs; default: NNCTL_RUNS_DIR, else runs."),
]
