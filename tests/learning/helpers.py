"""A table of fruit, and ways to learn from it."""

from __future__ import annotations

import csv
from typing import Any

import nnctl
from nnctl.experiment import open_experiment
from nnctl.judging import predict
from nnctl.preparing.preparation import Prepared

HEADER = ["a", "b", "size", "count", "sort", "ripe", "sweet", "w"]
CONFIG = """
data:
  path: table.csv
  target: size
  split: none
model: {hidden: [4], dtype: float64}
train: {epochs: 3, batch_size: 16}
optimizer: {lr: 0.01}
"""


def keep(*names: str) -> str:
    """The override that leaves out all columns but a, b and those."""
    return f"data.drop=[{', '.join(name for name in HEADER[2:] if name not in names)}]"


def prepared(target: str, *overrides: str, also: tuple[str, ...] = ()) -> Prepared:
    names = [name.strip() for name in target.strip("[]").split(",")]
    return open_experiment("it.yaml", [f"data.target={target}", keep(*names, *also), *overrides]).prepared


def trained(target: str, *overrides: str, also: tuple[str, ...] = ()) -> Any:
    names = [name.strip() for name in target.strip("[]").split(",")]
    return nnctl.train("it.yaml", [f"data.target={target}", keep(*names, *also), *overrides])


def predicted(run: Any, *, proba: bool = False) -> list[dict[str, str]]:
    predict(run, "table.csv", "out.csv", proba=proba)
    with open("out.csv", newline="") as file:
        return list(csv.DictReader(file))
