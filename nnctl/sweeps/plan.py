"""The plan of a sweep: one command for each trial, for xargs, GNU parallel or a batch scheduler."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from nnctl.sweeps.trial import Trial


def plan(config: str | Path, trials: Iterable[Trial], options: Sequence[str] = ()) -> list[str]:
    """The commands that train the trials alone, quoted for a shell; ``options`` are further words of each.

    With ``--once`` the same command again trains nothing twice, and goes on with what was interrupted.
    """
    return [shlex.join(["nnctl", "train", os.fspath(config), *trial.overrides, "--once", *options]) for trial in trials]
