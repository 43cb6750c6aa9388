"""What makes two runs the same, and the look for a run that is what was asked for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import nnctl
from nnctl.errors import RunError
from nnctl.preparing.preparation import Prepared
from nnctl.running.run import FINISHED
from nnctl.runs.folders import runs_of_name
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import written
from nnctl.spec.schema import Experiment

PATHS = ("path", "val_path", "test_path", "cache")


class Same(NamedTuple):
    """The runs of a name that are what was asked for, by what can be done with them; the newest of each."""

    finished: RunDir | None
    running: RunDir | None
    interrupted: RunDir | None


def fingerprint(experiment: Experiment, prepared: Prepared, origin: str | None) -> str:
    """The same for two runs that learn the same: resolved config, bytes of the data, version, weights to begin with."""
    values: dict[str, Any] = written(experiment)
    for name in ("name", "checkpoint", "sweep"):
        values.pop(name, None)
    for name in PATHS:
        values["data"].pop(name, None)
    depends = {"config": values, "data": prepared.fitted.sha256, "nnctl": nnctl.__version__, "from": origin}
    return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def same_runs(runs: Path, name: str, wanted: str) -> Same:
    """The runs of a name with this fingerprint; damaged ones are passed over."""
    found: dict[str, RunDir] = {}
    for run in sorted(runs_of_name(runs / name), key=lambda run: run.path.name, reverse=True):
        try:
            about = run.read_run_json()
        except RunError:
            continue
        if about.get("fingerprint") != wanted:
            continue
        if run.is_locked():
            kind = "running"
        else:
            kind = "finished" if run.read_run_json().get("status") in FINISHED else "interrupted"
        found.setdefault(kind, run)
    return Same(*(found.get(kind) for kind in Same._fields))
