"""One run's folder: its name, its files, its lock."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any

from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.runs import atomic
from nnctl.runs.run_lock import RunLock, is_locked

LATEST = "latest"
SCHEMA = "nnctl.run/1"
MAX_TRIES = 1_000

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
FOLD = re.compile(r"fold-[1-9][0-9]*")
KILLED = "its process ended without a word (killed, or a power cut)"  # the reason of a run that nobody trains
TRIALS, TRIAL = "trials", re.compile(r"[0-9]{4,}")  # of a sweep
SWEEP_JSON = "sweep.json"
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
        self.autopsy = path / "autopsy.md"  # of a run that diverged
        self.run_lock = path / "run.lock"
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.safetensors"
        self.last = self.checkpoints / "last.safetensors"
        self.previous = self.checkpoints / "last.prev"  # the save before it

    def __repr__(self) -> str:
        return f"RunDir({str(self.path)!r})"

    @classmethod
    def create(cls, runs_dir: Path, name: str, *, checkpoints: bool = True) -> RunDir:
        """Make a new folder for a run; no two processes ever get the same one.

        Raises: SpecError if the name is not allowed; OutputError if the folder cannot be made.
        """
        return cls(make_folder(runs_dir, name, "checkpoints" if checkpoints else ""))

    def discard(self) -> None:
        """Remove the folder of a run that could not begin, as far as the disk lets it be removed."""
        shutil.rmtree(self.path, ignore_errors=True)

    def set_aside(self) -> Path:
        """Give the folder of a damaged run another name, and back where it lies. Raises: OutputError if that fails."""
        for number in range(1, MAX_TRIES):
            kept = self.path.with_name(f"{self.path.name}.damaged-{number}")
            if not os.path.lexists(kept):
                break
        try:
            self.path.rename(kept)
            atomic.sync_folder(kept.parent)
        except OSError as error:
            raise atomic.cannot_write(self.path, error, done="renamed") from error
        return kept

    def create_fold(self, number: int) -> RunDir:
        """Make the folder for the run of a fold, from 1, inside this one. Raises: OutputError if that fails."""
        run = self.fold(number)
        run.create_here()
        return run

    def create_here(self) -> None:
        """Make this folder, which nobody else makes. Raises: OutputError if that fails."""
        try:
            self.checkpoints.mkdir(parents=True)
            for made in (self.path, self.path.parent):
                atomic.sync_folder(made)
        except OSError as error:
            raise atomic.cannot_write(self.path, error, done="made") from error

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
        if name == TRIALS and TRIAL.fullmatch(own):
            return os.path.basename(os.path.dirname(above)), f"{os.path.basename(above)}/{name}/{own}"
        return name, own

    def is_fold(self) -> bool:
        """Whether this is the run of a fold of a cross-validation."""
        return self.is_part() and FOLD.fullmatch(os.path.basename(os.path.realpath(self.path))) is not None

    def is_part(self) -> bool:
        """Whether this is the run of a fold, or of a trial of a sweep: part of something larger."""
        return "/" in self.id

    def is_run(self) -> bool:
        """Whether a run was begun here."""
        return os.path.isfile(self.run_json)

    def is_sweep(self) -> bool:
        """Whether this is no run, but the folder of a sweep."""
        return os.path.isfile(self.path / SWEEP_JSON)

    def is_whole(self) -> bool:
        """Whether a run or a sweep was begun here."""
        return self.is_run() or self.is_sweep()

    def read_run_json(self) -> dict[str, Any]:
        """What run.json says.

        Raises: RunError if it is missing, damaged, or of another version.
        """
        return read_as(SCHEMA, self.run_json)

    def lock(self) -> RunLock:
        """Lock this run for training.

        Raises: SpecError if a process is training it; OutputError if the lock cannot be taken.
        """
        return RunLock(self.run_lock)

    def is_locked(self) -> bool:
        """Whether a process is training this run now; changes nothing in the folder."""
        return is_locked(self.run_lock)


def read_as(schema: str, path: Path) -> dict[str, Any]:
    """The object in a JSON file of this schema. Raises: RunError if it is missing, damaged, or of another version."""
    fields = atomic.read_json(path)
    found = fields.get("schema")
    if found != schema:
        other = isinstance(found, str) and found.startswith(schema.rpartition("/")[0] + "/")
        what = f"was made by another version of nnctl ({found})" if other else "is damaged: it has no `schema`"
        raise RunError(Problem(f"{what}; this one reads {schema}", place=Place(str(path))))
    return fields


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


def make_folder(runs_dir: Path, name: str, inner: str = "") -> Path:
    """Make a new folder below that of a name, with another one in it; no two processes ever get the same one.

    Raises: SpecError if the name is not allowed; OutputError if the folder cannot be made.
    """
    validate_name(name)
    folder = runs_dir / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _make_new_folder(folder)
        try:
            if inner:
                (path / inner).mkdir()
            for made in (path, folder, runs_dir):
                atomic.sync_folder(made)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
    except OSError as error:
        raise atomic.cannot_write(folder, error, done="made") from error
    return path


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


def link_latest(path: Path) -> list[str]:
    """Point `latest` here in one step, or give back a warning.

    On a disk that has no links there is none, and the newest id is found instead.
    """
    link = path.with_name(LATEST)
    temporary = atomic.temporary_name(path / LATEST)  # in the run's own folder, which is cleaned when the run goes on
    try:
        temporary.symlink_to(path.name, target_is_directory=True)
        os.replace(temporary, link)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS) and not os.path.lexists(link):
            return []
        return [f"warning: {link}: does not lead to this run: {atomic.reason(error)}"]
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return []
