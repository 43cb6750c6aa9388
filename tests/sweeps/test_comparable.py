"""Losses that are not the same quantity, and other rows, are not compared without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.cli import main
from nnctl.sweeps.events import SweepFinished
from nnctl.sweeps.ready import made_ready
from tests.sweeps.in_process import events_of, folder_of
from tests.tables import CLASSIFY, REGRESS, experiment

QUANTITY = "`val_loss` is another quantity in each: let another metric decide, such as `{}`, as `sweep.metric.name`"
ROWS = "are judged on different rows"


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (REGRESS, ["loss=mse,mae"], ["in `loss`, and " + QUANTITY.format("val_rmse")]),
        (CLASSIFY, ["loss.label_smoothing=0,0.1"], ["in `loss`, and " + QUANTITY.format("val_accuracy")]),
        (CLASSIFY, ["loss.class_weight=none,balanced"], ["in `loss`, and " + QUANTITY.format("val_accuracy")]),
        (REGRESS, ["data.target_scale=none,standardize"], ["in `data.target_scale`"]),
        (REGRESS, ["data.target_scale=auto,none", "loss=mse,mae"], ["in `loss` and `data.target_scale`"]),
        (REGRESS, ["data.split.val=0.2,0.3"], [ROWS]),
        (REGRESS, ["data.split.seed=1,2", "loss=mse,mae"], ["in `loss`, and", ROWS]),
        (REGRESS, ["loss=mse,auto"], []),
        (CLASSIFY, ["optimizer.lr=0.1,0.2", "seed=1,2", "model.dropout=0,0.1"], []),
    ],
)
def test_what_cannot_be_compared_is_told(in_folder: Path, text: str, words: list[str], told: list[str]) -> None:
    found = made_ready(experiment(in_folder, text), words).doubts
    assert len(found) == len(told)
    assert all(part in sentence for part, sentence in zip(told, found, strict=True))


def test_a_metric_that_is_no_loss_can_be_compared(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS + "sweep: {metric: {name: val_rmse}}\n")
    assert made_ready(config, ["loss=mse,mae"]).doubts == []


def test_it_is_told_as_a_note_that_the_log_keeps(in_folder: Path) -> None:
    events = events_of(experiment(in_folder, REGRESS), ["loss=mse,mae", "train.epochs=1"])
    (text,) = [text for event in events if "another quantity" in (text := getattr(event, "text", ""))]
    assert isinstance(events[-1], SweepFinished)
    assert text in folder_of(events[-1].sweep).log.read_text()


def test_a_dry_run_tells_it_too(in_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(experiment(in_folder, REGRESS)), "loss=mse,mae", "--dry-run"]) == 0
    assert "another quantity" in " ".join(capsys.readouterr().err.split())
