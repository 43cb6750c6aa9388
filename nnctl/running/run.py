"""A run as it is given back and printed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from nnctl.running.profile import Profile
from nnctl.runs import atomic
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import RunDir

Array = NDArray[Any]

FINISHED = ("completed", "early_stopped", "diverged")


def weights_sha256(theta: Array, stats: Array) -> str:
    """What tells two sets of weights and running statistics apart, as run.json has it."""
    digest = hashlib.sha256(theta.data)  # the very bytes, without a copy of them
    digest.update(stats.data)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it ended, or as it stands."""

    path: str
    status: str
    reason: str
    epochs: int
    best_epoch: int
    metrics: dict[str, float]  # with the best weights: train_, val_, test_ and the name
    seconds: float
    checkpoint: str | None  # the best weights; None if there are none
    profile: Profile | None = field(default=None, repr=False, compare=False)  # where it was asked for

    def as_json(self) -> dict[str, Any]:
        """What `train --json` prints."""
        names = ("status", "epochs", "best_epoch", "metrics", "seconds", "checkpoint")
        known = {"schema": "nnctl.train/1", "run": self.path, **{name: getattr(self, name) for name in names}}
        return {**known, **profiled(self)}


def profiled(run: Run) -> dict[str, Any]:
    """The profile as a further key, where there is one."""
    return {} if run.profile is None else {"profile": run.profile.as_json()}


def read_run(run_dir: RunDir) -> Run:
    """A run as its folder shows it. Raises: RunError if run.json or metrics.json is damaged."""
    about = run_dir.read_run_json()
    found = atomic.read_json(run_dir.metrics_json) if os.path.lexists(run_dir.metrics_json) else {}
    metrics = found.get("metrics") or {}
    return Run(
        path=from_here(run_dir.path),
        status=about.get("status", ""),
        reason=about.get("reason", ""),
        epochs=about.get("epochs") or 0,
        best_epoch=about.get("best_epoch") or 0,
        metrics={name: float("nan") if value is None else value for name, value in metrics.items()},
        seconds=about.get("seconds") or 0.0,
        checkpoint=from_here(run_dir.best) if os.path.lexists(run_dir.best) else None,
    )
