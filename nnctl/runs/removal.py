"""``nnctl runs rm``: runs taken away, so that whoever looks sees a run whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from nnctl.errors import Place, Problem, SpecError
from nnctl.runs import atomic
from nnctl.runs.find import find_any
from nnctl.runs.listing import describe, ls
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import FOLD, ID, LATEST, TRIAL, TRIALS, RunDir, link_latest
from nnctl.runs.run_lock import held
from nnctl.runs.selection import is_about, select
from nnctl.runs.sweep_dir import SweepDir

NOTHING = "Nothing was removed"
GONE = ".removed"  # ends the hidden name that a run gets before its files go one by one
ABANDONED = 60.0  # seconds
_NEW_LATEST = re.compile(rf"\.{LATEST}\..+\.tmp")
_REMAINS = re.compile(rf"\..+\.[0-9a-f]{{8}}{re.escape(GONE)}")


def to_remove(runs_dir: Path, references: Sequence[str], where: Sequence[str] = ()) -> list[RunDir]:
    """The runs to remove: those named, of them (of all, if none is named) those for which every condition holds.

    Of all there are no sweeps, whose status and metrics say little about most of their trials, unless a condition names
    ``trials``.
    Raises: SpecError if one is being trained, or is no run inside the folder of runs, before anything is removed.
    """
    if not references and not where:
        raise SpecError("names no run to remove: add RUN, or `--where CONDITION` for all runs that it fits")
    problems: list[Problem] = []
    found: dict[Path, RunDir] = {}
    for named in references or _fitting(runs_dir, where):
        try:
            run = _named(runs_dir, named) if references else _checked(runs_dir, Path(named))
            found[run.path] = run
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    if references and where:
        fitting = {each.run for each in select([describe(run) for run in found.values()], where)}
        found = {path: run for path, run in found.items() if from_here(path) in fitting}
    busy = [each for run in found.values() for each in (run, *parts_of(run)) if each.is_locked()]
    if busy:
        raise SpecError(Problem(f"{held(each.run_lock)}. {NOTHING}", place=Place(str(each.path))) for each in busy)
    return list(found.values())


def _fitting(runs_dir: Path, where: Sequence[str]) -> list[str]:
    sweeps = any(is_about(each, "trials") for each in where)
    return [each.run for each in select(ls(runs_dir), where) if sweeps or not RunDir(Path(each.run)).is_sweep()]


def remove(runs: Iterable[RunDir]) -> Iterator[str]:
    """Remove runs for good, the folds of a cross-validation, the trials of a sweep with it; each path when it is gone.

    Killed at any instant, it leaves every run whole or unseen; the next call clears what it left.
    Raises: SpecError if somebody has begun to train one; OutputError if one cannot be removed.
    """
    for run in runs:
        _remove(run)
        yield from_here(run.path)


def paths(runs: Iterable[RunDir]) -> list[str]:
    """The folders as seen from the current one."""
    return [from_here(run.path) for run in runs]


def clear_remains(runs_dir: Path) -> None:
    """Remove what an interrupted removal has left: files out of sight, and a ``latest`` that leads nowhere."""
    with contextlib.suppress(OSError), os.scandir(runs_dir) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                _clear(Path(entry.path))
                _turn_latest(Path(entry.path))


def remains(folder: Path) -> list[Path]:
    """What an interrupted removal, or an interrupted start of a run, has left in the folder of a name."""
    with os.scandir(folder) as entries:
        return [Path(each.path) for each in entries if _REMAINS.fullmatch(each.name) or _is_abandoned(each)]


def _is_abandoned(entry: os.DirEntry[str]) -> bool:
    """Whether this is a new ``latest`` that nobody has put into its place for a minute."""
    if not (_NEW_LATEST.fullmatch(entry.name) and entry.is_symlink()):
        return False
    with contextlib.suppress(OSError):
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED
    return False


def _clear(folder: Path) -> None:
    with contextlib.suppress(OSError):  # the folder itself may go meanwhile
        for path in remains(folder):
            with contextlib.suppress(OSError):
                path.unlink() if path.is_symlink() else _remove_tree(path)


def _remove(run: RunDir) -> None:
    folder = run.path.parent
    hidden = folder / f".{run.path.name}.{os.urandom(4).hex()}{GONE}"
    with contextlib.ExitStack() as locks:
        # Nobody can begin to train it now. A sweep has one lock for all of its trials, which may be thousands.
        for each in (run, *folds_of(run)):
            locks.enter_context(each.lock())
        try:
            os.rename(run.path, hidden)
            atomic.sync_folder(folder)
            _turn_latest(folder)
            _remove_tree(hidden)
        except OSError as error:
            raise atomic.cannot_write(run.path, error, done="removed") from error
    _clear(folder)
    with contextlib.suppress(OSError):
        folder.rmdir()  # the system refuses that while anything is in it


def _remove_tree(folder: Path) -> None:
    """Remove a folder, following no links; another process may be clearing it as well."""

    def fail(_: object, __: str, error: BaseException) -> None:
        if not isinstance(error, FileNotFoundError):
            raise error

    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=fail)
    else:
        shutil.rmtree(folder, onerror=lambda call, path, info: fail(call, path, info[1]))


def _turn_latest(folder: Path) -> None:
    """Let a ``latest`` that leads nowhere point to the newest run that is left, or take it away."""
    link = folder / LATEST
    while os.path.islink(link) and not os.path.isdir(link):
        newest = _newest(folder)
        if newest is not None:
            link_latest(newest)
        else:
            with contextlib.suppress(OSError):
                link.unlink()
        if newest == (now := _newest(folder)):
            return
        if now is not None:  # a training has begun meanwhile
            link_latest(now)


def _newest(folder: Path) -> Path | None:
    with os.scandir(folder) as entries:
        runs = [RunDir(Path(entry.path)) for entry in entries if ID.fullmatch(entry.name)]
    begun = (run.path for run in runs if not run.is_sweep() and (run.is_run() or run.is_locked()))
    return max(begun, key=lambda path: path.name, default=None)


def _named(runs_dir: Path, reference: str) -> RunDir:
    """The run that RUN names. Raises: SpecError if that is not the folder of one run inside the folder of runs."""
    candidates = (Path(reference), runs_dir / reference) if reference and "\0" not in reference else ()
    for path in candidates:
        if path.name != LATEST and os.path.lexists(path):
            return _checked(runs_dir, path)
    return _checked(runs_dir, find_any(runs_dir, reference).path)


def _checked(runs_dir: Path, path: Path) -> RunDir:
    """The run in this folder, seen from the folder of runs. Raises: SpecError if there is none, or not in there."""
    root = os.path.realpath(runs_dir)
    # Links on the way are followed, the last part is not: it is what would be removed.
    place = (
        os.path.realpath(path) if path.name in ("", "..") else os.path.join(os.path.realpath(path.parent), path.name)
    )
    folder, own = os.path.split(place)
    run = RunDir(runs_dir / os.path.basename(folder) / own)
    if place == root:
        wrong = "is the folder of all runs, not a run; `--where` chooses several"
    elif folder == root and os.path.isdir(place) and not own.startswith("."):
        wrong = f"is the folder of a name, not a run; `--where name={own}` chooses all of its runs"
    elif FOLD.fullmatch(own) and os.path.dirname(os.path.dirname(folder)) == root:
        wrong = "is a fold and goes with its cross-validation alone; name that"
    elif TRIAL.fullmatch(own) and os.path.basename(folder) == TRIALS and RunDir(Path(folder).parent).is_sweep():
        wrong = "is a trial and goes with its sweep alone; name that"
    elif os.path.dirname(folder) != root:
        wrong = f"lies outside of the folder of runs, `{runs_dir}`; say with `--runs-dir` where your runs are"
    elif os.path.islink(place):
        wrong = "is a link; name the run itself, with `--runs-dir` where it lies in another folder"
    elif not os.path.isdir(place):
        wrong = "is not a folder, and no run"
    elif not (run.is_whole() or ID.fullmatch(own)):
        wrong = "is a folder, but not a run: it has no run.json"
    else:
        return run
    raise SpecError(Problem(f"{wrong}. {NOTHING}", place=Place(str(path))))


def parts_of(run: RunDir) -> list[RunDir]:
    """The runs of its folds, or of its trials, that go with it."""
    return SweepDir(run.path).begun() if run.is_sweep() else folds_of(run)


def folds_of(run: RunDir) -> list[RunDir]:
    """The runs of the folds that a cross-validation has, as far as it came."""
    with contextlib.suppress(OSError), os.scandir(run.path) as entries:
        names = [each.name for each in entries if FOLD.fullmatch(each.name) and each.is_dir(follow_symlinks=False)]
        return [RunDir(run.path / name) for name in sorted(names)]
    return []
