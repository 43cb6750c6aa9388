"""A run's folder is its own, its lock is let go by the kernel, and its logs read back exactly."""

from __future__ import annotations

import csv
import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnctl
from nnctl.errors import OutputError, RunError, SpecError
from nnctl.runs import atomic, run_dir
from nnctl.runs.run_dir import Log, MetricsLog, RunDir, name_from_stem, validate_name

CREATE = """
import sys
from pathlib import Path
from nnctl.runs.run_dir import RunDir
print("ready", flush=True)
sys.stdin.readline()
for _ in range(4):
    run = RunDir.create(Path(sys.argv[1]), "xor")
    print(run.path, flush=True)
"""
HOLD = """
import sys, time
from pathlib import Path
from nnctl.runs.run_dir import RunDir
lock = RunDir(Path(sys.argv[1])).lock()
print("held", flush=True)
time.sleep(60)
"""


def start(code: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(path)]
    env = {**os.environ, "PYTHONPATH": str(Path(nnctl.__file__).parents[1])}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs", "xor")


@pytest.fixture
def holder(run: RunDir) -> Iterator[subprocess.Popen[str]]:
    with start(HOLD, run.path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


# --- the folder ---


def test_a_new_run_has_a_folder_of_its_own(run: RunDir, tmp_path: Path) -> None:
    assert re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", run.id)
    assert run.path == tmp_path / "runs" / "xor" / run.id
    assert run.name == "xor"
    assert run.checkpoints.is_dir()
    assert sorted(os.listdir(run.path)) == ["checkpoints"]
    assert not run.is_run()


def test_the_id_starts_with_the_time_in_utc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    before = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    made = RunDir.create(tmp_path, "xor").id
    monkeypatch.undo()
    time.tzset()
    assert before <= made[:15] <= time.strftime("%Y%m%d-%H%M%S", time.gmtime())


def test_id_and_name_are_known_however_the_folder_is_reached(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.path)
    for path in (Path(), Path("../latest"), run.path.parent / "latest", Path(f"../{run.id}")):
        assert (RunDir(path).id, RunDir(path).name) == (run.id, "xor")


def test_latest_points_to_the_newest_by_a_link_that_may_move(tmp_path: Path) -> None:
    made = [RunDir.create(tmp_path / "runs", "xor") for _ in range(3)]
    assert os.readlink(tmp_path / "runs" / "xor" / "latest") == made[-1].id
    (tmp_path / "runs").rename(tmp_path / "moved")
    assert RunDir(tmp_path / "moved" / "xor" / "latest").id == made[-1].id


def test_a_link_that_cannot_be_made_is_not_fatal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patch:
        patch.setattr(os, "symlink", fail)
        first = RunDir.create(tmp_path, "xor")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        second = RunDir.create(tmp_path, "xor")
    (tmp_path / "iris" / "latest").mkdir(parents=True)
    RunDir.create(tmp_path, "iris")
    assert sorted(os.listdir(tmp_path / "xor")) == sorted([first.id, second.id])


def test_a_taken_folder_is_never_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([b"\x00\x01", b"\x00\x01", b"\x00\x01", b"\x00\x02"])
    urandom = os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: next(drawn) if n == 2 else urandom(n))
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, 11, 21, 11, 54, 7, 5, 325, 0)))
    made = [RunDir.create(tmp_path, "xor").id for _ in range(2)]
    assert made == ["20261121-115407-0001", "20261121-115407-0002"]


def test_when_every_name_is_taken_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    urandom = os.urandom
    monkeypatch.setattr(os, "urandom", lambda n: bytes(n) if n == 2 else urandom(n))
    monkeypatch.setattr(time, "gmtime", lambda: time.struct_time((2026, 11, 21, 11, 54, 7, 5, 325, 0)))
    RunDir.create(tmp_path, "xor")
    with pytest.raises(OutputError, match="1,000 names tried"):
        RunDir.create(tmp_path, "xor")


def test_sixteen_processes_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    processes = [start(CREATE, tmp_path) for _ in range(16)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    made = [line for process in processes for line in process.communicate()[0].splitlines()]
    assert [process.returncode for process in processes] == [0] * 16
    assert len(set(made)) == len(made) == 64
    assert sorted(os.listdir(tmp_path / "xor")) == sorted([*(Path(path).name for path in made), "latest"])


def test_sixteen_threads_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    barrier = threading.Barrier(16)
    made: list[Path] = []

    def create() -> None:
        barrier.wait()
        made.append(RunDir.create(tmp_path, "xor").path)

    threads = [threading.Thread(target=create) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 16


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(OutputError, match="cannot be made") as caught:
        RunDir.create(tmp_path / "runs", "xor")
    assert str(tmp_path / "runs" / "xor") in str(caught.value)


@pytest.mark.parametrize("name", ["xor", "0", "Churn_2.v-1", "a" * 64, "latest.1"])
def test_a_name_of_plain_characters_is_allowed(name: str) -> None:
    assert validate_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "_x", ".x", "a/b", "../x", "a b", "ä", "a" * 65, "x\n", "x\0", "latest", "\x1b[31m"]
)
def test_a_name_that_could_lead_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        RunDir.create(tmp_path, name)
    assert str(caught.value).isprintable()
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("xor", "xor"),
        ("my config", "my-config"),
        ("größe", "gr--e"),
        ("_base", "base"),
        ("日本", "run"),
        ("a" * 99, "a" * 64),
    ],
)
def test_a_stem_becomes_a_name(stem: str, name: str) -> None:
    assert name_from_stem(stem) == name


@given(st.text())
def test_every_stem_becomes_a_name_that_is_allowed(stem: str) -> None:
    validate_name(name_from_stem(stem))
    validate_name(name_from_stem("latest"))


# --- run.json ---


def test_run_json_is_read_back(run: RunDir) -> None:
    fields = {"schema": "nnctl.run/1", "status": "completed", "argv": ["nnctl", "train"]}
    atomic.write_json(run.run_json, fields)
    assert run.is_run()
    assert run.read_run_json() == fields


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is damaged"),
        ('{"schema": "nnctl.run/1", ', "is damaged"),
        ("{}", "no `schema`"),
        ('{"schema": 1}', "no `schema`"),
        ('{"schema": "nnctl.run/2"}', "another version"),
    ],
)
def test_a_damaged_run_json_is_a_run_error(run: RunDir, text: str, message: str) -> None:
    run.run_json.write_text(text)
    with pytest.raises(RunError, match=message):
        run.read_run_json()


def test_a_missing_run_json_is_a_run_error(run: RunDir) -> None:
    with pytest.raises(RunError, match="cannot be read: no such file"):
        run.read_run_json()


# --- the lock ---


def test_a_locked_run_is_seen_as_locked_and_says_by_whom(run: RunDir) -> None:
    with run.lock():
        assert run.is_locked()
        assert json.loads(run.run_lock.read_text())["pid"] == os.getpid()
        with pytest.raises(SpecError, match=f"is being trained by process {os.getpid()} on "):
            run.lock()
        assert run.is_locked()
    assert not run.is_locked()
    run.lock().release()


def test_asking_changes_nothing(run: RunDir) -> None:
    assert not run.is_locked()
    assert not run.run_lock.exists()


def test_a_lock_is_released_once(run: RunDir, tmp_path: Path) -> None:
    lock = run.lock()
    lock.release()
    other = os.open(tmp_path / "other", os.O_CREAT | os.O_WRONLY)
    lock.release()
    os.write(other, b"x")
    os.close(other)


def test_a_forgotten_lock_is_released(run: RunDir) -> None:
    run.lock()
    assert not run.is_locked()


def test_a_lock_of_another_process_is_refused_within_a_second(run: RunDir, holder: subprocess.Popen[str]) -> None:
    start_time = time.monotonic()
    with pytest.raises(SpecError, match=f"process {holder.pid} on .* wait until it ends"):
        run.lock()
    assert time.monotonic() - start_time < 1
    assert run.is_locked()


def test_a_killed_holder_leaves_no_lock(run: RunDir, holder: subprocess.Popen[str]) -> None:
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert not run.is_locked()
    with run.lock():
        assert json.loads(run.run_lock.read_text())["pid"] == os.getpid()


def test_a_lock_is_got_however_often_others_ask(run: RunDir) -> None:
    run.lock().release()
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            run.is_locked()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            with run.lock():
                pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_damaged_lock_file_still_refuses(run: RunDir) -> None:
    with run.lock():
        run.run_lock.write_bytes(b"\xff")
        with pytest.raises(SpecError, match="is being trained; wait"):
            run.lock()


def test_a_lock_file_that_is_a_link_is_not_followed(run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    run.run_lock.symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match="cannot be locked"):
        run.lock()
    assert (tmp_path / "precious").read_text() == "mine"


@pytest.mark.parametrize("name", ["open", "ftruncate", "write"])
def test_a_lock_that_cannot_be_taken_is_named(run: RunDir, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, name, fail)
        with pytest.raises(OutputError, match=r"run\.lock: cannot be locked: no space left on device"):
            run.lock()
    run.lock().release()


# --- metrics.csv ---


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(run_dir.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_header_is_there_from_the_start(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["epoch", "val_loss", "val_rmse_a,b"]):
        assert run.metrics_csv.read_text() == 'epoch,val_loss,"val_rmse_a,b"\n'


def test_rows_wait_for_half_a_second(run: RunDir, clock: Clock) -> None:
    with MetricsLog(run.metrics_csv, ["epoch", "lr"]) as log:
        log.append({"epoch": 1, "lr": 0.1})
        clock.now += 0.4
        log.append({"epoch": 2, "lr": 0.1})
        assert run.metrics_csv.read_text() == "epoch,lr\n"
        clock.now += 0.1
        log.flush_if_due()
        assert run.metrics_csv.read_text() == "epoch,lr\n1,0.1\n2,0.1\n"
        clock.now += 0.5
        log.append({"epoch": 3, "lr": 1e-05})
        assert run.metrics_csv.read_text().endswith("3,1e-05\n")
        log.append({"epoch": 4, "lr": 0.1})
    assert run.metrics_csv.read_text().endswith("4,0.1\n")


def test_what_is_not_finite_or_missing_is_an_empty_cell(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["a", "b", "c", "d", "e"]) as log:
        log.append({"a": math.nan, "b": math.inf, "c": None, "d": -0.0})
    assert run.metrics_csv.read_text() == "a,b,c,d,e\n,,,-0.0,\n"


def test_numpy_scalars_are_written_as_plain_numbers(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["a", "b", "c"]) as log:
        log.append({"a": np.float64(0.1), "b": np.int64(7), "c": np.float32(0.5)})  # type: ignore[dict-item]
    assert run.metrics_csv.read_text() == "a,b,c\n0.1,7,0.5\n"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1))
def test_numbers_read_back_exactly(numbers: list[float | int]) -> None:
    cells = [run_dir._cell(number) for number in numbers]
    assert [
        int(cell) if isinstance(number, int) else float(cell) for cell, number in zip(cells, numbers, strict=True)
    ] == (numbers)


def test_the_offset_counts_all_bytes_and_rows(run: RunDir, clock: Clock) -> None:
    with MetricsLog(run.metrics_csv, ["epoch"]) as log:
        assert log.offset() == (6, 0)
        for epoch in range(1, 12):
            log.append({"epoch": epoch})
        bytes_, rows = log.offset()
        assert (bytes_, rows) == (run.metrics_csv.stat().st_size, 11)
        log.append({"epoch": 12})
    with open(run.metrics_csv, newline="") as file:
        assert len(list(csv.DictReader(file))) == 12
    assert run.metrics_csv.read_bytes()[:bytes_].endswith(b"\n11\n")


def test_a_full_disk_loses_and_repeats_no_row(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    room = 7

    def nearly_full(handle: int, data: bytearray) -> int:
        nonlocal room
        if not room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(handle, data[:room])
        room -= written
        return written

    with MetricsLog(run.metrics_csv, ["epoch", "lr"]) as log:
        log.append({"epoch": 1, "lr": 0.25})
        log.append({"epoch": 2, "lr": 0.5})
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", nearly_full)
            with pytest.raises(OutputError, match=r"metrics\.csv: cannot be written: no space left"):
                log.flush()
        assert log.offset()[1] == 2
    assert run.metrics_csv.read_text() == "epoch,lr\n1,0.25\n2,0.5\n"


def test_metrics_of_another_run_are_never_written_over(run: RunDir) -> None:
    run.metrics_csv.write_text("precious")
    with pytest.raises(OutputError, match="file exists"):
        MetricsLog(run.metrics_csv, ["epoch"])
    assert run.metrics_csv.read_text() == "precious"


def test_a_column_that_is_not_in_the_header_is_a_bug(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["epoch"]) as log, pytest.raises(AssertionError, match="loss"):
        log.append({"epoch": 1, "loss": 0.5})
    with pytest.raises(AssertionError, match="twice"):
        MetricsLog(run.log, ["epoch", "epoch"])


def test_closing_twice_is_nothing(run: RunDir) -> None:
    log = MetricsLog(run.metrics_csv, ["epoch"])
    log.append({"epoch": 1})
    log.close()
    log.close()
    assert run.metrics_csv.read_text() == "epoch\n1\n"


# --- log.txt ---


def test_a_line_is_there_as_soon_as_it_is_written(run: RunDir) -> None:
    with Log(run.log) as log:
        log.line("Größe: 12 rows dropped")
        assert run.log.read_text(encoding="utf-8") == "Größe: 12 rows dropped\n"
    with Log(run.log) as log:
        log.line(os.fsdecode(b"caf\xe9"))
    assert run.log.read_text(encoding="utf-8").splitlines() == ["Größe: 12 rows dropped", r"caf\udce9"]


def test_a_log_that_is_a_link_is_not_followed(run: RunDir, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    run.log.symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match=r"log\.txt: cannot be written"):
        Log(run.log)
    assert (tmp_path / "precious").read_text() == "mine"
