"""What several of these tests need: a checkpoint to save, runs to list, a process to start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import nnctl
from nnctl.runs import atomic, checkpoint
from nnctl.runs.listing import Summary, ls
from nnctl.runs.run_dir import RunDir
from nnctl.runs.sweep_dir import SweepDir

META = {
    "spec": {"name": "größe", "layers": [{"units": 3}]},
    "classes": ["no", "yes"],
    "rng": {"state": 2**127 + 12345678901234567890, "inc": 2**53 + 1},
    "scale": 0.1,
}

RUNS = Path("runs")


def tensors() -> dict[str, checkpoint.Array]:
    rng = np.random.default_rng(0)
    return {
        "layers.0.W": rng.normal(size=(3, 4)).astype(np.float32),
        "layers.0.b": np.zeros(4, np.float32),
        "state.t": np.array(17),
        "empty": np.zeros((0, 5), np.float32),
        "mask": np.array([True, False]),
        "theta64": rng.normal(size=7),
    }


def make(run_id: str, name: str = "xor", *, metrics: dict[str, Any] | None = None, **about: Any) -> RunDir:
    run = RunDir(RUNS / name / run_id)
    run.checkpoints.mkdir(parents=True)
    fields = {
        "schema": "nnctl.run/1",
        "name": name,
        "id": run_id,
        "status": "completed",
        "reason": "all epochs done",
        "argv": ["nnctl", "train"],
        "overrides": {},
        "seed": 0,
        "versions": {"nnctl": "0.1.0"},
        "started": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T{run_id[9:11]}:{run_id[11:13]}:{run_id[13:15]}Z",
        "finished": "2026-11-21T12:00:00Z",
        "seconds": 1.5,
        "epochs": 100,
        "best_epoch": 90,
        "rows": {"train": 4, "val": 0, "test": 0},
        "parameters": 33,
        "pid": 1,
        "host": "h",
    }
    atomic.write_json(run.run_json, {**fields, **about})
    if metrics is not None:
        atomic.write_json(run.metrics_json, {"schema": "nnctl.metrics/1", "metrics": metrics})
    return run


def make_sweep(run_id: str, name: str = "xor", losses: Sequence[float | None] = (0.3, 0.1), **about: Any) -> SweepDir:
    """A sweep whose trials have these validation losses, and other learning rates; None is a trial that diverged."""
    sweep = SweepDir(RUNS / name / run_id)
    trials = [{"number": number, "params": {"optimizer.lr": number / 10}} for number in range(1, len(losses) + 1)]
    for number, loss in enumerate(losses, 1):
        known: dict[str, Any] = {"metrics": {"val_loss": loss}} if loss is not None else {"status": "diverged"}
        make(f"{run_id}/trials/{number:04}", name, overrides={"optimizer.lr": number / 10}, **known)
    fields = {
        "schema": "nnctl.sweep/1",
        "name": name,
        "id": run_id,
        "status": "completed",
        "reason": "",
        "seconds": 9.5,
    }
    fields |= {"started": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T00:00:00Z", "finished": "2026-11-21T12:00:00Z"}
    fields |= {"metric": {"name": "val_loss", "goal": "minimize"}, "total": len(losses), "trials": trials}
    finite = {loss: number for number, loss in enumerate(losses, 1) if loss is not None}
    if finite:
        run = f"trials/{finite[min(finite)]:04}"
        fields["best"] = {"run": run, "params": {}, "metrics": {"val_loss": min(finite)}}
    atomic.write_json(sweep.sweep_json, {**fields, **about})
    return sweep


def make_five() -> list[Summary]:
    make(
        "20261121-000000-0001",
        metrics={"val_loss": 0.3, "val_f1": 0.9},
        overrides={"optimizer.lr": 0.1, "seed": 1},
        seed=1,
    )
    make("20261121-000000-0002", metrics={"val_loss": 0.1, "val_f1": None}, overrides={"optimizer.lr": 1e-3}, epochs=7)
    make("20261121-000000-0003", "iris", status="failed", overrides={"model.hidden": [64, 64], "optimizer.type": "sgd"})
    make("20261121-000000-0004", "7", metrics={"val_loss": 0.2}, overrides={'data.columns["a<=b"].scale': "robust"})
    make("20261121-000000-0005").run_json.write_text("")
    return sorted(ls(RUNS), key=lambda summary: summary.id)


def start(code: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(path)]
    env = {**os.environ, "PYTHONPATH": str(Path(nnctl.__file__).parents[1])}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
