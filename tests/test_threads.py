"""How many threads a run gets, that it is written down, and that a run goes on with as many."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.data.batches import Examples
from nnctl.errors import RunError, SpecError
from nnctl.initializers.he_normal import HeNormal
from nnctl.layers import Layer
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.conv2d import Conv2d
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.max_pool2d import MaxPool2d
from nnctl.network.network import build
from nnctl.network.team import Team
from nnctl.running import threads as deciding
from nnctl.running.beginning import resuming, training
from nnctl.running.loop import Event, Finished, Note, Started
from nnctl.running.reproducing import Reproduced, reproducing
from nnctl.running.threads import Neighbours, cores
from nnctl.runs.atomic import read_json
from nnctl.runs.run_dir import RunDir
from nnctl.training.job import Job
from nnctl.training.splitting import best_split
from nnctl.training.trainer import Epoch
from tests.resuming.helpers import ending
from tests.tables import CLASSIFY, experiment
from tests.test_trainer import job

TWO = {"train.threads": 2}
NOISY = {"model.norm": None, "model.dropout": 0.2, "train.batch_size": 16, "train.epochs": 4}


def dense(*units: int) -> list[Layer]:
    return [Dense(units=each, init=HeNormal()) for each in units]


def sized(layers: Sequence[Layer], shape: tuple[int, ...], batch: int) -> Job:
    network = build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], shape)
    rows = np.zeros((10 * batch, 1), np.float32)
    return job(network=network, train=Examples(rows, rows, rows), batch_size=batch)


CNN = [
    Conv2d(filters=32, kernel=3, padding="same", init=HeNormal()),
    MaxPool2d(size=2),
    Conv2d(filters=64, kernel=3, padding="same", init=HeNormal()),
    MaxPool2d(size=2),
    Flatten(),
    *dense(64, 10),
]
SIZES = {
    "xor": (sized(dense(8, 1), (2,), 4), 1),
    "small": (sized(dense(64, 64, 2), (30,), 32), 1),
    "mnist": (sized(dense(128, 10), (784,), 128), 1),
    "middle": (sized(dense(256, 256, 1), (100,), 256), 2),
    "mnistL": (sized(dense(512, 512, 10), (784,), 128), 2),
    "wide": (sized(dense(2048, 2048, 10), (784,), 512), 2),
    "wide, few rows": (sized(dense(2048, 2048, 10), (784,), 16), 1),
    "cnn": (sized(CNN, (28, 28, 1), 64), 2),
    "batch_norm": (sized([*dense(2048), BatchNorm(), *dense(10)], (784,), 512), 1),
}


@pytest.mark.parametrize("name", SIZES)
def test_auto_splits_where_it_pays(name: str) -> None:
    job_, expected = SIZES[name]
    assert best_split(job_, 2) == expected
    assert best_split(job_, 1) == 1


def test_more_threads_get_more_to_do_up_to_where_it_pays() -> None:
    found = [best_split(SIZES["wide"][0], n) for n in (4, 8)]
    assert found == [4, 8]
    assert 2 <= best_split(SIZES["mnistL"][0], 64) < 8
    assert best_split(replace(SIZES["wide"][0], batch_size=3), 8) <= 3


def done(events: Any) -> tuple[Finished, list[Event]]:
    seen = list(events)
    last = seen[-1]
    assert isinstance(last, Finished)
    return last, seen


def about(run: Any) -> dict[str, Any]:
    return read_json(RunDir(Path(run.path)).run_json)


@pytest.fixture
def small(in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(deciding, "SHARED", str(in_folder))
    return experiment(in_folder, CLASSIFY)


def test_the_number_is_written_down_and_auto_is_not_replaced(small: Path) -> None:
    one, _ = done(training(small, NOISY))
    two, seen = done(training(small, {**NOISY, **TWO}))
    assert (about(one.run)["threads"], about(one.run)["shards"]) == (1, 1)
    assert (about(two.run)["threads"], about(two.run)["shards"]) == (2, 2)
    assert about(one.run)["weights_sha256"] != about(two.run)["weights_sha256"]
    assert "threads: auto" in RunDir(Path(one.run.path)).resolved.read_text()
    assert not [event for event in seen if isinstance(event, Note) and "threads" in event.text]
    assert threading.active_count() == 1


def test_a_run_of_two_threads_goes_on_in_the_middle_of_an_epoch(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {**NOISY, **TWO, "checkpoint.every": "1 steps"}
    straight, _ = done(training(small, changes))
    monkeypatch.setattr("nnctl.training.trainer.TICK", 0.0)
    events = training(small, changes)
    started = next(event for event in events if isinstance(event, Started))
    next(event for event in events if isinstance(event, Epoch))
    next(events), next(events)
    events.close()  # type: ignore[attr-defined]
    state = read_json(RunDir(Path(started.run)).run_json)
    assert state["epochs"] < 4
    resumed, _ = done(resuming(started.run))
    assert ending(resumed.run) == ending(straight.run)
    assert about(resumed.run)["threads"] == 2


def test_what_auto_chose_is_kept_by_resume_and_reproduce(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "best_split", lambda job, threads: threads)
    monkeypatch.setattr(deciding, "cores", lambda: 2)
    first, seen = done(training(small, NOISY))
    assert [event.text for event in seen if isinstance(event, Note) and "threads" in event.text] == [
        "train.threads: auto splits each batch over 2 threads"
    ]
    monkeypatch.setattr(deciding, "cores", lambda: 1)
    more, _ = done(resuming(first.run.path, {"train.epochs": 5}))
    assert (about(more.run)["threads"], about(more.run)["shards"]) == (2, 2)
    again, _ = done(training(small, NOISY))
    assert (about(again.run)["threads"], about(again.run)["shards"]) == (1, 1)
    monkeypatch.setattr(deciding, "cores", lambda: 2)
    original, _ = done(training(small, NOISY))
    monkeypatch.setattr(deciding, "cores", lambda: 1)
    *_, found = reproducing(original.run.path)
    assert isinstance(found, Reproduced)
    assert found.identical
    assert about(found.run)["shards"] == 2


def test_the_folds_of_a_cross_validation_have_the_same_threads(small: Path) -> None:
    last, _ = done(training(small, {**NOISY, **TWO}, folds=2))
    whole = about(last.run)
    assert (whole["threads"], whole["shards"]) == (2, 2)
    for fold in (1, 2):
        state = read_json(RunDir(Path(last.run.path)).fold(fold).run_json)
        assert (state["threads"], state["shards"]) == (2, 2)


def test_a_number_that_batch_norm_leaves_without_effect_is_a_note(small: Path) -> None:
    last, seen = done(training(small, {**TWO, "model.norm": "batch", "train.epochs": 2}))
    assert about(last.run)["shards"] == 1
    (told,) = [event.text for event in seen if isinstance(event, Note) and "threads" in event.text]
    assert told == "train.threads: 2 splits no batch: batch_norm (layers.1) needs all of its rows at once"


def test_trainings_side_by_side_share_the_cores(tmp_path: Path) -> None:
    folder = str(tmp_path / "here")
    with Neighbours(folder) as one:
        assert one.count() == 1
        with Neighbours(folder) as other:
            assert one.count() == other.count() == 2
        assert one.count() == 1
    assert sorted(path.name for path in Path(folder).iterdir()) == ["0", "1"]
    with Neighbours(folder) as later:
        assert later.count() == 1


def test_a_training_that_can_leave_no_mark_takes_itself_to_be_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with Neighbours(str(tmp_path / "file")) as alone:
        assert alone.count() == 1


def test_auto_takes_the_cores_that_others_leave(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "best_split", lambda job, threads: threads)
    monkeypatch.setattr(deciding, "cores", lambda: 6)
    with Neighbours(), Neighbours():
        last, _ = done(training(small, NOISY))
    assert (about(last.run)["threads"], about(last.run)["shards"]) == (2, 6)
    alone, _ = done(training(small, {**NOISY, "train.threads": 6}))
    assert about(alone.run)["weights_sha256"] == about(last.run)["weights_sha256"]


def test_auto_takes_no_more_parts_than_the_gradients_of_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "best_split", lambda job, threads: threads)
    monkeypatch.setattr(deciding, "cores", lambda: 6)
    wide = sized(dense(512, 512, 1), (784,), 128)
    there = sum(deciding.need(**deciding._sizes(wide), shards=3))
    monkeypatch.setattr("nnctl.preparing.memory.machine_memory", lambda: there)
    with Neighbours(str(tmp_path)) as alone:
        assert deciding._as_pays(wide, alone)[0] == (3, 3)
    with pytest.raises(SpecError, match="each of the threads has a gradient of its own") as found:
        deciding._as_asked(wide, 4)
    assert found.value.problems[0].key == "train.threads"


@pytest.mark.parametrize("value", ["x", 2.5, True, -1, 10**9, [2]])
def test_a_number_of_threads_that_is_none_is_a_damaged_run(value: Any) -> None:
    with pytest.raises(RunError, match="is damaged: `shards` is no number from 1 to 256"):
        deciding.recorded({"threads": 2, "shards": value}, Path("run.json"))


def test_a_system_that_starts_no_more_threads_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    start, started = threading.Thread.start, list[threading.Thread]()

    def fails_at_the_third(self: threading.Thread) -> None:
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        started.append(self)
        start(self)

    monkeypatch.setattr(threading.Thread, "start", fails_at_the_third)
    team = Team(8)
    with pytest.raises(SpecError, match="the system starts no more than 3 of 8 threads here"):
        team.run([lambda: None, lambda: None])
    team.close()
    assert not any(each.is_alive() for each in started)


def test_many_parameters_get_threads_for_the_optimizer_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "cores", lambda: 8)
    with Neighbours(str(tmp_path)) as alone:
        assert deciding._as_pays(SIZES["wide, few rows"][0], alone) == ((2, 1), "")
        assert deciding._as_pays(SIZES["mnist"][0], alone) == ((1, 1), "")


def test_cores_are_those_of_the_control_group_and_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(deciding, "CGROUPS", tmp_path)
    monkeypatch.setattr(deciding, "OWN_CGROUP", tmp_path / "own")
    assert cores() == 8
    (tmp_path / "own").write_text("0::/outer/inner\n")
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    (tmp_path / "outer" / "inner" / "cpu.max").write_text("max 100000\n")
    assert cores() == 8
    (tmp_path / "outer" / "cpu.max").write_text("450000 100000\n")
    assert cores() == 4
    for limit, expected in (("2,1", 2), ("16", 4), ("0", 4), ("many", 4)):
        monkeypatch.setenv("OMP_NUM_THREADS", limit)
        assert deciding._allowed() == expected
    assert cores() == 4
