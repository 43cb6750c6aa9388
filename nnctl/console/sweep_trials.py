"""The trials of a sweep that has not begun, on stdout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from nnctl.console import output
from nnctl.console.grid import Grid
from nnctl.console.text import count
from nnctl.errors import Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.sweeps.plan import plan
from nnctl.sweeps.ready import Ready

DECIDING = ("halving", "tpe")


def show_trials(ready: Ready) -> None:
    """A row for each trial: its number, and what it tries, in full."""
    params = ready.request.params
    rows = [[str(trial.number), *(_exact(trial.params.get(key)) for key in params)] for trial in ready.trials]
    grid = Grid(["trial", *params], rows)
    grid.show(max(grid.room(), 1))
    _tell_more(ready)


def show_commands(config: str, ready: Ready, options: Sequence[str]) -> None:
    """A command for each trial, for a shell. Raises: SpecError where what came of some decides about others."""
    if ready.request.method in DECIDING:
        message = f"{ready.request.method} decides by what came of earlier trials: leave this out, or draw at random"
        raise SpecError(Problem(message, "--plan", COMMAND_LINE))
    for line in plan(config, ready.trials, options):
        output.write_path(line)
    _tell_more(ready)


def trials_json(ready: Ready) -> dict[str, Any]:
    """What `sweep --dry-run --json` prints."""
    return {
        "schema": "nnctl.sweep/1",
        "method": ready.request.method,
        "metric": ready.metric,
        "goal": ready.goal,
        "total": ready.search.total,
        "trials": [
            {"number": trial.number, "params": dict(trial.params), "overrides": list(trial.overrides)}
            for trial in ready.trials
        ],
    }


def _exact(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tell_more(ready: Ready) -> None:
    more = ready.search.total - len(ready.trials)
    if more > 0:
        output.note(f"{count(more, 'trial')} more: what came of these decides about them")
    output.note(f"{count(ready.search.total, 'trial')} to {ready.goal} {ready.metric}; nothing was run")
