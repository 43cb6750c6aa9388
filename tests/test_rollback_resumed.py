"""A run that goes back to its best weights is the same run after a kill, wherever the kill finds its files."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import nnctl
from nnctl.experiment import load, resume
from nnctl.running.beginning import training
from nnctl.running.loop import Started
from nnctl.training.trainer import Epoch
from tests.tables import write_csv

CONFIG = """
data: {path: table.csv, target: y, split: {type: random, val: 0.25}, numeric: {scale: none}}
model: {layers: [{type: residual, layers: [{type: dense, units: 2}, NORM]}]}
optimizer: {lr: 0.01}
train: {epochs: 8, batch_size: 5, on_nan: rollback}
checkpoint: {every: 1 epochs}
"""


@pytest.fixture(params=["identity", "batch_norm"])
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [[place / 10, -place / 7, place / 5 - 2] for place in range(40)]
    rows[7][0] = 1e38  # a batch with it has no finite loss
    write_csv(tmp_path / "table.csv", ["a", "b", "y"], rows)
    (tmp_path / "it.yaml").write_text(CONFIG.replace("NORM", request.param))
    return tmp_path / "it.yaml"


def killed(config: Path, *, after: int, best_of: int) -> Path:
    """A run whose state is that after an epoch, and whose best weights are those of a later one."""
    events = training(config, name=f"killed-{best_of}")
    run = Path()
    for event in events:
        if isinstance(event, Started):
            run = Path(event.run)
        if isinstance(event, Epoch) and event.epoch == after:
            shutil.copy(run / "checkpoints" / "last.safetensors", config.parent / "then")
        if isinstance(event, Epoch) and event.epoch == best_of:
            break
    events.close()
    shutil.copy(config.parent / "then", run / "checkpoints" / "last.safetensors")
    return run


def story(path: Path) -> Any:
    """What a run has come to, but for the time it took."""
    rows = list(csv.reader((path / "metrics.csv").read_text().splitlines()))
    about = json.loads((path / "run.json").read_text())
    place = rows[0].index("seconds")
    timeless = [[cell for at, cell in enumerate(row) if at != place] for row in rows]
    return timeless, {name: about[name] for name in ("status", "best_epoch", "weights_sha256", "epochs")}


def test_a_best_epoch_that_is_newer_than_the_state_is_made_again(config: Path) -> None:
    whole = nnctl.train(config)
    notes = (Path(whole.path) / "log.txt").read_text()
    assert notes.count("back to the ") >= 8
    for best_of in (2, 4, 6):
        run = killed(config, after=2, best_of=best_of)
        resume(run)
        assert story(run) == story(Path(whole.path))
        assert load(run).arena.theta.tobytes() == load(whole).arena.theta.tobytes()
