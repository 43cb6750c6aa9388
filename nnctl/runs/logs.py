"""The two logs that grow in the folder of a run."""

from __future__ import annotations

import csv
import math
import os
import time
from collections.abc import Sequence
from io import StringIO
from numbers import Integral
from pathlib import Path
from typing import Any, Self

from nnctl.errors import Place, Problem, RunError
from nnctl.runs import atomic

FLUSH_EVERY = 0.5  # seconds that a row of metrics may wait for
PLAIN = {int, float}  # whose repr is the shortest text that reads back exactly


class MetricsLog:
    """metrics.csv of a run: a row for every evaluated epoch, under a header that stays as it is.

    Rows wait in memory for half a second at most, given that `flush_if_due` is called now and then. ``upto`` is what
    ``offset`` gave for the state of a run that goes on: what was written later, whole rows or half of one, is cut off.
    Raises: OutputError if the file cannot be written, or that of a new run is there already; RunError if that of a run
            that goes on does not have so many bytes, or another header.
    """

    def __init__(self, path: Path, header: Sequence[str], upto: tuple[int, int] | None = None) -> None:
        assert len(set(header)) == len(header), "a column stands twice in the header"
        self.header = tuple(header)
        self._written = self._rows = 0
        self._waiting = bytearray()
        self._flushed_at = time.monotonic()
        if upto:
            check_metrics(path, header, upto[0])
        self._file = atomic.Appender(path, new=not upto)
        if upto:
            self._written, self._rows = upto
            self._file.cut(self._written)
        else:
            self._waiting += _line(header)
            self.flush()

    def add(self, row: Sequence[float | int | None]) -> None:
        """Add a row, a value for each column of the header in order; None, or not finite, becomes an empty cell."""
        self._waiting += _cells(row).encode()
        self._rows += 1
        self.flush_if_due()

    @property
    def due(self) -> bool:
        """Whether nothing has been handed to the system for half a second."""
        return time.monotonic() - self._flushed_at >= FLUSH_EVERY

    def flush_if_due(self) -> None:
        """Hand what waits to the system, if it is time."""
        if self.due:
            self.flush()

    def flush(self) -> None:
        self._flushed_at = time.monotonic()
        while self._waiting:
            taken = self._file.add(self._waiting)
            self._written += taken
            del self._waiting[:taken]

    def offset(self) -> tuple[int, int]:
        """Bytes and rows so far, once all of them are on the disk: what a checkpoint may count on."""
        self.flush()
        self._file.sync()
        return self._written, self._rows

    def close(self) -> None:
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Log(atomic.Appender):
    """log.txt: the notes and warnings of a run, a line each, there as soon as they are written."""

    def line(self, text: str) -> None:
        # One call for the line and its end, so that lines of two processes do not mix.
        data = f"{text}\n".encode(errors="backslashreplace")
        while data:
            data = data[self.add(data) :]


def check_metrics(path: Path, header: Sequence[str], size: int) -> None:
    """Raise RunError unless this metrics.csv has that header, and whole lines in its first ``size`` bytes."""
    line = _line(header)
    try:
        with atomic.open_regular(path) as file:
            whole = file.read(len(line)) == line and os.fstat(file.fileno()).st_size >= size >= len(line)
            file.seek(max(size - 1, 0))
            whole = whole and file.read(1) == b"\n"
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {atomic.reason(error)}", place=Place(str(path)))) from error
    if not whole:
        message = f"is damaged: it is not the file that had {size:,} bytes when the run was saved"
        raise RunError(Problem(message, place=Place(str(path))))


def _line(header: Sequence[str]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\n").writerow(header)
    return line.getvalue().encode()


def _cells(values: Sequence[float | int | None]) -> str:
    """A line; plain finite numbers, as nearly all are, are written by one call for all of them."""
    if PLAIN.issuperset(map(type, values)) and math.isfinite(sum(values)):  # type: ignore[arg-type]
        return repr(list(values))[1:-1].replace(" ", "") + "\n"
    return ",".join(map(_cell, values)) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, Integral):  # those of NumPy too, which are no int
        return str(int(value))
    # repr of a plain float is the shortest that reads back exactly; that of a NumPy scalar has a name around it.
    return "" if value is None or not math.isfinite(value) else repr(float(value))
