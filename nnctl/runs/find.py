"""From what the user wrote for RUN to the run, or the checkpoint file, that is meant."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nnctl.arguments import check_path
from nnctl.errors import NnctlError, Place, Problem, RunError, SpecError
from nnctl.runs.folders import all_runs, runs_of_name
from nnctl.runs.places import from_here
from nnctl.runs.run_dir import FOLD, ID, LATEST, NAME, TRIAL, TRIALS, RunDir, shown
from nnctl.runs.sweep_dir import SweepDir

SUFFIX = ".safetensors"
DEFAULT_RUNS_DIR = Path("runs")
MAX_LISTED = 5
MAX_COMPARED = 5_000  # names compared by spelling

_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # of surrogates; the others are bytes that are no UTF-8
_PART = re.compile(f"(?P<whole>.+)/(?P<own>{FOLD.pattern}|{TRIALS}/{TRIAL.pattern})")
_PART_OF_ID = re.compile(r"[0-9a-f-]{1,20}")


def runs_folder(runs_dir: str | Path | None) -> Path:
    """Where runs lie: the argument, else the environment variable NNCTL_RUNS_DIR, else ``runs``."""
    if runs_dir is not None:
        check_path("runs_dir", runs_dir, "the path of a folder")
    path = os.fspath(runs_dir or os.environ.get("NNCTL_RUNS_DIR") or DEFAULT_RUNS_DIR)
    if "\0" in path or _LONE.search(path):
        raise SpecError(f"{shown(path)} can be the name of no folder, expected the one of your runs")
    return Path(path)


def cache_folder(runs_dir: str | Path | None) -> Path:
    """Where lies what is prepared from data and kept for later runs."""
    return runs_folder(runs_dir) / ".cache"


@dataclass(frozen=True, slots=True)
class Found:
    """What RUN names: a checkpoint, and its run, unless the checkpoint was named as a file."""

    run: RunDir | None
    checkpoint: Path


def find(runs_dir: Path, reference: str) -> Found:
    """The checkpoint that RUN names: that file, or the best one of that run.

    Raises: SpecError if it names nothing, several runs, or the folds of one together; RunError if it names a folder
            that is no run, or a run that has no checkpoint.
    """
    named = _locate(runs_dir, reference)
    if not isinstance(named, RunDir):
        return Found(None, named)
    if not os.path.lexists(named.best) and os.path.isdir(named.fold(1).path):
        raise SpecError(Problem(_name_a_fold(named), place=Place(str(named.path))))
    if not os.path.lexists(named.best):
        raise RunError(Problem(_no_checkpoint(named), place=Place(str(named.path))))
    return Found(named, named.best)


def find_run(runs_dir: Path, reference: str) -> RunDir:
    """The run that RUN names, whether or not it has a checkpoint yet.

    Raises: as `find`; SpecError too if RUN is a checkpoint file.
    """
    return _no_file(_locate(runs_dir, reference), reference)


def find_any(runs_dir: Path, reference: str) -> RunDir:
    """The run that RUN names, or the sweep, of which `is_sweep` holds. Raises: as `find_run`."""
    return _no_file(_named(runs_dir, reference), reference)


def _no_file(named: RunDir | Path, reference: str) -> RunDir:
    if not isinstance(named, RunDir):
        raise SpecError(f"{shown(reference)} is a file, expected a run: its folder, `NAME/latest`, or its id")
    return named


def _locate(runs_dir: Path, reference: str) -> RunDir | Path:
    """A run that has been begun, or an existing file. Raises: SpecError too if it is a sweep."""
    named = _named(runs_dir, reference)
    if isinstance(named, RunDir) and named.is_sweep():
        raise SpecError(Problem(_name_a_trial(SweepDir(named.path)), place=Place(str(named.path))))
    return named


def _named(runs_dir: Path, reference: str) -> RunDir | Path:
    """A run or a sweep that has been begun, or an existing file."""
    path = Path(reference)
    if not reference or "\0" in reference:
        raise SpecError(_names_nothing(runs_dir, reference))
    if path.suffix == SUFFIX and os.path.isfile(path):
        return path
    run = _run_at(path) or _run_below(runs_dir, reference)
    if run is None and os.path.isfile(path):
        return path
    if run is None and not os.path.isdir(path):
        raise SpecError(_names_nothing(runs_dir, reference))
    if run is None or not run.is_whole():
        what = f"is a folder, but not a run: it has no run.json; {_how_to_list(runs_dir)}"
        raise RunError(Problem(what, place=Place(str(path if run is None else run.path))))
    return run


def _run_at(path: Path) -> RunDir | None:
    """The run in this folder; the newest, if it is the folder of a name, or its `latest`."""
    if path.name == LATEST:
        return _newest(path.parent)
    run = RunDir(path)
    if run.is_whole() or (ID.fullmatch(path.name) and os.path.isdir(path)):
        return run
    if path.name == TRIALS and RunDir(path.parent).is_sweep():
        return RunDir(path.parent)
    return _newest(path) if os.path.isdir(path) else None


def _run_below(runs_dir: Path, reference: str) -> RunDir | None:
    """The run for `NAME`, `NAME/latest`, `NAME/ID`, or for a part of the id that only one run has.

    A fold of it has its name behind, ``NAME/latest/fold-2``, and so has a trial of a sweep: ``NAME/ID/trials/0003``.
    """
    part = _PART.fullmatch(reference)
    if part is not None:
        parent = _run_at(Path(part["whole"])) or _run_below(runs_dir, part["whole"])
        run = None if parent is None else RunDir(parent.path / part["own"])
        return run if run is not None and run.is_run() else None
    name, _, rest = reference.partition("/")
    # Names only: `..` and the like would lead out of the folder.
    if NAME.fullmatch(name) and (not rest or NAME.fullmatch(rest)):
        run = _run_at(runs_dir / reference)
        if run is not None:
            return run
    if not _PART_OF_ID.fullmatch(rest or name):
        return None
    return _with_id(runs_of_name(runs_dir / name) if rest else all_runs(runs_dir), reference, rest or name)


def _with_id(runs: Iterable[RunDir], reference: str, part: str) -> RunDir | None:
    """The run whose id starts with this part, or has it for its last four digits."""
    matches = [run for run in runs if run.path.name.startswith(part) or run.path.name.endswith(f"-{part}")]
    # A folder that a crash has left empty is in nobody's way.
    matches = [run for run in matches if run.is_whole()] or matches
    if len(matches) >= 2:
        names = sorted((f"{run.path.parent.name}/{run.path.name}" for run in matches), reverse=True)
        more = f" and {len(names) - MAX_LISTED} more" if len(names) > MAX_LISTED else ""
        listed = ", ".join(f"`{name}`" for name in names[:MAX_LISTED])
        raise SpecError(f"{shown(reference)} fits {len(names)} runs: {listed}{more}; write more of the id")
    return matches[0] if matches else None


def _newest(folder: Path) -> RunDir | None:
    """The run that `latest` points to; without such a link, the one with the highest id."""
    try:
        target = folder / os.readlink(folder / LATEST)
    except OSError:
        target = None
    # The run itself, not the link: another training may turn it while we read.
    if target is not None and os.path.isdir(target):
        return RunDir(target)
    begun = (run for run in runs_of_name(folder) if run.is_whole()) if os.path.isdir(folder) else ()
    return max(begun, key=lambda run: run.path.name, default=None)


def _names_nothing(runs_dir: Path, reference: str) -> str:
    names: dict[str, None] = {}
    for run in all_runs(runs_dir):
        folder, name = run.path.parent, run.path.parent.name
        names |= dict.fromkeys((name, f"{name}/{LATEST}", str(folder), str(folder / LATEST)))
        names |= dict.fromkeys((run.path.name, f"{name}/{run.path.name}", str(run.path)))
    if not names:
        return f"{shown(reference)} names no run, and there are none in `{runs_dir}`; `nnctl train CONFIG` makes one"
    near = difflib.get_close_matches(reference, list(names)[:MAX_COMPARED], n=1)
    meant = f", did you mean {shown(near[0])}?" if near else ";"
    return f"{shown(reference)} names no run and no checkpoint{meant} {_how_to_list(runs_dir)}"


def _how_to_list(runs_dir: Path) -> str:
    option = "" if runs_dir == DEFAULT_RUNS_DIR else f" --runs-dir {shlex.quote(str(runs_dir))}"
    return f"`nnctl runs ls{option}` lists the runs"


def _name_a_fold(run: RunDir) -> str:
    return f"is a cross-validation and has no weights of its own; name one of its folds, such as `{run.fold(1).path}`"


def _name_a_trial(sweep: SweepDir) -> str:
    try:
        best = str((sweep.read_sweep_json().get("best") or {}).get("run") or "")
    except (NnctlError, AttributeError):
        best = ""
    trials = sweep.begun()
    example = f", such as `{from_here(trials[0].path)}`" if trials else ""
    if best:
        example = f", such as `{from_here(sweep.path / best)}`, its best"
    many = "1 trial" if len(trials) == 1 else f"{len(trials):,} trials"
    return f"is a sweep of {many}: name one of them{example}"


def _no_checkpoint(run: RunDir) -> str:
    if run.is_locked():
        return "has no checkpoint yet: it is being trained; wait for its first save"
    return "has no checkpoint: it ended before the first save; see its log.txt, and train it again"
