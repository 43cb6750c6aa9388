"""A sweep from its config to its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import nnctl
from nnctl.errors import DataError, SpecError
from nnctl.experiment import train
from nnctl.running.run import read_run
from nnctl.runs.atomic import read_json
from nnctl.sweeps.events import SweepFinished, SweepStarted, TrialEnded
from nnctl.sweeps.standing import read_sweep
from tests.sweeps.in_process import Now, events_of, folder_of, sweeps, swept
from tests.tables import experiment

LRS = ["optimizer.lr=0.1,0.01,0.001", "train.epochs=3"]


@pytest.fixture
def config(in_folder: Path) -> Path:
    return experiment(in_folder)


def test_every_trial_has_a_run_folder_and_a_row(config: Path) -> None:
    started, *between, finished = events_of(config, LRS, seeds=2)
    assert isinstance(started, SweepStarted)
    assert isinstance(finished, SweepFinished)
    sweep = finished.sweep
    assert (started.path, started.total, started.ended) == (sweep.path, 6, ())
    assert [event.trial for event in between if isinstance(event, TrialEnded)] == list(sweep.trials)
    assert (sweep.status, sweep.reason, len(sweep.trials)) == ("completed", "all 6 trials done", 6)
    folder = folder_of(sweep)
    assert folder.config.read_bytes() == config.read_bytes()
    frame = pd.read_csv(folder.trials_csv)
    assert frame["trial"].tolist() == [1, 2, 3, 4, 5, 6]
    for trial, run, loss in zip(sweep.trials, frame["run"], frame["val_loss"], strict=True):
        found = read_run(folder.trial(trial.number))
        assert run == found.path == trial.path
        assert (found.metrics, found.status, loss) == (trial.metrics, trial.status, trial.metrics["val_loss"])
    best = sweep.best
    assert best is not None
    assert read_json(folder.sweep_json)["best"]["metrics"] == best.metrics
    assert replace(read_sweep(folder), seconds=sweep.seconds) == sweep


def test_a_trial_is_the_run_that_its_words_train_alone(config: Path) -> None:
    sweep = swept(config, LRS, seeds=2)
    trials = read_json(folder_of(sweep).sweep_json)["trials"]
    for trial in (sweep.trials[0], sweep.trials[5]):
        alone = train(config, trials[trial.number - 1]["overrides"])
        assert alone.metrics == trial.metrics


def test_the_story_is_told_in_sweep_json(config: Path) -> None:
    about = read_json(folder_of(swept(config, LRS, seeds=2, argv=["nnctl", "sweep", "it.yaml"])).sweep_json)
    assert (about["schema"], about["name"], about["status"]) == ("nnctl.sweep/1", "it", "completed")
    assert (about["argv"], about["metric"]) == (["nnctl", "sweep", "it.yaml"], {"name": "val_loss", "goal": "minimize"})
    assert about["trials"][1]["number"] == 2
    assert about["trials"][1]["params"]["optimizer.lr"] == 0.1
    assert (about["total"], about["best"]["run"].split("/")[0]) == (6, "trials")
    assert {"versions", "pid", "host", "started", "finished", "seconds", "fingerprint"} <= about.keys()


def test_the_monitor_of_the_config_decides(config: Path) -> None:
    words = [*LRS, "early_stopping.type=patience", "early_stopping.monitor=val_accuracy"]
    sweep = swept(config, words)
    assert (sweep.metric, sweep.goal) == ("val_accuracy", "maximize")
    best = sweep.best
    assert best is not None
    assert best.metrics["val_accuracy"] == max(trial.metrics["val_accuracy"] for trial in sweep.trials)


def test_a_diverged_trial_is_a_result(config: Path) -> None:
    sweep = swept(config, ["optimizer.lr=0.1,1e30", "optimizer.type=sgd", "train.epochs=3"])
    assert [trial.status for trial in sweep.trials] == ["completed", "diverged"]
    assert sweep.status == "completed"


def test_that_all_trials_diverged_is_said(config: Path) -> None:
    events = events_of(config, ["optimizer.lr=1e31,1e30", "optimizer.type=sgd"])
    assert any("all trials diverged" in getattr(event, "text", "") for event in events)


# --- what is wrong is known before anything is written ---


def test_the_problems_of_all_trials_are_told_at_once_each_once(config: Path) -> None:
    monitors = "early_stopping.monitor=val_loss,val_los,val_f2"
    with pytest.raises(SpecError) as caught:
        swept(config, [monitors, "early_stopping.type=patience", "model.hidden=[4],[5]"], seeds=2)
    first, second = map(str, caught.value.problems)
    assert "`val_los`" in first
    assert first.endswith("(trial 5: early_stopping.monitor=val_los model.hidden=[4] seed=0, and 3 more)")
    assert "`val_f2`" in second
    assert not Path("runs").exists() or not sweeps(Path("runs"))


def test_a_network_that_fits_no_memory_is_refused_before_anything_is_trained(config: Path) -> None:
    executor = Now()
    with pytest.raises(SpecError, match=r"trial 2: model.hidden"):
        swept(config, ["model.hidden=[4],[1000000000]"], executor=executor)
    assert executor.trained == []


def test_a_column_that_is_missing_is_refused_as_data(config: Path) -> None:
    with pytest.raises(DataError, match="nothing") as caught:
        swept(config, ["data.target=answer,nothing"])
    assert caught.value.exit_code == 3


def test_data_that_can_be_read_only_once_are_refused(config: Path) -> None:
    with pytest.raises(SpecError, match="read only once: save it to a file"):
        swept(config, ["data.path=-", "optimizer.lr=0.1,0.2"])


def test_the_table_is_read_once_for_all_trials(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nnctl.preparing import fresh
    from nnctl.sweeps.ready import made_ready

    read, hashed = [], []
    usual = fresh.read
    monkeypatch.setattr(fresh, "read", lambda *args: read.append(args) or usual(*args))
    import nnctl.preparing.remembering as remembering

    sha256_of = remembering.sha256_of
    monkeypatch.setattr(remembering, "sha256_of", lambda path: hashed.append(path) or sha256_of(path))
    ready = made_ready(config, ["optimizer.lr=0.1,0.2", "data.cache=false"], seeds=4)
    assert (len(ready.checked), len(read), len(hashed)) == (8, 1, 1)
    assert len({id(each.prepared.examples["train"]) for each in ready.checked}) == 1


def test_json_holds_no_nan(config: Path) -> None:
    sweep = swept(config, ["optimizer.lr=0.1,1e30", "optimizer.type=sgd"])
    json.loads(folder_of(sweep).sweep_json.read_text(), parse_constant=lambda name: pytest.fail(name))


# --- from Python ---


def test_a_mapping_says_what_to_try(config: Path) -> None:
    space = {"model.hidden": [[4], [4, 4]], "optimizer.lr": "log(1e-3,1e-1)", "train.epochs": 2, "model.norm": ["none"]}
    sweep = nnctl.sweep(config, space, trials=3, method="random", executor=Now())
    assert [list(trial.params) for trial in sweep.trials] == [["model.hidden", "optimizer.lr"]] * 3
    assert {trial.epochs for trial in sweep.trials} == {2}
    assert all(trial.params["model.hidden"] in ([4], [4, 4]) for trial in sweep.trials)


def test_a_key_that_the_config_lacks_may_be_what_varies(config: Path) -> None:
    config.write_text(config.read_text().replace("target: answer", "").replace("drop: [amount]", ""))
    sweep = swept(config, ["data.target=answer,member", "train.epochs=1"])
    assert [trial.status for trial in sweep.trials] == ["completed"] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"jobs": 0}, "jobs: must be a number of processes"),
        ({"jobs": "2"}, "jobs: must be a number of processes"),
        ({"engine": "mpi"}, "engine: must be `local` or `dask`"),
        ({"name": "a/b"}, "name: expected at most 64 letters"),
    ],
)
def test_arguments_of_a_wrong_kind_are_refused(config: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        nnctl.sweep(config, LRS, **arguments)


@pytest.mark.parametrize(
    ("options", "here", "there"),
    [
        ({"jobs": 0}, "arguments: jobs: must be", "command line: --jobs: must be a number of processes"),
        ({"scheduler": "x"}, "arguments: scheduler: is that", "command line: --scheduler: is that of Dask"),
    ],
)
def test_an_argument_is_named_as_it_was_given(config: Path, options: dict[str, Any], here: str, there: str) -> None:
    for argv, message in (((), here), (("nnctl", "sweep"), there)):
        with pytest.raises(SpecError, match=f"^{message}"):
            swept(config, LRS, argv=argv, **options)


def test_a_metric_that_there_will_not_be_is_placed(config: Path) -> None:
    config.write_text(config.read_text() + "sweep:\n  metric: {name: val_acuracy}\n")
    with pytest.raises(SpecError, match=r"it\.yaml:\d+:18: sweep\.metric\.name: unknown metric `val_acuracy`, did you"):
        swept(config, LRS)


def test_words_of_a_wrong_kind_are_refused(config: Path) -> None:
    with pytest.raises(SpecError, match=r"overrides: must be a dict"):
        nnctl.sweep(config, 7)  # type: ignore[arg-type]
