"""The use cases: train, evaluate, predict, check, gradcheck, load. The one place where training meets disk.

The commands and the Python API call the same functions; nothing here prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from nnctl.arguments import ARGUMENTS, check_path, check_text
from nnctl.data.cache import Cache
from nnctl.dataset import read_tables
from nnctl.errors import DivergedError, NnctlError, Problem, SpecError
from nnctl.interrupts import Interrupts
from nnctl.model import Model, restore
from nnctl.network import gradcheck as gradients
from nnctl.preparation import Prepared, prepare
from nnctl.recording import Recorder, Run
from nnctl.runs import checkpoint
from nnctl.runs.find import cache_folder, find, runs_folder
from nnctl.runs.run_dir import RunDir, name_from_stem, validate_name
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.reading import Spec, read_experiment
from nnctl.trainer import Epoch, Stop, Tick, Trainer

Overrides = Sequence[str] | Mapping[str, Any] | None

GRADCHECK_ROWS = 16
RUN = "a run: what `train` gave back, its folder, a checkpoint file, `NAME/latest`, or the start of an id"


class Started(NamedTuple):
    """The run folder is made and training begins."""

    run: str  # the run folder as seen from the current one
    prepared: Prepared


class Note(NamedTuple):
    """A sentence for the user, also written to log.txt."""

    text: str


class Finished(NamedTuple):
    """Training has ended; ``signal`` is the number of the signal that ended it."""

    run: Run
    signal: int | None


Event = Started | Note | Epoch | Tick | Finished


@dataclass(frozen=True, slots=True)
class Experimented:
    """A config that was read together with its data."""

    spec: Spec
    prepared: Prepared


def train(
    config: str | Path, overrides: Overrides = (), *, name: str | None = None, runs_dir: str | Path | None = None
) -> Run:
    """Train one run and give it back.

    Raises: NnctlError: of the config or the data before anything is written; DivergedError after the run was saved.
            KeyboardInterrupt after the run was saved, where Ctrl-C ended it.
    """
    for event in training(config, overrides, name=name, runs_dir=runs_dir):
        if isinstance(event, Finished):
            if event.signal is not None:
                raise KeyboardInterrupt
            if event.run.status == "diverged":
                raise diverged(event.run)
            return event.run
    raise AssertionError("training ended without Finished")


def training(
    config: str | Path,
    overrides: Overrides = (),
    *,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    argv: Sequence[str] = (),
) -> Iterator[Event]:
    """Train one run, event by event: Started, then Epoch, Tick and Note, at last Finished."""
    runs = runs_folder(runs_dir)
    if name is not None:
        _check_name(name, from_command_line=bool(argv))
    with threadpool_limits(1):  # one BLAS thread: small networks gain nothing by more, and the bits stay the same
        opened = open_experiment(config, overrides, name=name, cache=Cache(cache_folder(runs_dir)))
        spec, prepared = opened.spec, opened.prepared
        trainer = Trainer(prepared.job)
        run_dir = RunDir.create(runs, str(prepared.experiment.name))
        with run_dir.lock(), Interrupts() as interrupts:
            about = {"argv": list(argv), "overrides": spec.document.overrides}
            recorder = Recorder(run_dir, spec, prepared, trainer, about)
            yield Started(os.path.relpath(run_dir.path), prepared)
            for text in (*prepared.warnings, *prepared.notes):
                recorder.note(text)
                yield Note(text)
            try:
                yield from _loop(trainer, recorder, interrupts)
            except Exception as error:
                recorder.fail(str(error) if isinstance(error, NnctlError) else f"{type(error).__name__}: {error}")
                raise


def _loop(trainer: Trainer, recorder: Recorder, interrupts: Interrupts) -> Iterator[Event]:
    """Run the trainer, record what it yields, and end at a signal."""
    stop: Stop | None = None
    for event in trainer.run():
        if isinstance(event, Epoch):
            recorder.epoch(event)
            stop = event.stop
        else:
            recorder.keep_up()
        yield event
        if stop is not None or interrupts.received is not None:
            break
    if stop is None:
        signal = interrupts.received
        assert signal is not None
        run = recorder.finish(
            Stop("completed", f"{signal.name} in epoch {trainer.progress.epoch + 1}"), status="interrupted"
        )
        yield Finished(run, int(signal))
        return
    run = recorder.finish(stop)
    yield Finished(run, None)


def open_experiment(
    config: str | Path, overrides: Overrides = (), *, name: str | None = None, cache: Cache | None = None
) -> Experimented:
    """Read a config and its data; the experiment gets the name of its runs.

    Raises: NnctlError with every problem placed, those that only the data show included.
    """
    spec = read_experiment(config, overrides)
    try:
        tables = partial(read_tables, folder=None if cache is None else cache.folder)
        return Experimented(spec, prepare(replace(spec.experiment, name=run_name(name, spec)), tables, cache))
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
        return validate_name(spec.experiment.name)
    return name_from_stem(spec.document.path.stem)


def _check_name(name: str, *, from_command_line: bool) -> None:
    """Raise SpecError if the name that was given as an argument cannot be a folder's."""
    check_text("name", name, "text, the name of a folder")
    key, place = ("--name", COMMAND_LINE) if from_command_line else ("name", ARGUMENTS)
    try:
        validate_name(name)
    except SpecError as error:
        raise SpecError(replace(problem, key=key, place=place) for problem in error.problems) from None
