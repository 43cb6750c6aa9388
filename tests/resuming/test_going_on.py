"""A run that was killed goes on, and ends with the same bits as one that never stopped."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import nnctl
from nnctl.errors import DivergedError, RunError, SpecError
from nnctl.running.beginning import resuming, training
from nnctl.running.interrupts import Interrupts
from nnctl.running.loop import Finished
from nnctl.running.machine import differences, machine
from nnctl.running.run import read_run
from nnctl.runs import checkpoint
from nnctl.runs.atomic import read_json
from nnctl.runs.checkpoints import Checkpoints
from nnctl.runs.listing import ls
from nnctl.runs.run_dir import RunDir
from tests.resuming.helpers import EVERY_3, ending, killed, rows
from tests.tables import REGRESS, experiment

SPECS: list[dict[str, Any]] = [
    {"optimizer": {"type": "adam", "ema": 0.9, "accumulate": 2}, "schedule": "cosine", "model.dropout": 0.2},
    {
        "optimizer": {"type": "momentum", "lr": 0.01},
        "schedule": {"type": "plateau", "patience": 1},
        "model.norm": "batch",
    },
    {"early_stopping": {"type": "patience", "patience": 4}, "optimizer": {"type": "sgd", "lr": 0.5}},
    {"optimizer": "lbfgs", "train.batch_size": "full"},
]


@pytest.mark.parametrize("spec", SPECS, ids=["average", "plateau", "patience", "lbfgs"])
@pytest.mark.parametrize("events", [1, 5])
def test_it_ends_with_the_same_bits(config: Path, spec: dict[str, Any], events: int) -> None:
    spec = {**spec, **EVERY_3, "train.epochs": 12}
    whole = nnctl.train(config, spec)
    run_dir = killed(config, spec, events=events)
    saved = checkpoint.load(run_dir.last).meta["state"]["progress"]
    assert (saved["epoch"], saved["batch"]) < (12, 0)
    resumed = nnctl.resume(str(run_dir.path))
    assert ending(resumed) == ending(whole)
    assert [name for name in os.listdir(run_dir.checkpoints) if name.startswith(".")] == []


def test_it_may_be_killed_again_and_again(config: Path) -> None:
    spec = {**EVERY_3, "train.epochs": 12}
    whole = nnctl.train(config, spec)
    run_dir = killed(config, spec, events=2)
    for _ in range(3):
        stream = resuming(str(run_dir.path))
        for _, _ in zip(range(6), stream, strict=False):
            pass
        stream.close()  # type: ignore[attr-defined]
    assert ending(nnctl.resume(str(run_dir.path))) == ending(whole)
    assert len(read_json(run_dir.run_json)["resumed"]) == 4


def test_a_run_that_was_killed_before_its_first_step_goes_on(config: Path) -> None:
    spec = {"train.epochs": 3}
    run_dir = killed(config, spec, events=1)  # nothing was saved since the beginning
    assert checkpoint.load(run_dir.last).meta["epoch"] == 0
    assert ending(nnctl.resume(str(run_dir.path))) == ending(nnctl.train(config, spec))


def test_a_run_that_was_killed_between_its_last_save_and_its_end_ends(config: Path, monkeypatch: Any) -> None:
    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    spec = {"train.epochs": 3}
    whole = nnctl.train(config, spec)
    with monkeypatch.context() as patch:
        patch.setattr("nnctl.running.recording.Recorder.judge", fail)
        with pytest.raises(KeyboardInterrupt):
            nnctl.train(config, spec)
    resumed = nnctl.resume(f"{whole_name(whole)}/latest")
    assert resumed.path != whole.path
    assert ending(resumed) == ending(whole)


def whole_name(run: Any) -> str:
    return Path(run.path).parent.name


def test_a_best_that_is_newer_than_the_state_is_made_again(config: Path, monkeypatch: Any) -> None:
    spec = {**EVERY_3, "train.epochs": 6, "early_stopping": "patience"}
    whole = nnctl.train(config, spec)

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save_last", failing_from(fail, 4))
        with pytest.raises(KeyboardInterrupt):
            nnctl.train(config, spec)
    run_dir = RunDir(Path(whole.path).absolute().parent / "latest")
    state = checkpoint.load(run_dir.last).meta["state"]["best"]["epoch"]
    assert checkpoint.load(run_dir.best).meta["epoch"] > state
    assert ending(nnctl.resume(str(run_dir.path))) == ending(whole)


def failing_from(fail: Any, call: int) -> Any:
    calls = []
    save = Checkpoints.save_last

    def save_last(self: Checkpoints, *arguments: Any) -> list[str]:
        calls.append(1)
        return fail() if len(calls) >= call else save(self, *arguments)

    return save_last


def test_a_damaged_save_is_made_good_by_the_one_before(config: Path) -> None:
    spec = {**EVERY_3, "train.epochs": 8}
    run_dir = killed(config, spec, events=4)
    data = bytearray(run_dir.last.read_bytes())
    data[-5] ^= 1
    run_dir.last.write_bytes(data)
    notes = [event.text for event in resuming(str(run_dir.path)) if hasattr(event, "text")]
    assert notes[0].startswith("warning: ")
    assert "its checksum does not match; going on from the save before it" in notes[0]
    assert notes[0] in run_dir.log.read_text()
    assert ending(read_run(run_dir)) == ending(nnctl.train(config, spec))


def test_where_both_saves_are_damaged_nothing_is_changed(config: Path) -> None:
    run_dir = killed(config, events=4)
    for path in (run_dir.last, run_dir.previous):
        path.write_bytes(path.read_bytes()[:-1])
    before = {path: path.read_bytes() for path in run_dir.path.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=r"last\.safetensors: is damaged: .* and so is the save before it, last\.prev"):
        nnctl.resume(str(run_dir.path))
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["best.safetensors", "metrics.csv"])
def test_a_file_that_is_gone_is_named_and_nothing_is_changed(config: Path, name: str) -> None:
    run_dir = killed(config, events=8)
    path = next(run_dir.path.rglob(name))
    path.unlink()
    before = {path: path.read_bytes() for path in run_dir.path.rglob("*") if path.is_file()}
    with pytest.raises(RunError, match=re.escape(name)):
        nnctl.resume(str(run_dir.path))
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors"])
@pytest.mark.parametrize("source", ["best.safetensors", "last.safetensors"])
def test_a_checkpoint_of_another_run_is_refused(config: Path, name: str, source: str) -> None:
    run_dir, other = killed(config, events=4), nnctl.train(config, {"seed": 1, "train.epochs": 4})
    data = Path(other.path, "checkpoints", source).read_bytes()
    (run_dir.checkpoints / name).write_bytes(data)
    with pytest.raises(RunError, match=rf"{name}: is (no save|not that) of this run"):
        nnctl.resume(str(run_dir.path))
    assert (run_dir.checkpoints / name).read_bytes() == data


def test_the_best_is_no_save_to_go_on_from(config: Path) -> None:
    run_dir = killed(config, events=4)
    run_dir.last.write_bytes(run_dir.best.read_bytes())
    with pytest.raises(RunError, match="is no save of this run"):
        nnctl.resume(str(run_dir.path))


def test_metrics_of_another_run_are_refused(config: Path) -> None:
    run_dir = killed(config, events=8)
    lines = run_dir.metrics_csv.read_text().splitlines(keepends=True)
    run_dir.metrics_csv.write_text("".join(lines[:2]))
    with pytest.raises(RunError, match=r"metrics\.csv: is damaged: it is not the file that had [\d,]+ bytes"):
        nnctl.resume(str(run_dir.path))


def test_half_a_row_is_cut_off(config: Path) -> None:
    spec = {**EVERY_3, "train.epochs": 8}
    run_dir = killed(config, spec, events=4)
    with run_dir.metrics_csv.open("a") as file:
        file.write("5,99,0.1")
    assert rows(nnctl.resume(str(run_dir.path))) == rows(nnctl.train(config, spec))


def test_litter_of_a_killed_save_is_removed(config: Path) -> None:
    run_dir = killed(config, events=4)
    litter = run_dir.checkpoints / ".last.safetensors.123.0123abcd.tmp"
    litter.write_bytes(b"half")
    other = run_dir.checkpoints / ".mine.tmp"
    other.write_bytes(b"")
    nnctl.resume(str(run_dir.path))
    assert (litter.exists(), other.exists()) == (False, True)


def test_a_run_that_is_being_trained_is_refused_with_who_trains_it(config: Path) -> None:
    run_dir = killed(config, events=4)
    with run_dir.lock(), pytest.raises(SpecError, match=rf"is being trained by process {os.getpid()} on "):
        nnctl.resume(str(run_dir.path))


def test_a_run_that_was_moved_goes_on(config: Path) -> None:
    run_dir = killed(config, events=4)
    shutil.move(run_dir.path, "elsewhere")
    assert nnctl.resume("elsewhere").status == "completed"


def test_another_machine_is_told_and_refused_where_bits_must_be_the_same(config: Path, monkeypatch: Any) -> None:
    run_dir = killed(config, events=4)
    then = checkpoint.load(run_dir.last).meta["machine"]
    now = {**then, "versions": {**then["versions"], "numpy": "9.0"}}
    monkeypatch.setattr("nnctl.running.reopening.machine", lambda: now)
    with pytest.raises(SpecError, match=r"cannot go on bit by bit \(NumPy: \S+, now 9\.0\); leave out `--exact`"):
        nnctl.resume(str(run_dir.path), exact=True)
    notes = [event.text for event in resuming(str(run_dir.path)) if hasattr(event, "text")]
    assert notes == [
        f"warning: going on, but not bit by bit as it would have: NumPy: {then['versions']['numpy']}, now 9.0"
    ]
    assert read_json(run_dir.run_json)["versions"]["numpy"] == "9.0"


def test_ruined_weights_never_take_the_place_of_good_ones(in_folder: Path) -> None:
    config = experiment(in_folder, REGRESS)
    spec = {"optimizer": {"type": "sgd", "lr": 1e38}, "schedule": "constant", "checkpoint.every": "1 steps"}
    with pytest.raises(DivergedError):
        nnctl.train(config, {**spec, "train.eval_every": 10})
    for name in ("last.safetensors", "last.prev"):
        saved = checkpoint.load(Path("runs/it/latest/checkpoints") / name)
        assert all(np.isfinite(array).all() for name, array in saved.tensors.items() if name.startswith("layers"))


def test_a_save_that_is_asked_for_at_the_end_is_that_of_the_end(config: Path, monkeypatch: Any) -> None:
    spec = {"train.epochs": 3}

    def ask_at_the_end(self: Interrupts) -> bool:
        return True

    def fail(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Interrupts, "take_save", ask_at_the_end)
        patch.setattr("nnctl.running.recording.Recorder.finish", fail)
        with pytest.raises(KeyboardInterrupt):
            nnctl.train(config, spec)
    assert ending(nnctl.resume("it/latest")) == ending(nnctl.train(config, spec))


def test_a_longer_run_that_is_killed_at_once_is_no_longer_an_ended_one(config: Path, monkeypatch: Any) -> None:
    run = nnctl.train(config, {"train.epochs": 3})

    def fail(path: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("nnctl.running.reopening._forget", fail)
        with pytest.raises(KeyboardInterrupt):
            nnctl.resume(run, {"train.epochs": 6})
    (summary,) = ls(Path("runs"))
    assert summary.status == "interrupted"
    assert nnctl.resume(run).epochs == 6


@pytest.mark.parametrize("name", ["last.safetensors", "resolved.yaml"])
def test_a_run_without_a_file_that_it_needs_is_damaged(config: Path, name: str) -> None:
    run_dir = killed(config, events=2)
    run_dir.previous.unlink(missing_ok=True)
    next(run_dir.path.rglob(name)).unlink()
    with pytest.raises(RunError, match=re.escape(name)):
        nnctl.resume(str(run_dir.path))
    assert isinstance(list(training(config, EVERY_3, once=True))[-1], Finished)


def test_only_the_blas_of_numpy_counts(monkeypatch: Any) -> None:
    own = machine()
    more = [*threadpool_info(), {"user_api": "blas", "filepath": "/opt/scipy.libs/libopenblas.so", "version": "0"}]
    monkeypatch.setattr("nnctl.running.machine.threadpool_info", lambda: more)
    assert differences(own, machine()) == []
