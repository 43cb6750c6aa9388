"""A run's logs read back exactly."""

from __future__ import annotations

import csv
import errno
import math
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import OutputError
from nnctl.runs import atomic, logs
from nnctl.runs.logs import Log, MetricsLog
from nnctl.runs.run_dir import RunDir


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return RunDir.create(tmp_path / "runs", "xor")


# --- metrics.csv ---


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(logs.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_the_header_is_there_from_the_start(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["epoch", "val_loss", "val_rmse_a,b"]):
        assert run.metrics_csv.read_text() == 'epoch,val_loss,"val_rmse_a,b"\n'


def test_rows_wait_for_half_a_second(run: RunDir, clock: Clock) -> None:
    with MetricsLog(run.metrics_csv, ["epoch", "lr"]) as log:
        log.add([1, 0.1])
        clock.now += 0.4
        log.add([2, 0.1])
        assert run.metrics_csv.read_text() == "epoch,lr\n"
        clock.now += 0.1
        log.flush_if_due()
        assert run.metrics_csv.read_text() == "epoch,lr\n1,0.1\n2,0.1\n"
        clock.now += 0.5
        log.add([3, 1e-05])
        assert run.metrics_csv.read_text().endswith("3,1e-05\n")
        log.add([4, 0.1])
    assert run.metrics_csv.read_text().endswith("4,0.1\n")


def test_what_is_none_or_not_finite_is_an_empty_cell(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["a", "b", "c", "d", "e"]) as log:
        log.add([math.nan, math.inf, None, -0.0, -math.inf])
    assert run.metrics_csv.read_text() == "a,b,c,d,e\n,,,-0.0,\n"


def test_numpy_scalars_are_written_as_plain_numbers(run: RunDir) -> None:
    with MetricsLog(run.metrics_csv, ["a", "b", "c"]) as log:
        log.add([np.float64(0.1), np.int64(7), np.float32(0.5)])  # type: ignore[list-item]
    assert run.metrics_csv.read_text() == "a,b,c\n0.1,7,0.5\n"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(), min_size=1))
def test_numbers_read_back_exactly(numbers: list[float | int]) -> None:
    cells = [logs._cell(number) for number in numbers]
    assert [
        int(cell) if isinstance(number, int) else float(cell) for cell, number in zip(cells, numbers, strict=True)
    ] == (numbers)


def test_the_offset_counts_all_bytes_and_rows(run: RunDir, clock: Clock) -> None:
    with MetricsLog(run.metrics_csv, ["epoch"]) as log:
        assert log.offset() == (6, 0)
        for epoch in range(1, 12):
            log.add([epoch])
        bytes_, rows = log.offset()
        assert (bytes_, rows) == (run.metrics_csv.stat().st_size, 11)
        log.add([12])
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
        log.add([1, 0.25])
        log.add([2, 0.5])
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


def test_a_column_that_stands_twice_is_a_bug(run: RunDir) -> None:
    with pytest.raises(AssertionError, match="twice"):
        MetricsLog(run.log, ["epoch", "epoch"])


def test_closing_twice_is_nothing(run: RunDir) -> None:
    log = MetricsLog(run.metrics_csv, ["epoch"])
    log.add([1])
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


def test_the_name_of_a_new_log_is_on_the_disk_from_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        done.append(stat.S_ISDIR(os.fstat(handle).st_mode))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    atomic.Appender(tmp_path / "a", new=True).close()
    atomic.Appender(tmp_path / "a").close()
    assert done == [True]
