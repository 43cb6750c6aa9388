"""Tasks as the coordinator of a sweep makes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nnctl.spec.reading import read_experiment, written

SWEEP = "20261121-120000-abcd"

CONFIG = """
data: {path: xor.csv, target: y, split: none}
model: {hidden: [4], activation: tanh}
optimizer: {type: adam, lr: 0.05}
train: {epochs: 40, batch_size: full}
"""
TABLE = "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"


def sweep_folder(base: Path) -> Path:
    """The folder of a sweep that has not begun, its config and its data beside it."""
    (base / "xor.csv").write_text(TABLE)
    (base / "xor.yaml").write_text(CONFIG)
    sweep = base / "runs" / "xor" / SWEEP
    (sweep / "trials").mkdir(parents=True)
    (sweep / "config.yaml").write_text(CONFIG)
    return sweep


def task(sweep: Path, numbers: Sequence[int], *overrides: str, until: int | None = None) -> dict[str, Any]:
    """A task of trials that differ in their seed."""
    config = sweep.parent.parent.parent / "xor.yaml"
    members = []
    for number in numbers:
        words = (*overrides, f"seed={number}")
        experiment = read_experiment(config, words).experiment
        members.append(
            {
                "number": number,
                "path": str(sweep / "trials" / f"{number:04d}"),
                "spec": written(experiment),
                "overrides": dict(word.split("=", 1) for word in words),
                "until": until,
                "drop": "",
            }
        )
    about = {"argv": ["nnctl", "sweep", "xor.yaml"], "git": None, "sweep": SWEEP}
    runs = str(sweep.parent.parent)
    return {"schema": "nnctl.task/1", "sweep": str(sweep), "runs": runs, "about": about, "members": members}
