"""The checkpoints of a run: the best, the last, the save before it, and as many older ones as are to be kept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from nnctl.errors import Place, Problem, RunError, SpecError
from nnctl.runs import atomic, checkpoint
from nnctl.runs.checkpoint import Checkpoint
from nnctl.runs.run_dir import RunDir

Tensors = Mapping[str, NDArray[Any]]

_KEPT = re.compile(r"(?:epoch|step)-([0-9]+)\.safetensors")


class Checkpoints:
    """Writes and reads the checkpoints of one run, for the process that holds its lock.

    A save is written under a hidden name, put on the disk, and renamed: whoever reads `last`, also after a kill or a
    power cut at any instant, finds the old one or the new one, whole. The old one stays as `last.prev`, in case the
    disk itself damages `last`. ``keep`` counts the saves that are kept with `last` among them; ``label`` is the name
    under which what is in `last` now will be kept, empty if it will not.
    """

    def __init__(self, run: RunDir, keep: int = 1, label: str = "") -> None:
        self.run, self.keep = run, keep
        self._label = label
        self._fell_back = False

    def save_best(self, tensors: Tensors, meta: Mapping[str, Any]) -> None:
        """Raises: OutputError; then the best one before is still there, whole."""
        checkpoint.save(self.run.best, tensors, meta)

    def save_last(self, tensors: Tensors, meta: Mapping[str, Any], label: str) -> list[str]:
        """Save the state of the run; ``label`` (epoch-000050, step-0000200) is its name once it is an older one.

        What could not be removed is said, and does no harm.
        Raises: OutputError; then the last one before is still there, whole.
        """
        if self.keep > 1 and self._label not in ("", label):  # else the same state is saved once more
            kept = self.run.checkpoints / f"{self._label}.safetensors"
            try:
                atomic.second_name(self.run.last, kept)
            except OSError as error:
                raise atomic.cannot_write(kept, error) from error
        checkpoint.save(self.run.last, tensors, meta, previous=self.run.previous)
        self._label = label
        return self._prune()

    def load_last(self) -> tuple[Checkpoint, list[str]]:
        """The last save; where it is damaged the one before, and a sentence that says so.

        Raises: RunError if there is none that is whole.
        """
        try:
            if not os.path.lexists(self.run.last):
                raise RunError(Problem("is missing; train again", place=Place(str(self.run.last))))
            return checkpoint.load(self.run.last), []
        except (RunError, SpecError) as error:
            if not os.path.lexists(self.run.previous):
                raise
            what = error.problems[0].message.partition(";")[0]
            try:
                found = checkpoint.load(self.run.previous)
            except RunError as other:
                message = f"{what}, and so is the save before it, {self.run.previous.name}; train again"
                place = Place(str(self.run.last))
                raise RunError(Problem(message, place=place)) from error.__cause__ or other.__cause__
            self._fell_back = True
            return found, [f"warning: {self.run.last}: {what}; going on from the save before it, {self.run.previous}"]

    def clean(self) -> list[str]:
        """Remove what a killed process has left half-written, and a `last` that is damaged; warnings of what stays.

        Raises: OutputError if the save before it cannot take the place of a damaged one.
        """
        told = [text for folder in (self.run.path, self.run.checkpoints) for text in atomic.remove_temporaries(folder)]
        if self._fell_back:
            # The next save puts what `last` is in the place of `last.prev`: it must not be the damaged one.
            try:
                atomic.second_name(self.run.previous, self.run.last)
                atomic.sync_folder(self.run.checkpoints)
            except OSError as error:
                raise atomic.cannot_write(self.run.last, error) from error
            self._fell_back = False
        return told

    def _prune(self) -> list[str]:
        """Remove the kept saves that are too many, once the new one is whole."""
        told = []
        path = self.run.checkpoints
        try:
            for path in self._kept()[: None if self.keep == 1 else -(self.keep - 1)]:
                path.unlink(missing_ok=True)
        except OSError as error:
            told.append(f"warning: {path}: an old save cannot be removed: {atomic.reason(error)}")
        return told

    def _kept(self) -> list[Path]:
        """The older saves, the oldest first: those of another unit are from before the pause between saves changed."""
        unit = self._label.partition("-")[0]
        found = [(match, path) for path in self.run.checkpoints.iterdir() if (match := _KEPT.fullmatch(path.name))]
        ordered = sorted(found, key=lambda each: (each[1].name.startswith(unit), int(each[0][1])))
        return [path for _, path in ordered]
