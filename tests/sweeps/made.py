"""Sweeps as they end, made up for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.sweeps.result import Sweep, Tried
from nnctl.sweeps.trial import Goal

PATH = "runs/xor/20261121-115407-3fa9"


def tried(number: int, params: Mapping[str, Any], value: float | None, **changes: Any) -> Tried:
    """A trial that ended with this validation loss; None is a trial that diverged without one."""
    about: dict[str, Any] = {"status": "completed" if value is not None else "diverged", "reason": ""}
    about |= {"epochs": 100, "best_epoch": 40, "seconds": 1.5, "path": f"{PATH}/trials/{number:04}"}
    metrics = {} if value is None else {"train_loss": value / 2, "val_loss": value}
    return Tried(number=number, params=params, metrics=metrics, **{**about, **changes})


def sweep(trials: Sequence[Tried], goal: Goal = "minimize", **changes: Any) -> Sweep:
    """A sweep of these trials by their validation loss."""
    about: dict[str, Any] = {"path": PATH, "status": "completed", "reason": "", "metric": "val_loss", "seconds": 12.5}
    return Sweep(**{**about, **changes}, goal=goal, trials=tuple(trials))


def table(rows: Sequence[tuple[Mapping[str, Any], float | None]], goal: Goal = "minimize") -> Sweep:
    """A sweep of trials with these parameters and losses."""
    return sweep([tried(number, params, value) for number, (params, value) in enumerate(rows, 1)], goal)
