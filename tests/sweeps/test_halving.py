"""Halving on networks: it decides by what is measured during training, and always by the same."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import RunError, SpecError
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps import driving
from nnctl.sweeps.ready import made_ready
from nnctl.sweeps.result import Sweep
from nnctl.sweeps.standing import curve_of
from nnctl.sweeps.state import State
from nnctl.sweeps.trial import Criterion, Outcome
from tests.sweeps.in_process import Stopping, folder_of, sweeps, swept
from tests.tables import experiment

WIDTHS = "model.hidden=" + ",".join(f"[{width}]" for width in range(12, 21))
WORDS = [WIDTHS, "data.split=none", "early_stopping=none", "optimizer.lr=1e-2", "train.epochs=9"]


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


def epochs(sweep: Sweep) -> list[int]:
    return [trial.epochs for trial in sweep.trials]


@pytest.mark.parametrize("metric", ["train_accuracy", "test_loss", "train_loss"])
def test_a_metric_that_is_measured_at_the_end_is_refused(config: Path, metric: str) -> None:
    section = f"\nsweep: {{metric: {{name: {metric}}}}}\n"
    config.write_text(config.read_text() + section)
    words = [WIDTHS, "data.split={val: 0.2, test: 0.2}", "train.epochs=9"]
    with pytest.raises(
        SpecError, match=f"halving decides during training, and `{metric}` is .* take `val_loss`, `val_"
    ):
        made_ready(config, words, method="halving")
    assert made_ready(config, words).metric == metric  # of a method that waits for the end


def test_what_the_config_watches_is_refused_too_where_no_epoch_has_it(config: Path) -> None:
    words = [WIDTHS, "data.split={val: 0.2}", "early_stopping={type: patience, monitor: train_accuracy}"]
    with pytest.raises(SpecError, match="`train_accuracy` is measured only at the end"):
        made_ready(config, words, method="halving")


def test_a_table_without_the_metric_is_an_error(config: Path) -> None:
    sweep = swept(config, WORDS[1:], method="grid", seeds=2)
    run_dir = folder_of(sweep).trial(1)
    with pytest.raises(RunError, match="has no `val_loss` to decide by"):
        curve_of(run_dir, Criterion("val_loss", "minimize"))
    values = [value for _, value in curve_of(run_dir, Criterion("train_loss", "minimize"))]
    assert values == sorted(values, reverse=True)


def values_at(config: Path, sweep_dir: SweepDir, rung: int) -> dict[int, float]:
    """What the trials count at a rung, as their folders say it."""
    criterion = Criterion("train_loss", "minimize", early=True)
    states = [State.of(trial, sweep_dir, criterion) for trial in made_ready(config, WORDS).trials]
    return {state.trial.number: state.outcome.at(rung) for state in states if state.outcome is not None}


def test_a_trial_counts_the_same_before_and_after_it_ends(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loss of a result is that of the best weights, less than what the table has of the epoch."""
    monkeypatch.setattr(driving, "stacks_of", lambda prepared, jobs: [[place] for place in range(len(prepared))])
    with pytest.raises(Stopping.Killed):
        swept(config, WORDS, method="halving", executor=Stopping(9))
    sweep_dir = SweepDir(sweeps(Path("runs"))[-1])
    before = values_at(config, sweep_dir, 1)
    assert len(before) == 9
    sweep = swept(config, WORDS, method="halving")
    assert Path(sweep.path) == sweep_dir.path
    assert values_at(config, sweep_dir, 1) == before
    assert sorted(epochs(sweep)) == [1] * 6 + [3] * 2 + [9]
    assert {trial.number for trial in sweep.trials if trial.epochs > 1} == set(
        sorted(before, key=before.__getitem__)[:3]
    )


@pytest.mark.parametrize("after", [10, 13])
def test_a_kill_changes_no_decision(config: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = swept(config, WORDS, method="halving", name="whole")
    monkeypatch.setattr(driving, "stacks_of", lambda prepared, jobs: [[place] for place in range(len(prepared))])
    with pytest.raises(Stopping.Killed):
        swept(config, WORDS, method="halving", executor=Stopping(after))
    assert epochs(swept(config, WORDS, method="halving")) == epochs(whole)


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_what_breaks_after_a_rung_keeps_its_place_there(status: Any) -> None:
    broken = Outcome(status, math.nan, 9, ((3, 0.5), (9, 0.25)))
    assert (broken.at(3), broken.at(9)) == (0.5, 0.25)
    assert math.isnan(broken.at(27))
    assert math.isnan(Outcome(status, math.nan, 0).at(3))
