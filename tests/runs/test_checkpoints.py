"""The checkpoints of a run: what is kept, what is removed, and in which order."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnctl.errors import OutputError
from nnctl.runs import atomic, checkpoint
from nnctl.runs.checkpoints import Checkpoints
from nnctl.runs.run_dir import RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs", "xor")


def save(checkpoints: Checkpoints, step: int, unit: str = "step") -> list[str]:
    label = "" if not step else f"epoch-{step:06}" if unit == "epoch" else f"step-{step:07}"
    return checkpoints.save_last({"w": np.full(3, step)}, {"step": step}, label)


def steps(run: RunDir) -> dict[str, int]:
    return {path.name: checkpoint.load(path).meta["step"] for path in sorted(run.checkpoints.iterdir())}


def test_the_last_and_the_one_before_are_kept(run: RunDir) -> None:
    checkpoints = Checkpoints(run)
    for step in (0, 1, 2):
        assert save(checkpoints, step) == []
    assert steps(run) == {"last.prev": 1, "last.safetensors": 2}


def test_older_ones_are_kept_under_their_steps(run: RunDir) -> None:
    checkpoints = Checkpoints(run, keep=3)
    for step in (0, 200, 400, 600, 800):
        save(checkpoints, step)
    older = {"step-0000400.safetensors": 400, "step-0000600.safetensors": 600}
    assert steps(run) == {"last.prev": 600, "last.safetensors": 800, **older}


def test_numbers_of_another_width_are_in_order(run: RunDir) -> None:
    checkpoints = Checkpoints(run, keep=2)
    for step in (9_999_999, 10_000_000, 10_000_001):
        save(checkpoints, step)
    assert "step-10000000.safetensors" in steps(run)
    assert "step-9999999.safetensors" not in steps(run)


def test_those_of_another_pause_go_first(run: RunDir) -> None:
    before = Checkpoints(run, keep=3)
    for step in (1, 2, 3):
        save(before, step, "epoch")
    after = Checkpoints(run, keep=3)
    for step in (400, 600):
        save(after, step)
    assert {name for name in steps(run) if "-" in name} == {"epoch-000002.safetensors", "step-0000400.safetensors"}


def test_other_files_are_never_removed(run: RunDir) -> None:
    mine = run.checkpoints / "step-mine.safetensors"
    mine.write_bytes(b"")
    checkpoints = Checkpoints(run, keep=1)
    for step in (1, 2, 3):
        save(checkpoints, step)
    assert mine.exists()


def test_one_that_cannot_be_removed_is_told_and_does_no_harm(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(run, keep=2)
    for step in (1, 2):
        save(checkpoints, step)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "unlink", fail)
    (told,) = save(checkpoints, 3)
    assert told.startswith("warning: ")
    assert "step-0000001.safetensors: an old save cannot be removed: permission denied" in told
    assert steps(run)["last.safetensors"] == 3


def test_where_files_have_one_name_only_the_one_before_is_copied(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", fail)
    checkpoints = Checkpoints(run, keep=2)
    for step in (1, 2):
        save(checkpoints, step)
    assert steps(run) == {"last.prev": 1, "last.safetensors": 2, "step-0000001.safetensors": 1}


def test_a_save_that_fails_leaves_all_as_it_was(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = Checkpoints(run)
    for step in (1, 2):
        save(checkpoints, step)
    before = steps(run)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for call in ("write", "fsync", "link"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(OutputError, match=r"last\.safetensors: cannot be written: no space left"):
                save(checkpoints, 3)
        assert steps(run) == before


def test_older_ones_are_kept_on_by_who_goes_on(run: RunDir) -> None:
    before = Checkpoints(run, keep=3)
    for step in (1, 2):
        save(before, step)
    after = Checkpoints(run, keep=3, label="step-0000002")
    save(after, 3)
    assert {name for name in steps(run) if "-" in name} == {"step-0000001.safetensors", "step-0000002.safetensors"}


def test_a_state_that_is_saved_once_more_is_kept_once(run: RunDir) -> None:
    checkpoints = Checkpoints(run, keep=2)
    for step in (1, 2, 2):
        save(checkpoints, step)
    assert {name for name in steps(run) if "-" in name} == {"step-0000001.safetensors"}


def test_a_damaged_save_never_takes_the_place_of_the_one_before(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2):
        save(Checkpoints(run), step)
    run.last.write_bytes(b"damaged")
    going_on = Checkpoints(run)
    assert going_on.load_last()[0].meta["step"] == 1
    going_on.clean()
    with monkeypatch.context() as patch:
        replace = os.replace

        def killed(source: Path, target: Path) -> None:
            if Path(target) == run.last:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            replace(source, target)

        patch.setattr(os, "replace", killed)
        with pytest.raises(OutputError):
            save(going_on, 2)
    assert steps(run) == {"last.prev": 1, "last.safetensors": 1}


def test_where_a_damaged_save_cannot_be_replaced_it_is_told(run: RunDir, monkeypatch: pytest.MonkeyPatch) -> None:
    for step in (1, 2):
        save(Checkpoints(run), step)
    run.last.write_bytes(b"damaged")
    going_on = Checkpoints(run)
    going_on.load_last()

    def failing(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "link", failing)
    with pytest.raises(OutputError, match=r"last\.safetensors: cannot be written: read-only file system"):
        going_on.clean()
    assert Checkpoints(run).load_last()[0].meta["step"] == 1


def test_what_a_killed_process_has_left_and_cannot_be_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: str) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    left = atomic.temporary_name(tmp_path / "a")
    left.write_text("half")
    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refused)
        (told,) = atomic.remove_temporaries(tmp_path)
    assert told == f"warning: {left}: is left of a process that was killed: permission denied"
    assert atomic.remove_temporaries(tmp_path) == []
    assert os.listdir(tmp_path) == []
