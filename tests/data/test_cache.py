"""The cache: entries are whole or not there, whoever writes them, and the oldest go."""

from __future__ import annotations

import errno
import importlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.data.cache import Cache
from nnctl.errors import OutputError
from nnctl.preparing.keys import key_of
from nnctl.spec.reading import read_experiment
from tests.tables import experiment

LAYOUT = {"x": ("<f4", (3, 2)), "none": ("<f8", (0, 2)), "y": ("<i4", (3,))}
STATE = {"names": ["é", None], "mean": 0.1}


def keep(cache: Cache, key: str = "a" * 64, value: float = 1.0) -> None:
    with cache.new(key) as draft:
        made = draft.arrays(LAYOUT)
        made.write("x", 0, np.full((2, 2), value))
        made.write("x", 2, np.full((1, 2), -value))
        made.write("y", 0, np.arange(3))
        draft.keep(made, STATE)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "runs" / ".cache")


def test_what_was_kept_is_found_again(cache: Cache) -> None:
    assert cache.find("a" * 64) is None
    keep(cache)
    found = cache.find("a" * 64)
    assert found is not None
    assert found.arrays.read("x").tolist() == [[1, 1], [1, 1], [-1, -1]]
    assert found.arrays.read("y").dtype == np.int32
    assert found.arrays.read("none").shape == (0, 2)
    assert not found.arrays.read("x").flags.writeable
    assert found.state == STATE
    assert cache.find("b" * 64) is None


def test_a_damaged_entry_is_no_entry(cache: Cache) -> None:
    keep(cache)
    (path,) = cache.folder.iterdir()
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert cache.find("a" * 64) is None
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert cache.find("a" * 64) is None
    path.write_bytes(whole)
    path.rename(path.with_stem("b" * 32))
    assert cache.find("b" * 64) is None  # the name alone says nothing
    keep(cache, "b" * 64)
    assert cache.find("b" * 64) is not None


def test_an_entry_that_is_not_finished_leaves_nothing(cache: Cache) -> None:
    def give_up() -> None:
        with cache.new("a" * 64) as draft:
            draft.arrays(LAYOUT)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        give_up()
    assert list(cache.folder.iterdir()) == []


def test_writers_at_once_do_not_meet(cache: Cache) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: keep(cache), range(40)))
    assert len(list(cache.folder.iterdir())) == 1
    assert cache.find("a" * 64) is not None


def test_the_entries_that_were_not_used_for_longest_go(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(cache, "a" * 64)
    (size,) = (size for _, _, size in cache.entries())
    small = Cache(cache.folder, limit=2 * size)
    for age, letter in enumerate("bc"):
        keep(cache, letter * 64)
        os.utime(cache.folder / f"{letter * 32}.prepared", (age, age))
    os.utime(cache.folder / f"{'a' * 32}.prepared", (2, 2))
    assert small.find("b" * 64) is not None  # which counts as a use
    keep(small, "d" * 64)
    assert sorted(path.name[0] for path, _, _ in small.entries()) == ["b", "d"]
    keep(Cache(cache.folder, limit=1), "e" * 64)
    assert [path.name[0] for path, _, _ in small.entries()] == ["e"]


def test_what_a_killed_process_left_goes_after_a_day(cache: Cache) -> None:
    keep(cache)
    left, new = cache.folder / "1.unfinished", cache.folder / "2.unfinished"
    left.touch()
    new.touch()
    os.utime(left, (0, 0))
    assert len(cache.entries()) == 1
    assert (left.exists(), new.exists()) == (False, True)


def test_a_cache_can_be_cleared(cache: Cache) -> None:
    assert cache.clear() == (0, 0)
    keep(cache)
    count, size = cache.clear()
    assert (count, list(cache.folder.iterdir())) == (1, [])
    assert size > 0


def test_what_cannot_be_removed_is_named_and_harms_no_run(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    cache.folder.mkdir(parents=True)
    (cache.folder / "folder.prepared").mkdir()
    assert cache.clear() == (0, 0)
    keep(cache)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        keep(Cache(cache.folder, limit=1), "b" * 64)
        with pytest.raises(OutputError, match=r"a\.prepared: cannot be removed: Permission denied$"):
            cache.clear()
    assert cache.find("a" * 64) is not None
    assert cache.find("b" * 64) is not None


def test_what_cannot_be_kept_is_made_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with Cache(tmp_path / "file").new("a" * 64) as draft:
        made: Any = draft.arrays(LAYOUT)
        made.write("y", 0, np.arange(3))
        draft.keep(made, STATE)
        assert "is not kept for later runs" in draft.fault
        assert made.read("y").tolist() == [0, 1, 2]


@pytest.mark.parametrize("call", ["truncate", "posix_fallocate"])
def test_where_the_disk_has_no_room_nothing_is_kept(cache: Cache, call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, refuse, raising=False)
    with cache.new("a" * 64) as draft:
        made = draft.arrays(LAYOUT)
        made.write("y", 0, np.arange(3))
        draft.keep(made, STATE)
    assert "No space left on device" in draft.fault
    assert made.read("y").tolist() == [0, 1, 2]
    assert list(cache.folder.iterdir()) == []


def test_a_file_system_that_reserves_nothing_keeps_all(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    keep(cache)
    assert cache.find("a" * 64) is not None


def test_a_disk_that_fails_midway_costs_the_entry_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment(tmp_path)
    called = iter(range(10**6))
    pwrite = os.pwrite

    def failing(*arguments: Any) -> int:
        if next(called) == 2:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return pwrite(*arguments)

    monkeypatch.setattr(os, "pwrite", failing)
    run = nnctl.train(tmp_path / "it.yaml", {"train.epochs": 1}, runs_dir=tmp_path / "runs")
    log = Path(run.path, "log.txt").read_text()
    assert "the prepared data is not kept for later runs: " in log
    assert "Input/output error" in log
    assert list((tmp_path / "runs" / ".cache").iterdir()) == []


def test_a_component_of_others_that_has_changed_makes_another_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug = tmp_path / "plugged_scaler.py"
    plug.write_text("from nnctl.transforms.standardize import Standardize\nclass Plugged(Standardize): ...\n")
    monkeypatch.syspath_prepend(tmp_path)
    own = read_experiment(experiment(tmp_path)).experiment
    scaler = importlib.import_module("plugged_scaler").Plugged()
    plugged = replace(own, data=replace(own.data, numeric=replace(own.data.numeric, scale=scaler)))
    before = [key_of(each) for each in (own, plugged)]
    os.utime(plug, (1, 1))
    after = [key_of(each) for each in (own, plugged)]
    assert after[0] == before[0]
    assert after[1] != before[1]
