"""When a run is saved, and under which names."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

import nnctl
from nnctl.errors import SpecError
from nnctl.running.beginning import training
from nnctl.running.loop import Finished
from nnctl.running.run import Run
from nnctl.runs import checkpoint


def saves(run: Run) -> list[str]:
    return sorted(path.name for path in (Path(run.path) / "checkpoints").iterdir() if "-" in path.name)


def test_a_save_every_so_many_epochs(config: Path) -> None:
    run = nnctl.train(config, {"checkpoint": {"every": "2 epochs", "keep": 3}, "train.epochs": 7})
    assert saves(run) == ["epoch-000004.safetensors", "epoch-000006.safetensors"]
    assert checkpoint.load(Path(run.path) / "checkpoints" / "last.safetensors").meta["epoch"] == 7


def test_a_save_every_so_many_steps_also_inside_an_epoch(config: Path) -> None:
    run = nnctl.train(config, {"checkpoint": {"every": "5 steps", "keep": 3}, "train.epochs": 6})  # 3 steps an epoch
    assert saves(run) == ["step-0000010.safetensors", "step-0000015.safetensors"]
    state = checkpoint.load(Path(run.path) / "checkpoints" / "step-0000010.safetensors").meta["state"]
    assert (state["progress"]["epoch"], state["progress"]["batch"]) == (3, 1)


@pytest.mark.parametrize("every", ["5", "0 epochs", "five epochs", "5 minutes", "-1 steps", "", "1.5 epochs"])
def test_what_is_no_pause_is_refused(config: Path, every: str) -> None:
    with pytest.raises(SpecError, match=r"checkpoint\.every: must be `auto`, or a number of epochs or steps such as"):
        nnctl.train(config, {"checkpoint.every": every})


def test_a_signal_asks_for_a_save_and_the_run_goes_on(config: Path) -> None:
    last = Path("runs/it/latest/checkpoints/last.safetensors")
    found, ending = [], None
    for count, event in enumerate(training(config, {"checkpoint.every": "1000 epochs"})):
        if count == 5:
            os.kill(os.getpid(), signal.SIGUSR1)
        if count in (5, 6):
            found.append(checkpoint.load(last).meta["epoch"])
        ending = event
    assert found[0] == 0 < found[1]
    assert isinstance(ending, Finished)
    assert ending.run.status == "completed"
