"""Small tables and configs that the tests write for themselves."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnctl.network.members import stream

COLOURS = ("blue", "green", "red")


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def mixed_rows(count: int, seed: int = 0) -> list[list[Any]]:
    """Rows of: id, number with missing cells, number, category, boolean, label that they decide, quantity."""
    rng = stream(seed, "table")
    rows: list[list[Any]] = []
    for place in range(count):
        a, b = rng.standard_normal(2)
        colour = COLOURS[int(rng.integers(3))]
        member = bool(rng.integers(2))
        score = a + b + (colour == "red") - 0.5 * member
        label = "yes, please" if score > 0.2 else "no"
        rows.append(
            [
                f"n{place}",
                "" if rng.random() < 0.1 else round(float(a), 6),
                round(float(b), 6),
                colour,
                "true" if member else "false",
                label,
                round(100 + 10 * float(score), 4),
            ]
        )
    return rows


MIXED = ["id", "a", "b", "colour", "member", "answer", "amount"]


def mixed_csv(path: Path, count: int = 120, seed: int = 0) -> Path:
    return write_csv(path, MIXED, mixed_rows(count, seed))


CLASSIFY = """
data:
  path: table.csv
  target: answer
  id: [id]
  drop: [amount]
  split: {val: 0.2, test: 0.2}
model:
  hidden: [8]
  dropout: 0.1
  norm: batch
optimizer: {lr: 0.01}
train: {epochs: 8}
"""

REGRESS = """
data:
  path: table.csv
  target: amount
  id: [id]
  drop: [answer]
  split: {val: 0.2, test: 0.2}
model: {hidden: [8], activation: gelu}
optimizer: {type: nesterov, lr: 0.02}
schedule: {type: cosine, warmup: 1}
train: {epochs: 8}
"""


ONE_BY_ONE = {"train.max_time": 1e6}  # folds that end by the clock share no pass


def experiment(folder: Path, text: str = CLASSIFY, *, rows: int = 120) -> Path:
    """A config in a folder beside the table that it names."""
    if not (folder / "table.csv").exists():
        mixed_csv(folder / "table.csv", rows)
    (folder / "it.yaml").write_text(text)
    return folder / "it.yaml"


def accuracy(labels: Sequence[str], truth: Sequence[str]) -> float:
    return float(np.mean([one == other for one, other in zip(labels, truth, strict=True)]))
