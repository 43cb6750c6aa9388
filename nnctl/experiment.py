"""The use cases: train, evaluate, predict, check, gradcheck, load. The one place where training meets disk.

The commands and the Python API call the same functions; nothing here prints.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.arguments import ARGUMENTS, check_overrides, check_path, check_text
from nnctl.data.cache import Cache
from nnctl.dataset import read_tables
from nnctl.errors import DivergedError, NnctlError, Problem, SpecError
from nnctl.folding import cross_validation, has_folds, with_fold
from nnctl.interrupts import Interrupts
from nnctl.model import Model, restore
from nnctl.network import gradcheck as gradients
from nnctl.preparation import Prepared, prepare, resolved
from nnctl.recording import Run
from nnctl.running import Event as Event
from nnctl.running import Finished as Finished
from nnctl.running import FoldsStarted as FoldsStarted
from nnctl.running import Note as Note
from nnctl.running import Started as Started
from nnctl.running import running
from nnctl.runs import checkpoint
from nnctl.runs.find import cache_folder, find, runs_folder
from nnctl.runs.run_dir import RunDir, name_from_stem, validate_name
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.reading import Spec, read_experiment
from nnctl.spec.schema import Experiment
from nnctl.trainer import Trainer

Overrides = Sequence[str] | Mapping[str, Any] | None

GRADCHECK_ROWS = 16
RUN = "a run: what `train` gave back, its folder, a checkpoint file, `NAME/latest`, or the start of an id"


@dataclass(frozen=True, slots=True)
class Experimented:
    """A config that was read together with its data."""

    spec: Spec
    prepared: Prepared  # of the first fold, where there are folds

    @property
    def decided(self) -> Experiment:
        """The experiment with everything decided but what the config leaves to be: the fold, where there are folds."""
        return with_fold(resolved(self.prepared), self.spec.experiment.data.split.fold)


def train(
    config: str | Path,
    overrides: Overrides = (),
    *,
    folds: int | None = None,
    name: str | None = None,
    runs_dir: str | Path | None = None,
) -> Run:
    """Train one run and give it back; with ``folds``, or the key ``data.split.folds``, a `Folded` of so many.

    Raises: NnctlError: of the config or the data before anything is written; DivergedError after the run was saved.
            KeyboardInterrupt after the run was saved, where Ctrl-C ended it.
    """
    last: Finished | None = None
    for event in training(config, overrides, folds=folds, name=name, runs_dir=runs_dir):
        last = event if isinstance(event, Finished) else last
    assert last is not None, "training ended without Finished"
    if last.signal is not None:
        raise KeyboardInterrupt
    if last.run.status == "diverged":
        raise diverged(last.run)
    return last.run


def training(
    config: str | Path,
    overrides: Overrides = (),
    *,
    folds: int | None = None,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    argv: Sequence[str] = (),
) -> Iterator[Event]:
    """Train one run, event by event: Started, then Epoch, Tick and Note, at last Finished.

    With folds these are the events of each of them, between FoldsStarted and a last Finished with the `Folded`.
    """
    runs = runs_folder(runs_dir)
    if name is not None:
        _check_name(name, from_command_line=bool(argv))
    spec = _read(config, overrides, folds)
    experiment = replace(spec.experiment, name=run_name(name, spec))
    about = {"argv": list(argv), "overrides": spec.document.overrides}
    cache = Cache(cache_folder(runs_dir))
    with threadpool_limits(1):  # one BLAS thread: small networks gain nothing by more, and the bits stay the same
        if has_folds(experiment):
            yield from cross_validation(spec, experiment, runs, about, cache)
            return
        prepared = _prepared(spec, experiment, cache)
        trainer = Trainer(prepared.job)
        run_dir = RunDir.create(runs, str(experiment.name))
        with Interrupts() as interrupts:
            yield from running(run_dir, spec, prepared, trainer, interrupts, about)


def _read(config: str | Path, overrides: Overrides, folds: int | None) -> Spec:
    """The config with the number of folds that was asked for in the key that stands for it."""
    if folds is None:
        return read_experiment(config, overrides)
    key = "data.split.folds"
    check_overrides(overrides or ())
    if isinstance(overrides, Mapping):
        spec = read_experiment(config, {**overrides, key: folds})
    else:
        given = [overrides] if isinstance(overrides, str) else overrides or ()
        spec = read_experiment(config, [*given, f"{key}={folds}"])
    if spec.experiment.data.split.fold is not None:
        message = "names one fold, and `--folds` asks for all of them: leave out one of the two"
        raise SpecError(Problem(message, "data.split.fold", spec.place("data.split.fold")))
    return spec


def open_experiment(
    config: str | Path, overrides: Overrides = (), *, name: str | None = None, cache: Cache | None = None
) -> Experimented:
    """Read a config and its data; the experiment gets the name of its runs.

    Raises: NnctlError with every problem placed, those that only the data show included.
    """
    spec = read_experiment(config, overrides)
    return Experimented(spec, _prepared(spec, replace(spec.experiment, name=run_name(name, spec)), cache))


def _prepared(spec: Spec, experiment: Experiment, cache: Cache | None) -> Prepared:
    """The experiment with its data; where there are folds, of the first one."""
    try:
        tables = partial(read_tables, folder=None if cache is None else cache.folder)
        return prepare(with_fold(experiment, 1) if has_folds(experiment) else experiment, tables, cache)
    except NnctlError as error:
        raise error.placed(spec.place) from None


def gradcheck(config: str | Path, overrides: Overrides = ()) -> list[gradients.Checked]:
    """Check the gradient of every parameter, and of the input, on the first training rows that count."""
    prepared = open_experiment(config, overrides).prepared
    examples = prepared.examples["train"]
    w = examples.w
    rows = (np.arange(len(examples)) if w is None else np.flatnonzero(w))[:GRADCHECK_ROWS]
    return gradients.gradcheck(
        prepared.network,
        prepared.loss,
        examples.x[rows],
        examples.t[rows],
        None if w is None else w[rows],
        seed=prepared.experiment.seed,
    )


def load(run: Run | str | Path, *, runs_dir: str | Path | None = None) -> Model:
    """The best model of a run, or the one in a checkpoint file."""
    return open_model(run, runs_dir=runs_dir)[0]


def open_model(run: Run | str | Path, *, runs_dir: str | Path | None = None) -> tuple[Model, RunDir | None]:
    """The model that RUN names, and the run's folder, if it is not a checkpoint file alone."""
    if not isinstance(run, Run):
        check_path("run", run, RUN)
    reference = run.path if isinstance(run, Run) else str(run)
    found = find(runs_folder(runs_dir), reference)
    with threadpool_limits(1):
        model = restore(checkpoint.load(found.checkpoint), found.checkpoint)
    return model, found.run


def diverged(run: Run) -> DivergedError:
    """The error for a run whose loss was no longer finite."""
    kept = f"; the best weights, of epoch {run.best_epoch}, are kept" if run.checkpoint else ""
    advice = "try a smaller `optimizer.lr`"
    return DivergedError(Problem(f"{run.path}: {run.reason}{kept}; {advice}"))


def run_name(name: str | None, spec: Spec) -> str:
    """The folder under runs/: the given name, else the key ``name``, else the stem of the config's file name.

    Raises: SpecError if the key cannot be a folder's name.
    """
    if name is not None:
        return name
    if spec.experiment.name is not None:
        try:
            return validate_name(spec.experiment.name)
        except SpecError as error:
            raise error.placed(spec.place) from None
    return name_from_stem(spec.document.path.stem)


def _check_name(name: str, *, from_command_line: bool) -> None:
    """Raise SpecError if the name that was given as an argument cannot be a folder's."""
    check_text("name", name, "text, the name of a folder")
    key, place = ("--name", COMMAND_LINE) if from_command_line else ("name", ARGUMENTS)
    try:
        validate_name(name)
    except SpecError as error:
        raise SpecError(replace(problem, key=key, place=place) for problem in error.problems) from None
