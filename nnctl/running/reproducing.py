"""``nnctl reproduce``: a run trained once more from what it has saved, and held against the first."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from nnctl.errors import DataError, Place, Problem, RunError, SpecError
from nnctl.preparing.keys import files_of, hashes
from nnctl.running.beginning import training
from nnctl.running.loop import Event, Finished, Note
from nnctl.running.machine import differences, machine
from nnctl.running.origin import open_origin
from nnctl.running.run import FINISHED, Run
from nnctl.running.threads import recorded
from nnctl.runs import checkpoint
from nnctl.runs.find import find_run, runs_folder
from nnctl.runs.places import from_here
from nnctl.runs.rows import RowDifference, first_difference
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import read_experiment

PARTS = {"train": "data.path", "val": "data.val_path", "test": "data.test_path"}


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A run that was trained once more."""

    original: str
    run: Run  # the new one
    weights: tuple[str | None, str | None]  # the sha256 of the best weights, then and now
    first: RowDifference | None  # the first row of metrics that differs, timing aside
    machine: list[str]  # what decides about bits and has changed since

    @property
    def identical(self) -> bool:
        """Whether the best weights are the same, bit for bit, and so are the metrics."""
        then, now = self.weights
        return then == now and self.first is None

    def as_json(self) -> dict[str, Any]:
        """What `reproduce --json` prints."""
        first = None if self.first is None else {"epoch": self.first.epoch, "columns": list(self.first.columns)}
        return {
            "schema": "nnctl.reproduce/1",
            "run": self.run.path,
            "reproduces": self.original,
            "identical": self.identical,
            "weights_sha256": {"then": self.weights[0], "now": self.weights[1]},
            "first_difference": first,
            "machine": self.machine,
        }


def reproducing(
    run: str, *, runs_dir: str | Path | None = None, argv: Sequence[str] = ()
) -> Iterator[Event | Reproduced]:
    """Train a run once more into a new folder of its name, event by event; at last Reproduced, unless a signal came.

    Raises: SpecError if it cannot be trained in one go; DataError if its data has changed; RunError if it is damaged.
    """
    original = find_run(runs_folder(runs_dir), run)
    about = original.read_run_json()
    path = from_here(original.path)
    _check_ended(original, about, path)
    _check_data(original)
    with threadpool_limits(1):  # as in every training
        changed = differences(about, machine())
    for text in changed:
        yield Note(f"warning: the bits may be others: {text}")
    events = training(
        original.resolved,
        name=original.name,
        runs_dir=original.path.parent.parent if runs_dir is None and not original.is_part() else runs_dir,
        start_from=_origin(about, runs_folder(runs_dir), path),
        argv=argv,
        about={"reproduces": original.id},
        threads=recorded(about, original.run_json),
    )
    last: Finished | None = None
    for event in events:
        last = event if isinstance(event, Finished) else last
        yield event
    assert last is not None, "training ended without Finished"
    if last.signal is None:
        yield _held_against(original, about, last.run, changed)


def _check_ended(original: RunDir, about: Mapping[str, Any], path: str) -> None:
    """Raise SpecError unless the run has been trained to an end that comes again."""
    status = about.get("status")
    if "folds" in about:
        raise _refused(path, f"is a cross-validation; name one of its folds, such as `{path}/fold-1`")
    if original.is_locked():
        raise _refused(path, "is being trained; wait until it ends")
    if status not in FINISHED:
        raise _refused(path, f"has not ended ({status}); go on with it first: `nnctl resume {path}`")
    if about.get("changed"):
        keys = ", ".join(f"`{key}`" for key in about["changed"])
        raise _refused(path, f"was changed when it went on ({keys}), and cannot be trained in one go")
    if about.get("reason") == "max_time":
        raise _refused(path, "was ended by the clock (`train.max_time`), which runs otherwise each time")


def _check_data(original: RunDir) -> None:
    """Raise DataError unless the files are, byte for byte, those of the run."""
    source = original.best if os.path.lexists(original.best) else original.last
    then = checkpoint.verified(source).get("data_sha256")
    if not isinstance(then, dict):
        raise RunError(Problem("does not say what data it was trained on", place=Place(str(source))))
    paths = files_of(read_experiment(original.resolved).experiment.data)
    found = hashes(paths) or {}  # what cannot be read, the training will refuse
    for part, digest in found.items():
        if then.get(part) != digest:
            message = "has changed since the run was trained on it; put the old file back"
            raise DataError(Problem(f"{paths[part]}: {message}", PARTS[part]))


def _origin(about: Mapping[str, Any], runs: Path, path: str) -> str | None:
    """The run whose weights it began with. Raises: SpecError if those have changed."""
    begun = about.get("from")
    if not begun:
        return None
    origin = str(begun["run"])
    if open_origin(runs, origin).weights_sha256 != begun["weights_sha256"]:
        raise _refused(path, f"began with the weights of {origin}, and that run has others now")
    return origin


def _held_against(original: RunDir, about: Mapping[str, Any], run: Run, changed: list[str]) -> Reproduced:
    again = RunDir(Path(run.path))
    weights = about.get("weights_sha256"), again.read_run_json().get("weights_sha256")
    first = first_difference(original.metrics_csv, again.metrics_csv)
    return Reproduced(from_here(original.path), run, weights, first, changed)


def _refused(path: str, what: str) -> SpecError:
    return SpecError(Problem(what, place=Place(path)))
