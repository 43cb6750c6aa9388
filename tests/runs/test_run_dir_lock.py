"""A run's lock is let go by the kernel."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nnctl.errors import OutputError, SpecError
from nnctl.runs.run_dir import RunDir
from tests.runs.helpers import start

HOLD = """
import sys, time
from pathlib import Path
from nnctl.runs.run_dir import RunDir
lock = RunDir(Path(sys.argv[1])).lock()
print("held", flush=True)
time.sleep(60)
"""


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


class Clock:
    """A clock that only a sleep moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_lock_of_another_process_is_refused_within_a_second(
    run: RunDir, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("nnctl.runs.run_lock.time", clock)
    with pytest.raises(SpecError, match=f"process {holder.pid} on .* wait until it ends"):
        run.lock()
    assert 0 < clock.now < 1
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
