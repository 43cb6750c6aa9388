"""Runs that are stopped somewhere, and what they must have in common with one that never was."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nnctl.running.beginning import training
from nnctl.running.loop import Started
from nnctl.running.run import Run
from nnctl.runs import checkpoint
from nnctl.runs.atomic import read_json
from nnctl.runs.run_dir import RunDir
from nnctl.training.trainer import Epoch

EVERY_3 = {"checkpoint.every": "3 steps"}


def killed(config: Path, overrides: Mapping[str, Any] = EVERY_3, *, events: int = 12, **arguments: Any) -> RunDir:
    """A run that gets no further than so many epochs and ticks; nothing is saved, as after SIGKILL."""
    run_dir = None
    seen = 0
    stream = training(config, overrides, **arguments)
    for event in stream:
        if isinstance(event, Started):
            run_dir = RunDir(Path(event.run).absolute())
        seen += isinstance(event, Epoch)
        if seen == events:
            break
    stream.close()  # type: ignore[attr-defined]
    assert run_dir is not None
    return run_dir


def rows(run: Run | RunDir) -> list[list[str]]:
    """metrics.csv without its timing column."""
    with open(Path(run.path) / "metrics.csv") as file:
        return [[cell for name, cell in row.items() if name != "seconds"] for row in csv.DictReader(file)]


def ending(run: Run) -> dict[str, Any]:
    """All that a run ends with but times."""
    run_dir = RunDir(Path(run.path))
    last = checkpoint.load(run_dir.last)
    state = last.meta["state"]
    state["progress"].pop("seconds")
    return {
        "weights": read_json(run_dir.run_json)["weights_sha256"],
        "tensors": {name: array.tobytes() for name, array in last.tensors.items()},
        "state": state,
        "rows": rows(run),
        "metrics": run.metrics,
        "status": (run.status, run.reason, run.epochs, run.best_epoch),
    }
