"""Files are written whole or not at all, wherever the system fails."""

from __future__ import annotations

import errno
import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nnctl
from nnctl.errors import OutputError, RunError
from nnctl.runs import atomic

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SYSTEM_CALLS = ["open", "write", "fsync", "close", "replace", "lstat"]


def failing(call: Any, code: int) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        if call is os.close:
            call(*args)  # as the kernel does: the handle is gone, whatever close says
        raise OSError(code, os.strerror(code))

    return fail


def test_what_is_written_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    for data in (b"", b"old", b"new" * 1_000_000):
        atomic.write(path, data)
        assert path.read_bytes() == data
        assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_the_mode_is_that_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        atomic.write(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


def test_bytes_that_the_system_takes_in_parts_are_all_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
    atomic.write(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


def test_the_file_is_synced_before_it_is_renamed_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        done.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        fsync(handle)

    def noted_replace(source: Path, target: Path) -> None:
        done.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    atomic.write(tmp_path / "a", b"x")
    assert done == ["sync file", "rename", "sync folder"]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EINTR])
@pytest.mark.parametrize("name", SYSTEM_CALLS)
def test_a_failing_call_leaves_the_old_file_whole_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, name, failing(getattr(os, name), code))
        with pytest.raises(OutputError) as caught:
            atomic.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]
    assert str(path) in str(caught.value)
    assert os.strerror(code).lower() in str(caught.value).lower()
    assert "\n" not in str(caught.value)
    atomic.write(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_full_disk_in_the_middle_of_the_file_leaves_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if len(data) <= 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data[:5])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="no space left on device; free some space"):
        atomic.write(path, b"0123456789")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_an_interrupt_leaves_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic.write(tmp_path / "a", b"x")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_folders_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fsync = os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    atomic.write(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_folder_that_fails_to_sync_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fsync = os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    with pytest.raises(OutputError, match="input/output error"):
        atomic.write(tmp_path / "a", b"x")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a"
    with pytest.raises(OutputError, match="no such file or directory") as caught:
        atomic.write(path, b"x")
    assert str(path) in str(caught.value)


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    before = sorted(os.listdir(tmp_path))
    for name in ("pipe", "folder", "link"):
        with pytest.raises(OutputError):
            atomic.write(tmp_path / name, b"x")
    assert sorted(os.listdir(tmp_path)) == before
    assert (tmp_path / "target").read_bytes() == b"old"


def test_the_longest_name_there_is_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 127)
    atomic.write(path, b"x")
    assert path.read_bytes() == b"x"


def test_a_closed_handle_does_not_close_that_of_another(tmp_path: Path) -> None:
    file = atomic.Appender(tmp_path / "a")
    file.close()
    other = os.open(tmp_path / "b", os.O_CREAT | os.O_WRONLY)
    file.close()
    os.write(other, b"x")
    os.close(other)
    with pytest.raises(OutputError, match="bad file descriptor"):
        file.add(b"x")


@given(PLAIN)
def test_finite_leaves_only_what_json_can_write(obj: Any) -> None:
    plain = atomic.finite(obj)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_finite_keeps_what_is_finite() -> None:
    obj = {"a": [1, -0.0, True, None, "x", 2**200], "b": {"c": (0.1, 1e308)}}
    assert atomic.finite(obj) == {"a": [1, -0.0, True, None, "x", 2**200], "b": {"c": [0.1, 1e308]}}


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan"), np.float64("inf")])
def test_finite_makes_none_of_what_is_not(number: Any) -> None:
    assert atomic.finite({"a": [number]}) == {"a": [None]}


def test_finite_makes_plain_numbers_of_numpy_scalars() -> None:
    plain = atomic.finite([np.float32(0.5), np.float64(0.1), np.int64(7), np.uint8(255)])
    assert [(type(value), value) for value in plain] == [(float, 0.5), (float, 0.1), (int, 7), (int, 255)]


def test_json_is_utf8_indented_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    obj = {"name": "Größe 日本", "loss": math.nan, "state": 2**127 + 1}
    atomic.write_json(path, obj)
    assert (
        path.read_text(encoding="utf-8")
        == f'{{\n  "name": "Größe 日本",\n  "loss": null,\n  "state": {2**127 + 1}\n}}\n'
    )
    assert atomic.read_json(path) == {**obj, "loss": None}


def test_a_path_that_is_no_utf8_survives_json(tmp_path: Path) -> None:
    argv = ["train", os.fsdecode(b"caf\xe9.yaml")]
    atomic.write_json(tmp_path / "a.json", {"argv": argv})
    (tmp_path / "a.json").read_bytes().decode("utf-8")
    assert atomic.read_json(tmp_path / "a.json") == {"argv": argv}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"a": 1',
        b"[1]",
        b"null",
        b"\xff\xfe",
        b'{"a": 1}}',
        b"[" * 1_000_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b" " * (atomic.MAX_JSON + 1),
    ],
    ids=range(10),
)
def test_damaged_json_is_a_run_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)
    with pytest.raises(RunError, match="is damaged") as caught:
        atomic.read_json(path)
    assert str(path) in str(caught.value)


def test_json_that_is_no_file_is_a_run_error_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "loop", "missing", ".", "missing/a"):
        with pytest.raises(RunError, match="cannot be read"):
            atomic.read_json(tmp_path / name)


def test_nan_in_json_is_read_as_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": NaN, "b": [-Infinity]}')
    assert atomic.read_json(tmp_path / "a.json") == {"a": None, "b": [None]}


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys, nnctl.runs.listing, nnctl.runs.find, nnctl.runs.run_dir, nnctl.runs.atomic;"
        "sys.exit(bool({'numpy', 'pandas', 'safetensors', 'yaml', 'rich', 'pickle'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(nnctl.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", code], env=env, check=False).returncode == 0
