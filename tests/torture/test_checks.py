"""The checks notice what they are there for: writers that are broken on purpose fail them, and too few faults do."""

from __future__ import annotations

import errno
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from nnctl.runs import atomic
from tests.torture import broken, crashes, kills, power, processes, scene
from tests.torture.phases import PHASES
from tests.torture.shim import Fail, Full, Recorded, Watch
from tests.torture.subject import SHORT, STEP, Subject
from tests.torture.tally import Tally, table

LOST = (
    "no state the run was in",
    "neither `last` nor `last.prev`",
    "a state the run was never in",
    "nothing loads",
    "is missing",
    "is damaged",
)


@pytest.fixture(autouse=True)
def warm() -> None:
    processes.warm()


def tally(at_least: int) -> Tally:
    return Tally("F0", "a fault", "none", at_least, full=False, seed=0)


def lost(found: Tally) -> list[str]:
    return [failure for failure in found.failures if any(words in failure for words in LOST)]


@pytest.mark.parametrize("writer", [broken.in_place, broken.delete_first])
def test_crashes_find_a_broken_writer(tmp_path: Path, writer: Callable[[], None]) -> None:
    found = tally(20)
    played = scene.training(Subject.known(tmp_path, SHORT), writer)
    for call in played.calls[1::6]:
        crashes.crash(found, played, call, "`train`", torn=call.name == "write", go_on=False)
    assert lost(found)


@pytest.mark.parametrize("writer", [broken.in_place, broken.delete_first])
def test_kills_find_a_broken_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: Callable[[], None]
) -> None:
    monkeypatch.setattr(kills, "SUBJECTS", {"it": STEP})
    found = tally(12)
    for number in range(10):  # some kills come by the clock, and may all miss the moments that matter
        kills.inject(found, tmp_path / str(number), random.Random(number), broken=writer)
        if lost(found):
            break
    assert lost(found)


def test_power_cuts_find_a_writer_that_does_not_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_sync", atomic._sync)  # so that it is put back
    broken.no_sync()
    found = tally(100)
    power.inject(found, tmp_path, random.Random(0))
    assert lost(found)


def test_a_phase_with_too_few_kills_is_a_failure() -> None:
    found = tally(200)
    kills.spread(found, Counter({phase: 10 for phase in PHASES}))
    assert not found.failures
    kills.spread(found, Counter({phase: 10 for phase in PHASES if phase != "prune"}))
    assert found.failures == ["0 kills in the phase `prune`, not 10"]


def test_too_few_faults_and_a_failure_miss_the_mark() -> None:
    few, failed, met = tally(2), tally(0), tally(1)
    few.note("fine")
    failed.fail("not fine")
    met.note("fine")
    assert [each.passed for each in (few, failed, met)] == [False, False, True]
    assert "only 1 of 2 injected" in few.told()
    assert "not fine" in failed.told()
    lines = table([few, met]).splitlines()
    assert "MISSED" in lines[1]
    assert "met" in lines[2]


def test_the_shim_counts_what_lies_below_its_folder_and_nothing_else(tmp_path: Path) -> None:
    below, beside = tmp_path / "below", tmp_path / "beside"
    below.mkdir()
    recorded = Recorded()
    with Watch(below, recorded):
        for folder in (below, beside):
            folder.mkdir(exist_ok=True)
            atomic.write(folder / "a", b"x")
    names = [call.name for call in recorded.calls]
    assert names == ["mkdir", "open", "write", "fsync", "replace", "unlink", "open", "fsync"]
    assert [call.number for call in recorded.calls] == [*range(1, 9)]
    assert os.open.__module__ == "posix"


def test_the_shim_fails_the_call_that_it_is_told_to(tmp_path: Path) -> None:
    for at in range(1, 8):
        (tmp_path / "a").write_bytes(b"old")
        with Watch(tmp_path, Fail(at, errno.EIO)):
            if at == 5:  # the hidden name is gone by then
                atomic.write(tmp_path / "a", b"new")
            else:
                with pytest.raises(atomic.OutputError):
                    atomic.write(tmp_path / "a", b"new")


def test_a_full_disk_takes_half_a_write_and_then_nothing(tmp_path: Path) -> None:
    handle = os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
    os.close(handle)
    with Watch(tmp_path, Full(2)):
        handle = os.open(tmp_path / "a", os.O_WRONLY)
        for _ in range(2):
            with pytest.raises(OSError, match="No space left"):
                os.write(handle, b"0123456789")
        os.close(handle)
    assert (tmp_path / "a").read_bytes() == b"01234"
