"""Run folders that are sent from machine to machine are whole, or what a killed training leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnctl.errors import RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.run_dir import RunDir
from nnctl.sweeps.engines import parcels
from nnctl.sweeps.engines.parcels import packed, unpack

FIRST = {
    "config.yaml": b"a",
    "run.json": b"{}",
    "metrics.csv": b"epoch\n1\n",
    "checkpoints/best.safetensors": b"1",
    "checkpoints/last.safetensors": b"1",
}
ENDED = FIRST | {
    "run.json": b'{"epochs": 2}',
    "metrics.csv": b"epoch\n1\n2\n",
    "metrics.json": b"{}",
    "checkpoints/best.safetensors": b"2",
    "checkpoints/last.prev": b"1",
    "checkpoints/last.safetensors": b"2",
}
ORDER = [
    "metrics.csv",
    "checkpoints/best.safetensors",
    "checkpoints/last.prev",
    "checkpoints/last.safetensors",
    "run.json",
    "metrics.json",
]


def test_what_is_unpacked_is_what_was_packed(tmp_path: Path) -> None:
    folder = tmp_path / "0001"
    assert packed(folder) == {}
    unpack(FIRST, folder)
    assert packed(folder) == FIRST
    unpack(ENDED | {"checkpoints/epoch-000001.safetensors": b"1"}, folder)
    unpack(ENDED, folder)
    assert packed(folder) == ENDED
    assert [path.name for path in tmp_path.iterdir()] == ["0001"]


def test_locks_links_and_temporary_files_stay_where_they_are(tmp_path: Path) -> None:
    unpack(FIRST, tmp_path / "0001")
    RunDir(tmp_path / "0001").lock().release()
    atomic.temporary_name(tmp_path / "0001/run.json").write_bytes(b"x")
    (tmp_path / "0001/link.txt").symlink_to("/etc/passwd")
    assert packed(tmp_path / "0001") == FIRST


@pytest.mark.parametrize("writes", range(len(FIRST)))
def test_one_who_is_killed_leaves_no_new_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    left = iter(range(writes))
    monkeypatch.setattr(parcels.shutil, "rmtree", lambda *_, **__: None)  # the killed clear nothing up
    write = atomic.write

    def dying(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(atomic, "write", dying)
        with pytest.raises(KeyboardInterrupt):
            unpack(FIRST, tmp_path / "0001")
    assert not (tmp_path / "0001").exists()
    monkeypatch.undo()
    unpack(FIRST, tmp_path / "0001")
    assert [path.name for path in tmp_path.iterdir()] == ["0001"]


def test_files_of_a_run_that_is_there_come_in_the_order_of_a_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(FIRST, tmp_path / "0001")
    written = []
    monkeypatch.setattr(atomic, "write", lambda path, data: written.append(str(path.relative_to(tmp_path / "0001"))))
    unpack(ENDED, tmp_path / "0001")
    assert written == ORDER


def test_a_start_that_was_killed_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "0001/checkpoints").mkdir(parents=True)
    unpack(FIRST, tmp_path / "0001")
    assert packed(tmp_path / "0001") == FIRST


def test_a_run_in_training_is_left_alone(tmp_path: Path) -> None:
    unpack(FIRST, tmp_path / "0001")
    with RunDir(tmp_path / "0001").lock(), pytest.raises(SpecError, match="is being trained"):
        unpack(ENDED, tmp_path / "0001")
    assert packed(tmp_path / "0001") == FIRST


@pytest.mark.parametrize("name", ["../x", "/x", "a/../x", "a/b/c", ".hidden", "", "a\n", "checkpoints/../../x"])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="is no run"):
        unpack(FIRST | {name: b"x"}, tmp_path / "0001")
    with pytest.raises(RunError, match="is no run"):
        unpack({"metrics.csv": b"x"}, tmp_path / "0001")
    assert list(tmp_path.iterdir()) == []
