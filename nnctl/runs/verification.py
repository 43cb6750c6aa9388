"""``nnctl runs verify``: every file of a run is read, and has to prove itself whole."""

from __future__ import annotations

import contextlib
import csv
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nnctl.errors import NnctlError, Place, Problem, RunError, SpecError
from nnctl.runs import atomic, checkpoint, listing
from nnctl.runs.find import SUFFIX, find_any
from nnctl.runs.folders import all_runs
from nnctl.runs.places import from_here
from nnctl.runs.removal import folds_of, remains
from nnctl.runs.run_dir import RunDir
from nnctl.runs.sweep_dir import SweepDir

START = ["epoch", "step", "lr", "seconds"]
LONGEST_LINE = 2**20  # bytes of metrics.csv
_LITTER = re.compile(r"\..+\.tmp")


@dataclass(frozen=True, slots=True)
class Fault:
    """A damaged file, and what is wrong with it."""

    file: str
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """A run (or a checkpoint file) whose files have been read."""

    run: str
    files: int
    faults: list[Fault] = field(default_factory=list)
    litter: list[str] = field(default_factory=list)  # what a killed process has left: it does no harm


def verify(runs_dir: Path, references: Sequence[str] = ()) -> Iterator[Verified]:
    """Read all files of these runs, of all runs for none; one run is read after the other, and one file of it.

    Raises: SpecError if one of them names nothing; RunError if it names a folder that is no run.
    """
    files = [Path(each) for each in references if each.endswith(SUFFIX) and os.path.isfile(each)]
    runs = [find_any(runs_dir, each) for each in references if Path(each) not in files]
    for path in files:
        yield Verified(from_here(path), 1, _faults([partial(_load, path)]))
    if not references:
        runs = sorted((run for run in all_runs(runs_dir) if listing.is_begun(run)), key=lambda run: str(run.path))
    for run in runs:
        yield from _of_sweep(SweepDir(run.path)) if run.is_sweep() else [_of_run(run)]
    if not references:
        yield Verified(from_here(runs_dir), 0, litter=_litter_of_names(runs_dir))


def _of_sweep(sweep: SweepDir) -> Iterator[Verified]:
    """The description of a sweep, and its trials, one after the other."""
    faults = _faults([partial(listing.read, RunDir(sweep.path)), partial(_check_trials, sweep)])
    litter = [] if sweep.is_locked() else _litter(RunDir(sweep.path))
    yield Verified(from_here(sweep.path), 1, faults, litter)
    yield from map(_of_run, filter(listing.is_begun, sweep.begun()))


def _check_trials(sweep: SweepDir) -> None:
    """Raise RunError unless the trials are there that a completed sweep names."""
    if listing.describe(RunDir(sweep.path)).status != "completed":
        return
    trials = sweep.read_sweep_json().get("trials")
    numbers = [each.get("number") for each in trials if isinstance(each, dict)] if isinstance(trials, list) else []
    paths = [sweep.trial(number).path for number in numbers if isinstance(number, int)]
    missing = [path for path in paths if not os.path.isdir(path)]
    if missing:
        message = "is missing, and the sweep has ended"
        raise RunError(Problem(message, place=Place(str(path))) for path in missing)


def _of_run(run: RunDir) -> Verified:
    """The files of a run, and those of its folds."""
    found = Verified(from_here(run.path), 0)
    files, faults, litter = 0, found.faults, found.litter
    for each in (run, *folds_of(run)):
        checkpoints = _checkpoints(each)
        checks: list[Callable[[], Any]] = [partial(listing.read, each), partial(_check_all_there, each)]
        checks += [partial(_load, path) for path in checkpoints if path != each.last]
        checks.append(partial(_check_last, each))
        if os.path.lexists(each.metrics_csv):
            checks.append(partial(_check_rows, each))
        described = (each.run_json, each.metrics_json, each.folds_json, each.metrics_csv)
        files += len(checkpoints) + sum(map(os.path.lexists, described))
        faults += _faults(checks)
        if not each.is_locked():
            litter += _litter(each)
    return Verified(found.run, files, faults, litter)


def _faults(checks: Sequence[Callable[[], Any]]) -> list[Fault]:
    faults = []
    for check in checks:
        try:
            check()
        except NnctlError as error:
            faults += [Fault(_from_here(problem.place), problem.message) for problem in error.problems]
    return faults


def _check_all_there(run: RunDir) -> None:
    """Raise RunError unless the files are there that a run of its status has."""
    has_folds = os.path.isdir(run.fold(1).path)
    needed = [run.resolved] if has_folds else [run.resolved, run.metrics_csv, run.last]
    ended = listing.describe(run).status in ("completed", "early_stopped")
    if ended:
        needed += [run.folds_json] if has_folds else [run.metrics_json, run.best]
    missing = [path for path in needed if not os.path.lexists(path)]
    if missing:
        message = "is missing, and the run has ended" if ended else "is missing: the run cannot go on without it"
        raise RunError(Problem(message, place=Place(str(path))) for path in missing)
    if os.path.isfile(run.resolved) and not os.path.getsize(run.resolved):
        raise RunError(Problem("is damaged: it is empty", place=Place(str(run.resolved))))


def _checkpoints(run: RunDir) -> list[Path]:
    try:
        with os.scandir(run.checkpoints) as entries:
            names = sorted(each.name for each in entries if not each.name.startswith("."))
    except OSError:
        return []
    return [run.checkpoints / name for name in names if Path(name).suffix in (SUFFIX, ".prev")]


def _load(path: Path) -> dict[str, Any]:
    """What a checkpoint says, once it has proved to be whole."""
    try:
        return checkpoint.verified(path)
    except SpecError:
        if os.path.lexists(path):  # a link that leads nowhere; else it has been replaced or pruned meanwhile
            raise
        return {}


def _check_last(run: RunDir) -> None:
    """Raise RunError unless the last save is whole, and all rows of metrics are there that it counts on."""
    counted = _load(run.last).get("metrics") or (0, 0)
    size = os.stat(run.metrics_csv).st_size if os.path.isfile(run.metrics_csv) else 0
    if size < counted[0]:
        message = f"is damaged: {size:,} bytes, and the last save counts on {counted[0]:,} ({counted[1]:,} rows)"
        raise RunError(Problem(message, place=Place(str(run.metrics_csv))))


def _check_rows(run: RunDir) -> None:
    """Raise RunError unless metrics.csv is a table: the rows as long as the header, numbers in them, epochs rising."""
    place = str(run.metrics_csv)
    # A process writes the last row just now, or was killed then; `resume` takes it away.
    torn = listing.describe(run).status in ("running", "interrupted", "failed", "damaged")
    try:
        with atomic.open_regular(run.metrics_csv) as file:
            lines = iter(lambda: file.readline(LONGEST_LINE), b"")
            width, epoch = 0, 0
            for number, data in enumerate(lines, 1):
                if not data.endswith(b"\n") and torn:
                    return
                cells = _cells(data, place, number)
                if number == 1:
                    width = _width(cells, place)
                else:
                    epoch = _epoch_of(cells, width, epoch, place, number)
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {atomic.reason(error)}", place=Place(place))) from error
    if not width and not torn:
        raise RunError(Problem("is damaged: it is empty", place=Place(place)))


def _cells(data: bytes, place: str, number: int) -> list[str]:
    try:
        rows = list(csv.reader([data.decode()], strict=True))
    except (csv.Error, UnicodeDecodeError):
        rows = []
    if len(rows) != 1 or not data.endswith(b"\n"):
        what = "is cut off" if not data.endswith(b"\n") else "is no row of a CSV file"
        raise RunError(Problem(f"is damaged: the line {what}", place=Place(place, number)))
    return rows[0]


def _width(header: list[str], place: str) -> int:
    if header[: len(START)] != START or len(header) == len(START):
        raise RunError(Problem(f"is damaged: its header does not begin with {','.join(START)}", place=Place(place, 1)))
    return len(header)


def _epoch_of(cells: list[str], width: int, before: int, place: str, number: int) -> int:
    where = Place(place, number)
    if len(cells) != width:
        raise RunError(Problem(f"is damaged: {len(cells)} cells under a header of {width}", place=where))
    if not all(map(_is_cell, cells)):
        raise RunError(Problem("is damaged: a cell is neither empty nor a finite number", place=where))
    if not (cells[0].isdecimal() and int(cells[0]) > before):
        raise RunError(Problem(f"is damaged: epoch {cells[0] or 'nothing'} behind epoch {before}", place=where))
    return int(cells[0])


def _is_cell(text: str) -> bool:
    try:
        return text == "" or math.isfinite(float(text))
    except ValueError:
        return False


def _litter_of_names(runs_dir: Path) -> list[str]:
    """What was left beside the runs, in the folders of their names."""
    found = []
    with contextlib.suppress(OSError), os.scandir(runs_dir) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                found += [from_here(path) for path in remains(Path(entry.path))]
    return sorted(found)


def _litter(run: RunDir) -> list[str]:
    found = []
    for folder in (run.path, run.checkpoints):
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        found += [from_here(folder / name) for name in names if _LITTER.fullmatch(name)]
    return found


def _from_here(place: Place | None) -> str:
    """A place with its path as seen from the current folder."""
    assert place is not None
    return str(Place(from_here(place.source), place.line))
