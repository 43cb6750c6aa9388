"""The files of run folders, sent between machines that share no folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnctl.errors import Place, Problem, RunError
from nnctl.runs import atomic
from nnctl.runs.run_dir import RunDir

Parcel = dict[str, bytes]  # a file's place in its run folder, and what is in it

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*/)?[A-Za-z0-9][A-Za-z0-9._-]*")


def packed(folder: Path) -> Parcel:
    """All that belongs to a run, but for its lock; empty where none was begun."""
    run_dir = RunDir(folder)
    if not run_dir.is_run():
        return {}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path != run_dir.run_lock and _is_named(path, folder)
    }


def unpack(parcel: Mapping[str, bytes], folder: Path) -> None:
    """Make a run folder of a parcel, or bring one up to date, so that it is never taken for more than it is.

    A new folder appears as a whole. In one that is there the files come in the order in which a training writes them,
    so that one who is killed in the middle leaves what a killed training leaves.
    Raises: RunError if the parcel is none; SpecError if the run is being trained; OutputError if it cannot be written.
    """
    strange = [name for name in parcel if not _NAME.fullmatch(name)]
    if strange or RunDir(Path()).run_json.name not in parcel:
        raise RunError(Problem("what came back from a worker is no run", place=Place(str(folder))))
    for left in folder.parent.glob(f".{folder.name}.*.tmp"):  # by one who was killed
        shutil.rmtree(left, ignore_errors=True)
    if RunDir(folder).is_run():
        with RunDir(folder).lock():
            _write(parcel, folder)
    else:
        _make(parcel, folder)


def _make(parcel: Mapping[str, bytes], folder: Path) -> None:
    temporary = atomic.temporary_name(folder)
    try:
        temporary.mkdir(parents=True)
        _write(parcel, temporary)
        shutil.rmtree(folder, ignore_errors=True)  # of one who was killed before the run began
        os.rename(temporary, folder)
        atomic.sync_folder(folder.parent)
    except OSError as error:
        raise atomic.cannot_write(folder, error, done="made") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write(parcel: Mapping[str, bytes], folder: Path) -> None:
    for name in _in_order(parcel):
        path = folder / name
        if path.exists() and path.read_bytes() == parcel[name]:
            continue
        try:
            path.parent.mkdir(exist_ok=True)
        except OSError as error:
            raise atomic.cannot_write(path.parent, error, done="made") from error
        atomic.write(path, parcel[name])
    _remove_others(parcel, folder)


def _in_order(parcel: Mapping[str, bytes]) -> Iterator[str]:
    """Rows before the checkpoint that counts them, that before its status, the results at the end."""
    run_dir = RunDir(Path())
    late = [
        str(path) for path in (run_dir.best, run_dir.previous, run_dir.last, run_dir.run_json, run_dir.metrics_json)
    ]
    yield from sorted(parcel.keys() - set(late))
    yield from (name for name in late if name in parcel)


def _remove_others(parcel: Mapping[str, bytes], folder: Path) -> None:
    """Checkpoints that the training has dropped meanwhile."""
    checkpoints = RunDir(folder).checkpoints
    for path in checkpoints.iterdir() if checkpoints.is_dir() else ():
        if str(path.relative_to(folder)) not in parcel and _is_named(path, folder):
            path.unlink(missing_ok=True)


def _is_named(path: Path, folder: Path) -> bool:
    return _NAME.fullmatch(str(path.relative_to(folder))) is not None
