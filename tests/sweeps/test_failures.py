"""What fails is told at once, tried once more, and costs nothing but itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nnctl.errors import OutputError, WorkerDied
from nnctl.running.loop import Note
from nnctl.running.stack_members import failed
from nnctl.runs.atomic import read_json
from nnctl.sweeps import driving
from nnctl.sweeps.events import SweepFinished, TrialEnded
from nnctl.sweeps.ready import made_ready
from nnctl.sweeps.trial import Order, Outcome, Trial
from tests.sweeps.in_process import Dying, Now, events_of, folder_of, swept
from tests.tables import experiment

WORDS = ["optimizer.lr=0.1,0.01,0.001", "train.epochs=3"]


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial is a task."""
    monkeypatch.setattr(driving, "stacks_of", lambda prepared, jobs: [[place] for place in range(len(prepared))])


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """All trials are one task."""
    monkeypatch.setattr(driving, "stacks_of", lambda prepared, jobs: [list(range(len(prepared)))])


class Busy(Now):
    """Carries out so many calls; the others wait for ever."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.calls = calls

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(fn, *args, **kwargs) if len(self.trained) < self.calls else Future()


def statuses(config: Path, **options: Any) -> list[str]:
    return [trial.status for trial in swept(config, WORDS, **options).trials]


def test_a_worker_that_dies_costs_nothing(config: Path) -> None:
    executor = Dying((2, 1))
    events = events_of(config, WORDS, executor=executor)
    texts = [event.text for event in events if isinstance(event, Note)]
    assert texts == ["warning: trial 2: its worker process (pid 7) was ended by SIGKILL; trained once more"]
    last = events[-1]
    assert isinstance(last, SweepFinished)
    assert [trial.status for trial in last.sweep.trials] == ["completed"] * 3
    assert last.sweep.status == "completed"
    assert executor.numbers == [1, 2, 3, 2]


def test_a_trial_whose_worker_dies_twice_has_failed_and_is_no_reason_to_stop(config: Path) -> None:
    events = events_of(config, WORDS, executor=Dying((2, 1), (2, 2)))
    failed = [event.trial for event in events if isinstance(event, TrialEnded) and event.trial.status == "failed"]
    assert [trial.number for trial in failed] == [2]
    assert "SIGKILL" in failed[0].reason
    last = events[-1]
    assert isinstance(last, SweepFinished)
    assert (last.sweep.status, last.sweep.reason) == ("failed", "1 of 3 trials failed")
    assert "trial 2 failed (optimizer.lr=0.01)" in folder_of(last.sweep).log.read_text()
    assert "failed" in folder_of(last.sweep).trials_csv.read_text()


def test_the_same_command_again_tries_what_has_failed(config: Path) -> None:
    first = swept(config, WORDS, executor=Dying((2, 1), (2, 2)))
    executor = Now()
    again = swept(config, WORDS, executor=executor)
    assert (again.path, again.status, executor.numbers) == (first.path, "completed", [2])


def test_of_a_stack_only_what_has_not_ended_is_trained_again(config: Path, together: None) -> None:
    class DiesLater(Now):
        def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
            if len(self.trained) > 1:
                return fn(task)
            fn({**task, "members": task["members"][:2]})
            raise RuntimeError("gone")

    executor = DiesLater()
    assert statuses(config, executor=executor) == ["completed"] * 3
    assert executor.trained == [[1, 2, 3], [3]]


def test_a_member_that_fails_alone_is_tried_once_more(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = {2: 1}

    def failing(task: Mapping[str, Any]) -> dict[str, Any]:
        found = train_stack(task)
        for member in found["members"]:
            if fails.get(member["number"], 0):
                fails[member["number"]] -= 1
                member |= {"status": "failed", "reason": "no room"}
        return found

    from nnctl.running.stacking import train_stack

    monkeypatch.setattr(driving, "train_stack", lambda task: failing(task))
    executor = Now()
    assert statuses(config, executor=executor) == ["completed"] * 3  # what its folder says counts
    assert executor.numbers == [1, 2, 3]


def test_fail_fast_stops_at_the_first_failure(config: Path) -> None:
    class Failing(Busy):
        def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
            if len(self.trained) > 1:
                raise WorkerDied("gone")
            return fn(task)

    sweep = swept(config, WORDS, executor=Failing(2), fail_fast=True)
    assert [bool(trial.path) for trial in sweep.trials] == [True, False, False]  # what never began has no folder
    assert pd.read_csv(folder_of(sweep).trials_csv)["run"].isna().tolist() == [False, True, True]
    assert (sweep.status, sweep.reason) == ("failed", "1 of 3 trials failed")
    assert [trial.status for trial in sweep.trials] == ["completed", "failed", "waiting"]


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_the_sweep_which_goes_on_later(config: Path, number: signal.Signals) -> None:
    class Signalled(Busy):
        def carry_out(self, fn: Callable[..., Any], task: dict[str, Any]) -> Any:
            signal.raise_signal(number)
            return fn(task)

    last = events_of(config, WORDS, executor=Signalled(1))[-1]
    assert isinstance(last, SweepFinished)
    assert (last.sweep.status, last.sweep.reason, last.signal) == ("interrupted", number.name, number)
    assert [trial.status for trial in last.sweep.trials] == ["completed", "waiting", "waiting"]
    executor = Now()
    again = swept(config, WORDS, executor=executor)
    assert (again.path, again.status, executor.numbers) == (last.sweep.path, "completed", [2, 3])


def test_an_error_of_the_coordinator_is_written_down(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any, *args: Any) -> Any:
        raise ZeroDivisionError("no")

    with monkeypatch.context() as patched:
        patched.setattr(driving.Drive, "_collect", broken)
        with pytest.raises(ZeroDivisionError):
            swept(config, WORDS)
    (folder,) = Path("runs/it").glob("2*")
    assert read_json(folder / "sweep.json")["status"] == "failed"
    assert read_json(folder / "sweep.json")["reason"] == "ZeroDivisionError: no"
    assert swept(config, WORDS).path == str(folder)


# --- searches that decide by what came of earlier trials ---


class Halving:
    """Two epochs for all, then the best one goes on to its end, and the others end where they stand."""

    def __init__(self, trials: list[Any]) -> None:
        self.trials = trials
        self.asked: list[dict[int, Outcome]] = []

    @property
    def total(self) -> int:
        return len(self.trials)

    def orders(self, outcomes: Mapping[int, Outcome], begun: Mapping[int, Trial]) -> list[Order]:
        self.asked.append(dict(outcomes))
        if len(outcomes) < len(self.trials):
            return [Order(trial, until=2) for trial in self.trials]
        best = min(outcomes, key=lambda number: outcomes[number].value)
        return [
            Order(trial, drop="" if trial.number == best else f"trial {best} was better after 2 epochs")
            for trial in self.trials
        ]


@pytest.mark.parametrize("cut", [None, 1, 3, 4])
def test_trials_wait_for_a_decision_go_on_and_are_dropped(
    config: Path, cut: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nnctl.sweeps import coordinating
    from tests.sweeps.in_process import Stopping

    def halved(*args: Any, **options: Any) -> Any:
        ready = made_ready(*args, **options)
        object.__setattr__(ready, "search", Halving(ready.trials))
        return ready

    monkeypatch.setattr(coordinating, "made_ready", halved)
    if cut is not None:
        with pytest.raises(Stopping.Killed):
            swept(config, WORDS, executor=Stopping(cut))
    sweep = swept(config, WORDS)
    best = sweep.best
    assert best is not None
    assert [trial.epochs for trial in sweep.trials].count(3) == 1
    assert [trial.status for trial in sweep.trials if trial.epochs == 2] == ["early_stopped"] * 2
    assert all("was better after 2 epochs" in trial.reason for trial in sweep.trials if trial.epochs == 2)


def test_the_same_trouble_of_many_trials_is_told_once(config: Path) -> None:
    events = events_of(config, WORDS, executor=Dying((1, 1), (2, 1), (3, 1)))
    texts = [event.text for event in events if isinstance(event, Note)]
    assert texts[0].startswith("warning: trial 1: its worker process (pid 7) was ended by SIGKILL")
    assert texts[1:] == ["more trials are trained once more for the same reason: see log.txt"]
    last = events[-1]
    assert isinstance(last, SweepFinished)
    assert "trial 3: its worker process" in folder_of(last.sweep).log.read_text()


def test_a_disk_that_takes_nothing_ends_the_sweep(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OutputError("trials/x: cannot be written: No space left on device")

    def failing(task: Mapping[str, Any]) -> dict[str, Any]:
        return {"members": [failed(member["number"], full) for member in task["members"]]}

    with monkeypatch.context() as patched:
        patched.setattr(driving, "train_stack", failing)
        with pytest.raises(OutputError, match="No space left on device; as of another trial before"):
            swept(config, WORDS)
    (folder,) = Path("runs/it").glob("2*")
    assert read_json(folder / "sweep.json")["status"] == "failed"
    assert statuses(config) == ["completed"] * 3


@pytest.mark.usefixtures("together")
def test_one_that_kills_its_worker_again_and_again_costs_the_others_nothing(config: Path) -> None:
    executor = Dying((2, 1), (2, 2), (2, 3))
    events = events_of(config, WORDS, executor=executor)
    notes = [event.text.partition(": ")[2] for event in events if isinstance(event, Note)]
    assert notes[0] == "trials 1, 2, 3: its worker process (pid 7) was ended by SIGKILL; trained once more"
    assert notes[1].endswith("trained once more, each by itself")
    last = events[-1]
    assert isinstance(last, SweepFinished)
    assert [trial.status for trial in last.sweep.trials] == ["completed", "failed", "completed"]
    assert executor.trained == [[1, 2, 3], [1, 2, 3], [1], [2], [3]]
