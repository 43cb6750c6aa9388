"""One run's folder: its name, its files, its lock, and the two logs that grow in it."""

from __future__ import annotations

import contextlib
import csv
import errno
import fcntl
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from io import StringIO
from numbers import Integral
from pathlib import Path
from typing import Any, Self

from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.run_lock import RunLock

LATEST = "latest"
SCHEMA = "nnctl.run/1"
FLUSH_EVERY = 0.5  # seconds that a row of metrics may wait for
MAX_TRIES = 1_000

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FOLD = re.compile(r"fold-[1-9][0-9]*")
ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{4}")


class RunDir:
    """The folder of one run, and the only place that knows the names of the files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.resolved = path / "resolved.yaml"
        self.run_json = path / "run.json"
        self.metrics_csv = path / "metrics.csv"
        self.metrics_json = path / "metrics.json"
        self.folds_json = path / "folds.json"  # of a cross-validation, in the place of metrics and checkpoints
        self.log = path / "log.txt"
        self.run_lock = path / "run.lock"
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.safetensors"
        self.last = self.checkpoints / "last.safetensors"

    def __repr__(self) -> str:
        return f"RunDir({str(self.path)!r})"

    @classmethod
    def create(cls, runs_dir: Path, name: str, *, checkpoints: bool = True) -> RunDir:
        """Make a new folder for a run; no two processes ever get the same one.

        Raises: SpecError if the name is not allowed; OutputError if the folder cannot be made.
        """
        validate_name(name)
        folder = runs_dir / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            run = cls(_make_new_folder(folder))
            if checkpoints:
                run.checkpoints.mkdir()
            for made in (run.path, folder, runs_dir):
                atomic.sync_folder(made)
        except OSError as error:
            raise atomic.cannot_write(folder, error, done="made") from error
        link_latest(run.path)
        return run

    def create_fold(self, number: int) -> RunDir:
        """Make the folder for the run of a fold, from 1, inside this one. Raises: OutputError if that fails."""
        run = self.fold(number)
        try:
            run.checkpoints.mkdir(parents=True)
            for made in (run.path, self.path):
                atomic.sync_folder(made)
        except OSError as error:
            raise atomic.cannot_write(run.path, error, done="made") from error
        return run

    def fold(self, number: int) -> RunDir:
        """The run of a fold of this cross-validation, from 1."""
        return RunDir(self.path / f"fold-{number}")

    @property
    def id(self) -> str:
        """Time and four random digits: ``20261121-115407-3fa9``; of a fold ``20261121-115407-3fa9/fold-2``."""
        return self.name_and_id()[1]

    @property
    def name(self) -> str:
        """The folder that the runs of one experiment share."""
        return self.name_and_id()[0]

    def name_and_id(self) -> tuple[str, str]:
        """Both at once, for those who list many runs."""
        folder, own = os.path.split(os.path.realpath(self.path))
        above, name = os.path.split(folder)
        if FOLD.fullmatch(own) and RunDir(Path(folder)).is_run():
            return os.path.basename(above), f"{name}/{own}"
        return name, own

    def is_run(self) -> bool:
        """Whether a run was begun here."""
        return os.path.isfile(self.run_json)

    def read_run_json(self) -> dict[str, Any]:
        """What run.json says.

        Raises: RunError if it is missing, damaged, or of another version.
        """
        fields = atomic.read_json(self.run_json)
        schema = fields.get("schema")
        if schema != SCHEMA:
            other = isinstance(schema, str) and schema.startswith("nnctl.run/")
            what = f"was made by another version of nnctl ({schema})" if other else "is damaged: it has no `schema`"
            raise RunError(Problem(f"{what}; this one reads {SCHEMA}", place=Place(str(self.run_json))))
        return fields

    def lock(self) -> RunLock:
        """Lock this run for training.

        Raises: SpecError if a process is training it; OutputError if the lock cannot be taken.
        """
        return RunLock(self.run_lock)

    def is_locked(self) -> bool:
        """Whether a process is training this run now; changes nothing in the folder."""
        try:
            handle = os.open(self.run_lock, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            # Shared, so that readers are not in each other's way.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(handle)
        return False


class MetricsLog:
    """metrics.csv of a new run: a row for every evaluated epoch, under a header that stays as it is.

    Rows wait in memory for half a second at most, given that `flush_if_due` is called now and then.
    Raises: OutputError if the file is there already, or cannot be written.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        assert len(set(header)) == len(header), "a column stands twice in the header"
        self.header = tuple(header)
        self._columns = frozenset(header)
        self._written = self._rows = 0
        line = StringIO()
        csv.writer(line, lineterminator="\n").writerow(header)
        self._waiting = bytearray(line.getvalue().encode())
        self._file = atomic.Appender(path, new=True)
        self.flush()

    def append(self, row: Mapping[str, float | int | None]) -> None:
        """Add a row; a value that is missing, None or not finite becomes an empty cell."""
        assert row.keys() <= self._columns, f"not in the header: {sorted(row.keys() - self._columns)}"
        self._waiting += (",".join([_cell(row.get(column)) for column in self.header]) + "\n").encode()
        self._rows += 1
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Hand what waits to the system, if that has not been done for half a second."""
        if time.monotonic() - self._flushed_at >= FLUSH_EVERY:
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


def validate_name(name: str) -> str:
    """The name, if it can be that of a folder under runs/ and half of a reference such as ``churn/latest``.

    Raises: SpecError if the name is not allowed.
    """
    if name == LATEST:
        raise SpecError(Problem(f"`{LATEST}` is taken: it stands for the newest run of a name", key="name"))
    if not NAME.fullmatch(name):
        raise SpecError(
            Problem(
                f"expected at most 64 letters a-z, A-Z, digits, `.`, `_`, `-`, a letter or digit first, "
                f"got {shown(name)}; try {shown(name_from_stem(name))}",
                key="name",
            )
        )
    return name


def name_from_stem(stem: str) -> str:
    """The name of a run for a file's stem: what a name may not hold becomes `-`."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", stem).lstrip("._-")[:64] or "run"
    return f"{name}-run" if name == LATEST else name


def shown(text: str) -> str:
    """A user's own words as a message shows them: in backticks, on one line, not endless."""
    text = text if len(text) < 60 else text[:57] + "..."
    return "`" + "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text) + "`"


def _make_new_folder(folder: Path) -> Path:
    for _ in range(MAX_TRIES):
        path = folder / (time.strftime("%Y%m%d-%H%M%S", time.gmtime()) + f"-{os.urandom(2).hex()}")
        # mkdir, unlike a look at what is there, lets only one process win.
        try:
            path.mkdir()
            return path
        except FileExistsError:
            continue
        except FileNotFoundError:  # `runs rm` took the folder away in this moment, since it was empty
            folder.mkdir(parents=True, exist_ok=True)
    raise FileExistsError(errno.EEXIST, f"{MAX_TRIES:,} names tried, all of them taken")


def link_latest(path: Path) -> None:
    """Point `latest` here in one step; where that fails (no links on this disk), the newest id is found instead."""
    link = path.with_name(LATEST)
    temporary = atomic.temporary_name(link)
    with contextlib.suppress(OSError):
        temporary.symlink_to(path.name, target_is_directory=True)
        os.replace(temporary, link)
    with contextlib.suppress(OSError):
        temporary.unlink()


def _cell(value: Any) -> str:
    if isinstance(value, Integral):  # those of NumPy too, which are no int
        return str(int(value))
    # repr of a plain float is the shortest that reads back exactly; that of a NumPy scalar has a name around it.
    return "" if value is None or not math.isfinite(value) else repr(float(value))
