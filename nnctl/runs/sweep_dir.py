"""One sweep's folder: its name, its files, its lock, and the folders of its trials."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnctl.errors import RunError
from nnctl.runs.folders import runs_of_name
from nnctl.runs.run_dir import SWEEP_JSON, TRIAL, TRIALS, RunDir, make_folder, read_as
from nnctl.runs.run_lock import RunLock, is_locked

SCHEMA = "nnctl.sweep/1"


class SweepDir:
    """The folder of one sweep, and the only place that knows the names of the files in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.sweep_json = path / SWEEP_JSON
        self.trials_csv = path / "trials.csv"
        self.run_lock = path / "run.lock"
        self.log = path / "log.txt"
        self.trials = path / TRIALS

    def __repr__(self) -> str:
        return f"SweepDir({str(self.path)!r})"

    @classmethod
    def create(cls, runs_dir: Path, name: str) -> SweepDir:
        """Make a new folder for a sweep, beside the runs of its name; no two processes ever get the same one.

        Raises: SpecError if the name is not allowed; OutputError if the folder cannot be made.
        """
        return cls(make_folder(runs_dir, name, TRIALS))

    def discard(self) -> None:
        """Remove the folder of a sweep that could not begin, as far as the disk lets it be removed."""
        shutil.rmtree(self.path, ignore_errors=True)

    @property
    def id(self) -> str:
        """Time and four random digits: ``20261121-115407-3fa9``."""
        return os.path.basename(os.path.realpath(self.path))

    @property
    def name(self) -> str:
        """The folder that it shares with the runs of its experiment."""
        return os.path.basename(os.path.dirname(os.path.realpath(self.path)))

    def trial(self, number: int) -> RunDir:
        """The run of a trial, from 1."""
        return RunDir(self.trials / f"{number:04}")

    def begun(self) -> list[RunDir]:
        """The trials that have a folder, by their numbers."""
        try:
            with os.scandir(self.trials) as entries:
                names = [each.name for each in entries if TRIAL.fullmatch(each.name) and each.is_dir()]
        except OSError:
            return []
        return [RunDir(self.trials / name) for name in sorted(names, key=int)]

    def is_sweep(self) -> bool:
        """Whether a sweep was begun here."""
        return os.path.isfile(self.sweep_json)

    def read_sweep_json(self) -> dict[str, Any]:
        """What sweep.json says.

        Raises: RunError if it is missing, damaged, or of another version.
        """
        return read_as(SCHEMA, self.sweep_json)

    def lock(self) -> RunLock:
        """Lock this sweep: nobody else trains its trials.

        Raises: SpecError if a process does; OutputError if the lock cannot be taken.
        """
        return RunLock(self.run_lock)

    def is_locked(self) -> bool:
        """Whether a process is training trials of this sweep now; changes nothing in the folder."""
        return is_locked(self.run_lock)


def sweeps_of_name(folder: Path) -> Iterator[tuple[SweepDir, dict[str, Any]]]:
    """The sweeps in the folder of a name with what their sweep.json say, the newest first; damaged ones are left out.

    Raises: SpecError if the folder cannot be read; one that is not there has none.
    """
    for run in sorted(runs_of_name(folder), key=lambda run: run.path.name, reverse=True):
        sweep = SweepDir(run.path)
        if not sweep.is_sweep():
            continue
        try:
            yield sweep, sweep.read_sweep_json()
        except RunError:
            continue
