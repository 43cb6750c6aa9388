"""A removal that ends in the middle, or meets a training, leaves every run whole or unseen."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from nnctl.errors import OutputError
from nnctl.runs import removal
from nnctl.runs.listing import ls
from nnctl.runs.removal import clear_remains
from nnctl.runs.run_dir import RunDir
from tests.runs.helpers import RUNS, start
from tests.runs.test_removal import ONE, THREE, TWO, full, left, rm


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Killed(BaseException):
    """Ends the process at a system call."""


def count_down(monkeypatch: pytest.MonkeyPatch, calls: int, error: BaseException) -> None:
    """Let the call after so many of those that change a folder fail."""
    left = calls

    def counting(real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise error
            return real(*args, **kwargs)

        return call

    for name in ("unlink", "rmdir", "rename", "replace", "symlink", "fsync"):
        monkeypatch.setattr(os, name, counting(getattr(os, name)))


def test_killed_at_any_call_every_run_is_whole_or_unseen_and_the_next_call_clears_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "ABANDONED", -1.0)  # what is left is as good as a minute old
    for calls in range(100):
        full(ONE)
        full(TWO)
        (RUNS / "xor" / "latest").unlink(missing_ok=True)
        (RUNS / "xor" / "latest").symlink_to(TWO)
        with pytest.MonkeyPatch.context() as patch:
            count_down(patch, calls, Killed())
            try:
                rm(TWO)
                ended = True
            except Killed:
                ended = False
        assert {summary.status for summary in ls(RUNS)} == {"completed"}
        for summary in ls(RUNS):
            assert len(list(Path(summary.run).rglob("*"))) >= 6
        clear_remains(RUNS)
        newest = max(left())
        assert sorted(os.listdir(RUNS / "xor")) == [*left(), "latest"]
        assert os.readlink(RUNS / "xor" / "latest") == newest
        shutil.rmtree(RUNS)
        if ended:
            break
    assert 10 < calls < 99


def test_an_error_of_the_disk_names_the_path_and_leaves_no_half_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for calls in range(100):
        full(ONE)
        full(TWO)
        with pytest.MonkeyPatch.context() as patch:
            count_down(patch, calls, OSError(5, "Input/output error", str(RUNS / "xor" / TWO)))
            try:
                said = rm(TWO)
            except OutputError as error:
                said = [str(error)]
        assert TWO in said[0]
        assert {summary.status for summary in ls(RUNS)} == {"completed"}
        shutil.rmtree(RUNS)
        if said == [f"runs/xor/{TWO}"]:
            break
        assert "cannot be removed: input/output error" in said[0]
    assert 5 < calls < 99


def test_sigkill_at_a_random_time_leaves_whole_runs_alone() -> None:
    code = """
import sys
from pathlib import Path
from nnctl.runs.removal import remove, to_remove
print("go", flush=True)
for path in remove(to_remove(Path(sys.argv[1]), [], ["name=xor"])):
    print(path, flush=True)
"""
    for wait in (0.0, 0.003, 0.01):
        for number in range(60):
            full(f"20261121-000000-{number:04x}")
        process = start(code, RUNS.absolute())
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found = ls(RUNS)
        assert {summary.status for summary in found} <= {"completed"}
        assert all(len(list(Path(summary.run).rglob("*"))) >= 6 for summary in found)
        clear_remains(RUNS)
        shutil.rmtree(RUNS)


def test_a_training_that_begins_while_the_folder_of_its_name_goes_gets_its_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full(THREE, "iris")
    real, done = Path.mkdir, []

    def mkdir(self: Path, *args: Any, **kwargs: Any) -> None:
        if self.parent.name == "iris" and not done:
            done.append(rm(THREE))
        real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    run = RunDir.create(RUNS, "iris")
    assert done == [[f"runs/iris/{THREE}"]]
    assert run.checkpoints.is_dir()
