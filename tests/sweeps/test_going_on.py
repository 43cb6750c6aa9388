"""The same command again goes on: nothing is trained twice, nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import RunError, SpecError
from nnctl.running.loop import Note
from nnctl.runs import atomic
from nnctl.runs.atomic import read_json
from nnctl.runs.sweep_dir import SweepDir
from nnctl.sweeps import coordinating, driving
from nnctl.sweeps.coordinating import sweeping
from nnctl.sweeps.events import SweepStarted
from nnctl.sweeps.standing import read_sweep
from tests.sweeps.in_process import Now, Stopping, events_of, folder_of, sweeps, swept
from tests.tables import experiment

WORDS = ["optimizer.lr=0.1,0.01,0.001", "train.epochs=3"]
RUNS = Path("runs")


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial is a task."""
    monkeypatch.setattr(driving, "stacks_of", lambda prepared, jobs: [[place] for place in range(len(prepared))])


def killed(config: Path, after: int, words: list[str] = WORDS) -> SweepDir:
    """A sweep whose coordinator was killed after so many tasks."""
    with pytest.raises(Stopping.Killed):
        swept(config, words, executor=Stopping(after))
    return SweepDir(sweeps(RUNS)[-1])


def test_a_killed_sweep_goes_on_with_what_has_not_ended(config: Path) -> None:
    found = killed(config, 2)
    assert (read_json(found.sweep_json)["status"], read_sweep(found).status) == ("running", "interrupted")
    executor = Now()
    started, *_ = events_of(config, WORDS, executor=executor)
    assert isinstance(started, SweepStarted)
    assert [trial.number for trial in started.ended] == [1, 2]
    assert executor.numbers == [3]
    assert sweeps(RUNS) == [found.path]
    again = read_sweep(found)
    assert [trial.status for trial in again.trials] == ["completed"] * 3
    assert [len(rows.read_text().splitlines()) for rows in sorted(found.path.glob("trials/*/metrics.csv"))] == [4] * 3
    assert len(read_json(found.sweep_json)["resumed"]) == 1


def test_what_comes_of_it_is_what_would_have(config: Path) -> None:
    undisturbed = swept(config, WORDS, name="undisturbed")
    killed(config, 1)
    gone_on = swept(config, WORDS)
    for one, other in zip(undisturbed.trials, gone_on.trials, strict=True):
        assert (one.number, one.params, one.metrics, one.status) == (
            other.number,
            other.params,
            other.metrics,
            other.status,
        )


def test_a_kill_before_the_first_trial_loses_nothing(config: Path) -> None:
    killed(config, 0)
    executor = Now()
    swept(config, WORDS, executor=executor)
    assert executor.numbers == [1, 2, 3]
    assert len(sweeps(RUNS)) == 1


def test_a_trial_that_was_killed_in_the_middle_goes_on_from_its_save(config: Path) -> None:
    found = killed(config, 2)
    run_dir = found.trial(2)  # as if its worker had been killed: not ended, no lock
    about = read_json(run_dir.run_json)
    atomic.write_json(run_dir.run_json, {**about, "status": "running"})
    run_dir.metrics_json.unlink()
    executor = Now()
    swept(config, WORDS, executor=executor)
    assert executor.numbers == [2, 3]
    assert len(run_dir.metrics_csv.read_text().splitlines()) == 4  # no epoch twice
    assert read_json(run_dir.run_json)["status"] == "completed"


def test_another_command_is_another_sweep(config: Path) -> None:
    killed(config, 1)
    swept(config, [WORDS[0], "train.epochs=2"])
    swept(config, WORDS, seeds=2)
    assert len(sweeps(RUNS)) == 3


def test_other_data_are_another_sweep(config: Path) -> None:
    found = killed(config, 1)
    table = config.parent / "table.csv"
    table.write_text(table.read_text().replace("red", "rot"))
    executor = Now()
    swept(config, WORDS, executor=executor)
    assert (executor.numbers, len(sweeps(RUNS))) == ([1, 2, 3], 2)
    assert read_sweep(found).status == "interrupted"


def test_a_sweep_that_has_ended_is_tried_anew(config: Path) -> None:
    first, second = swept(config, WORDS), swept(config, WORDS)
    assert first.path != second.path


def test_with_once_a_sweep_that_has_ended_is_given_back(config: Path) -> None:
    executor = Now()
    first, second = swept(config, WORDS), swept(config, WORDS, once=True, executor=executor)
    assert first.path == second.path
    assert first.trials == second.trials
    assert executor.trained == []


def test_only_one_process_goes_on_with_a_sweep(config: Path) -> None:
    with killed(config, 1).lock(), pytest.raises(SpecError, match=r"runs/it/.*: is being trained by process"):
        swept(config, WORDS)
    assert len(sweeps(RUNS)) == 1


def test_workers_that_outlive_their_coordinator_are_waited_for(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = killed(config, 1)
    found.trial(2).create_here()
    held = [found.trial(2).lock()]
    texts = []
    for event in sweeping(config, WORDS, executor=Now()):
        if isinstance(event, Note):
            texts.append(event.text)
            held.pop().release()
    assert texts == ["trial 2: waiting for workers of the sweep that was ended, which are saving them"]
    assert read_sweep(found).status == "completed"

    monkeypatch.setattr(coordinating, "ORPHANS", 0.1)
    found = killed(config, 1)
    with found.trial(1).lock(), pytest.raises(SpecError, match="still being trained by another process"):
        swept(config, WORDS)


def test_a_damaged_sweep_is_passed_over(config: Path) -> None:
    found = killed(config, 1)
    found.sweep_json.write_text("{")
    assert swept(config, WORDS).status == "completed"
    assert len(sweeps(RUNS)) == 2


@pytest.mark.parametrize("metric", [None, "val_loss", {"name": "val_loss"}, {"name": "val_loss", "goal": "more"}])
def test_a_sweep_without_its_metric_is_damaged(config: Path, metric: Any) -> None:
    first = folder_of(swept(config, WORDS))
    first.sweep_json.write_text(json.dumps({**first.read_sweep_json(), "metric": metric}))
    with pytest.raises(RunError, match=r"sweep\.json: is damaged: `metric` is not what it should be"):
        read_sweep(first)
    assert folder_of(swept(config, WORDS, once=True)).path != first.path


def test_the_name_tells_sweeps_apart(config: Path) -> None:
    killed(config, 1)
    other = swept(config, WORDS, name="other")
    assert folder_of(other).path.parent == RUNS / "other"
    assert len(other.trials) == 3
