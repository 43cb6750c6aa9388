"""Every file of a run is read, and what is damaged is named."""

from __future__ import annotations

import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from nnctl.errors import RunError, SpecError
from nnctl.runs import atomic, checkpoint
from nnctl.runs.run_dir import RunDir
from nnctl.runs.verification import Fault, verify
from tests.runs.helpers import META, RUNS, make, tensors

ONE, TWO = "20261121-000000-0001", "20261121-000000-0002"
TABLE = "epoch,step,lr,seconds,train_loss,val_loss\n1,3,0.1,0.5,0.25,\n3,9,1e-3,1.5,,0.125\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def whole(run_id: str = ONE, status: str = "completed") -> RunDir:
    run = make(run_id, metrics={"val_loss": 0.125}, status=status)
    run.metrics_csv.write_text(TABLE)
    run.resolved.write_text("data: {}\n")
    for path in (run.best, run.last, run.checkpoints / "last.prev", run.checkpoints / "epoch-000050.safetensors"):
        checkpoint.save(path, tensors(), META)
    return run


def faults(*references: str) -> list[Fault]:
    return [fault for verified in verify(RUNS, references) for fault in verified.faults]


def litter() -> list[str]:
    return [path for verified in verify(RUNS) for path in verified.litter]


def test_whole_runs_have_no_faults_and_all_files_are_read() -> None:
    whole(ONE)
    whole(TWO)
    whole("20261121-000000-0003", status="failed").best.unlink()
    (RUNS / "xor" / "20261121-000000-0004" / "checkpoints").mkdir(parents=True)  # a start that was killed
    found = list(verify(RUNS))
    assert [(verified.faults, verified.litter) for verified in found] == [([], [])] * 4
    assert [verified.files for verified in found] == [7, 7, 6, 0]


@pytest.mark.parametrize("name", ["resolved.yaml", "metrics.csv", "checkpoints/last.safetensors"])
def test_a_file_without_which_a_run_cannot_go_on_is_missed(name: str) -> None:
    (whole(status="interrupted").path / name).unlink()
    (fault,) = faults()
    assert (Path(fault.file).name, fault.message) == (Path(name).name, "is missing: the run cannot go on without it")


@pytest.mark.parametrize("name", ["best.safetensors", "last.safetensors", "last.prev", "epoch-000050.safetensors"])
def test_one_flipped_bit_in_any_checkpoint_is_found(name: str) -> None:
    run = whole()
    path = run.checkpoints / name
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in (0, len(data) - 1, *rng.integers(len(data), size=20)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << int(rng.integers(8))]) + data[place + 1 :])
        (fault,) = faults()
        assert fault.file == str(path)
        assert "damaged" in fault.message or "newer nnctl" in fault.message


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("run.json", "{", "is damaged: it is not JSON"),
        ("run.json", '{"schema": "nnctl.run/1", "status": 1}', "`status` is not a text"),
        ("metrics.json", '{"metrics": {"val_loss": "x"}}', "`metrics` are not numbers"),
        ("metrics.csv", "", "it is empty"),
        ("metrics.csv", TABLE[:-1], "the line is cut off"),
        ("metrics.csv", "epoch,step\n1,2\n", "its header does not begin with epoch,step,lr,seconds"),
        ("metrics.csv", TABLE + "4,9,0.1\n", "3 cells under a header of 6"),
        ("metrics.csv", TABLE + "3,9,0.1,1,1,1\n", "epoch 3 behind epoch 3"),
        ("metrics.csv", TABLE + ",9,0.1,1,1,1\n", "epoch nothing behind epoch 3"),
        ("metrics.csv", TABLE + "4,9,0.1,1,nan,1\n", "neither empty nor a finite number"),
        ("metrics.csv", TABLE + "4,9,x,1,1,1\n", "neither empty nor a finite number"),
        ("metrics.csv", TABLE + '4,"9,0.1,1,1,1\n', "is no row of a CSV file"),
        ("metrics.csv", TABLE + "\n", "is damaged"),
        ("metrics.csv", TABLE + "\x00" * 6 + "\n", "is damaged"),
        ("checkpoints/best.safetensors", "", "it is empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(name: str, content: str, words: str) -> None:
    path = whole().path / name
    path.write_text(content)
    (fault,) = faults(ONE)
    assert fault.file.partition(":")[0] == str(path)
    assert words in fault.message


@pytest.mark.parametrize(
    "name", ["metrics.json", "metrics.csv", "resolved.yaml", "checkpoints/best.safetensors", "checkpoints"]
)
def test_a_file_that_an_ended_run_must_have_is_missed(name: str) -> None:
    path = whole().path / name
    path.unlink() if path.is_file() else shutil.rmtree(path)
    assert {fault.message for fault in faults()} == {"is missing, and the run has ended"}


def test_odd_files_are_faults_and_no_crashes() -> None:
    run = whole()
    run.best.unlink()
    run.best.mkdir()
    run.last.unlink()
    run.last.symlink_to("nowhere")
    run.metrics_csv.unlink()
    run.metrics_csv.mkdir()
    run.metrics_json.write_bytes(b"\xff\x00")
    found = {Path(fault.file).name: fault.message for fault in faults()}
    assert set(found) == {"best.safetensors", "last.safetensors", "metrics.csv", "metrics.json"}


@pytest.mark.parametrize("status", ["running", "interrupted"])
def test_a_row_that_a_kill_has_torn_is_no_damage_since_resume_takes_it_away(status: str) -> None:
    run = whole(status=status)
    run.metrics_csv.write_text(TABLE + "4,9,0.")
    assert faults() == []
    run.metrics_csv.write_text("epoch,st")
    assert faults() == []
    run.metrics_csv.write_text(TABLE + "4,9\n4,9,0.")
    assert len(faults()) == 1


def test_rows_that_the_last_save_counts_on_are_missed() -> None:
    run = whole()
    checkpoint.save(run.last, tensors(), {**META, "metrics": (len(TABLE), 2)})
    assert faults() == []
    run.metrics_csv.write_text(TABLE[: TABLE.index("\n3,") + 1])
    (fault,) = faults()
    assert fault.file == str(run.metrics_csv)
    assert "and the last save counts on 80 (2 rows)" in fault.message


def test_litter_is_named_and_no_damage_but_not_that_of_a_run_in_training() -> None:
    run = whole()
    temporary = atomic.temporary_name(run.last)
    temporary.write_text("half")
    gone = RUNS / "xor" / f".{TWO}.01234567.removed"
    gone.mkdir()
    assert litter() == [str(temporary), str(gone)]
    with run.lock():
        assert litter() == [str(gone)]
    assert faults() == []


def test_folds_are_verified_with_their_parent() -> None:
    parent = make(ONE, "cv")
    atomic.write_json(parent.folds_json, {"mean": {"val_loss": 1.0}})
    parent.resolved.write_text("data: {}\n")
    fold = whole(f"{TWO}/fold-2")
    fold.path.rename(parent.path / "fold-1")
    shutil.rmtree(RUNS / "xor")
    assert faults() == []
    (parent.fold(1).best).write_text("x")
    (fault,) = faults(f"cv/{ONE}")
    assert fault.file == f"runs/cv/{ONE}/fold-1/checkpoints/best.safetensors"


def test_one_checkpoint_file_can_be_verified() -> None:
    run = whole()
    assert faults(str(run.best)) == []
    run.best.write_bytes(run.best.read_bytes()[:-1])
    assert len(faults(str(run.best), str(run.last))) == 1


def test_what_names_no_run_is_refused() -> None:
    whole()
    with pytest.raises(SpecError, match="names no run"):
        faults("nothing")
    Path("runs/xor/mine").mkdir()
    with pytest.raises(RunError, match="not a run"):
        faults("runs/xor/mine")


def test_memory_does_not_grow_with_the_number_of_runs() -> None:
    def peak() -> int:
        tracemalloc.start()
        assert faults() == []
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peaks = []
    for number in range(12):
        run = whole(f"20261121-000000-{number:04x}")
        checkpoint.save(run.best, {"layers.0.W": np.zeros(2**22, np.float32)}, META)
        run.metrics_csv.write_text(TABLE + "".join(f"{epoch},9,0.1,1,1,1\n" for epoch in range(4, 2_000)))
        if number in (0, 11):
            peaks.append(peak())
    assert peaks[1] < peaks[0] + 2**18 < 2**21
