"""The use cases: train, sweep, resume, evaluate, predict, check, gradcheck, load: the Python API.

The commands call the same functions, or those that yield events; nothing here prints.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.arguments import check_path
from nnctl.data.cache import Cache
from nnctl.errors import DivergedError, Problem
from nnctl.model import Model, restore
from nnctl.network import gradcheck as gradients
from nnctl.preparing.preparation import Prepared, resolved
from nnctl.running.beginning import Overrides, prepared_for, resuming, training
from nnctl.running.folding import with_fold
from nnctl.running.loop import Event, Finished, Found
from nnctl.running.naming import run_name
from nnctl.running.profiling import Profiler
from nnctl.running.run import Run
from nnctl.runs import checkpoint
from nnctl.runs.find import find, runs_folder
from nnctl.runs.run_dir import RunDir
from nnctl.spec.reading import Spec, read_experiment
from nnctl.spec.schema import Experiment
from nnctl.sweeps.result import Sweep

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
    once: bool = False,
    start_from: Run | str | Path | None = None,
    profile: bool = False,
) -> Run:
    """Train one run and give it back; with ``folds``, or the key ``data.split.folds``, a `Folded` of so many.

    With ``once``, a run of the same resolved config, data and version that has ended, or is being trained, is given
    back as it stands, and one that was interrupted is gone on with. ``start_from`` is a run, or a checkpoint file,
    whose weights and preparation of the data the new run begins with. With ``profile`` the ``profile`` of the run says
    where the time went.
    Raises: NnctlError: of the config or the data before anything is written; DivergedError after the run was saved.
            KeyboardInterrupt after the run was saved, where Ctrl-C ended it; SIGTERM and SIGHUP end the process then.
    """
    origin = None if start_from is None else reference_of(start_from)
    events = training(
        config,
        overrides,
        folds=folds,
        name=name,
        runs_dir=runs_dir,
        once=once,
        start_from=origin,
        together=not profile,
    )
    return _last(Profiler().over(events) if profile else events)


def resume(
    run: Run | str | Path, overrides: Overrides = (), *, exact: bool = False, runs_dir: str | Path | None = None
) -> Run:
    """Go on with a run from its last save, and give it back; a run that has ended needs a change to go on.

    ``overrides`` are values of keys that may change: ``extending.FREE``. ``exact`` refuses a machine, or libraries, on
    which the bits would be others.
    Raises: as `train`; DataError too if the data has changed.
    """
    return _last(resuming(reference_of(run), overrides, exact=exact, runs_dir=runs_dir))


def sweep(
    config: str | Path,
    words: Sequence[str] | Mapping[str, Any] = (),
    *,
    method: str | None = None,
    trials: int | None = None,
    seeds: int | None = None,
    jobs: int | None = None,
    fail_fast: bool = False,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    once: bool = False,
    engine: Literal["local", "dask"] = "local",
    scheduler: str | None = None,
    executor: Executor | None = None,
) -> Sweep:
    """Train a run for each of many settings, and give all of them back; ``.best`` is the best.

    ``words`` are those of the command line, or a mapping by key in which a list is what is tried: {"optimizer.lr":
    [0.1, 0.01], "model.dropout": "uniform(0,0.5)", "train.epochs": 50}. The same call again goes on with a sweep that
    has not ended. ``executor`` trains the stacks elsewhere: it is given `nnctl.running.stacking.train_stack` and a
    plain dict. A sweep of which trials failed has the status `failed`, and their reasons.
    Raises: NnctlError with the problems of all trials, before anything is written.
            KeyboardInterrupt after the trials were saved, where Ctrl-C ended it; SIGTERM and SIGHUP end the process.
    """
    from nnctl.sweeps.coordinating import sweeping
    from nnctl.sweeps.events import SweepFinished

    options: dict[str, Any] = {"method": method, "trials": trials, "seeds": seeds, "name": name, "runs_dir": runs_dir}
    elsewhere: dict[str, Any] = {"engine": engine, "scheduler": scheduler, "executor": executor}
    last: SweepFinished | None = None
    for event in sweeping(config, words, **options, **elsewhere, jobs=jobs, fail_fast=fail_fast, once=once):
        last = event if isinstance(event, SweepFinished) else last
    assert last is not None, "the sweep ended without SweepFinished"
    if last.signal is not None:
        _signalled(last.signal)
    return last.sweep


def _last(events: Iterator[Event]) -> Run:
    last: Finished | Found | None = None
    for event in events:
        last = event if isinstance(event, Finished | Found) else last
    assert last is not None, "training ended without Finished"
    if isinstance(last, Finished) and last.signal is not None:
        _signalled(last.signal)
    if last.run.status == "diverged":
        raise diverged(last.run)
    return last.run


def _signalled(number: int) -> NoReturn:
    """Do what a signal does without us, now that all is saved."""
    if number != signal.SIGINT:
        signal.raise_signal(number)
    raise KeyboardInterrupt


def reference_of(run: Run | str | Path) -> str:
    """RUN as text. Raises SpecError if it is something else."""
    if isinstance(run, Run):
        return run.path
    check_path("run", run, RUN)
    return str(run)


def open_experiment(
    config: str | Path, overrides: Overrides = (), *, name: str | None = None, cache: Cache | None = None
) -> Experimented:
    """Read a config and its data; the experiment gets the name of its runs.

    Raises: NnctlError with every problem placed, those that only the data show included.
    """
    spec = read_experiment(config, overrides)
    return Experimented(spec, prepared_for(spec, replace(spec.experiment, name=run_name(name, spec)), cache))


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
    found = find(runs_folder(runs_dir), reference_of(run))
    with threadpool_limits(1):
        model = restore(checkpoint.load(found.checkpoint), found.checkpoint)
    return model, found.run


def diverged(run: Run) -> DivergedError:
    """The error for a run whose loss or gradient was no longer finite."""
    kept = f"; the best weights, of epoch {run.best_epoch}, are kept" if run.checkpoint else ""
    lost = next((fold for fold in getattr(run, "folds", ()) if fold.status == "diverged"), run)
    advice = f"{RunDir(Path(lost.path)).autopsy} tells where it began and what to try"
    return DivergedError(Problem(f"{run.path}: {run.reason}{kept}; {advice}"))
