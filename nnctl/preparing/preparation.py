"""From a validated experiment to a job: the data read, every ``auto`` decided, the network built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.data.cache import Cache
from nnctl.data.features import Features
from nnctl.data.room import Arrays
from nnctl.data.target import Target
from nnctl.errors import OutputError, Problem, SpecError
from nnctl.losses import Loss
from nnctl.network.network import Network
from nnctl.network.workspace import memory_for
from nnctl.preparing.architecture import architecture
from nnctl.preparing.dataset import Dataset, Reader, about_file, read_dataset, read_tables
from nnctl.preparing.examples import Recipe, examples_in, make_examples
from nnctl.preparing.fitted import Fitted, Known, fit, fitted_state, restored
from nnctl.preparing.keys import Key, key_of
from nnctl.preparing.sizes import gigabytes, machine_memory, many
from nnctl.preparing.watching import Watched, watch
from nnctl.spec.schema import Checkpoint, Experiment
from nnctl.training.evaluation import rows_at_once
from nnctl.training.job import Job

Array = NDArray[Any]
Better = Literal["lower", "higher"]

AS_MISSING = ", and is taken there for a missing one; `data.categorical.min_count` pools rare levels in training, too"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before the first step."""

    experiment: Experiment  # with every `auto` replaced by what it chose
    fitted: Fitted
    examples: Mapping[str, Examples]
    network: Network
    job: Job
    notes: tuple[str, ...]  # what was decided
    warnings: tuple[str, ...]  # what is probably not meant
    tables: Dataset | None  # None where the cache had the examples
    key: Key | None  # of what the cache keeps

    @property
    def dataset(self) -> Dataset:
        """The tables, where they were read."""
        assert self.tables is not None, "the cache holds no tables"
        return self.tables

    @property
    def features(self) -> Features:
        return self.fitted.features

    @property
    def target(self) -> Target:
        return self.fitted.target

    @property
    def loss(self) -> Loss:
        return self.fitted.loss


def prepare(
    experiment: Experiment,
    tables: Reader = read_tables,
    cache: Cache | None = None,
    *,
    known: Known | None = None,
    key: Key | None = None,
) -> Prepared:
    """Read the data, fit the transforms on the training rows, and build the network and the job.

    With a cache, what an earlier run has prepared from the same data is taken from there: under ``key``, if one is
    given. What is ``known`` is not fitted again.
    Raises: DataError, SpecError with the keys of what does not fit.
    """
    if cache is not None and key is None:
        key = key_of(experiment, known)
    entry = cache.find(key.text) if cache is not None and key is not None else None
    kept = None if entry is None else restored(entry.state)
    if entry is not None and kept is not None:
        dataset, fitted = None, kept
    else:
        dataset = read_dataset(experiment.data, experiment.seed, tables)
        fitted = fit(experiment, dataset, known)
    built = architecture(experiment.model, fitted.loss, columns=fitted.features.inputs, width=fitted.width)
    _check_memory(built.network, fitted.loss, experiment, fitted.rows["train"])
    watched = watch(experiment, fitted.loss, fitted.target.task, has_val=fitted.rows["val"] > 0)
    if entry is not None and dataset is None:
        found = entry.arrays
    else:
        assert dataset is not None
        found, fitted = _made(experiment, dataset, fitted, cache, key)
    examples = examples_in(found)
    if built.wants_prior:
        prior = fitted.loss.prior(examples["train"].t, examples["train"].w)
        built = architecture(
            experiment.model, fitted.loss, columns=fitted.features.inputs, width=fitted.width, prior=prior
        )
    experiment = replace(
        experiment,
        data=fitted.data,
        model=built.model,
        loss=fitted.loss,
        metrics=watched.metrics,
        schedule=watched.schedule,
    )
    job = _job(experiment, built.network, fitted.target, examples, watched)
    notes = (*fitted.notes, *built.notes)
    return Prepared(experiment, fitted, examples, built.network, job, notes, fitted.warnings, dataset, key)


def _made(
    experiment: Experiment, dataset: Dataset, fitted: Fitted, cache: Cache | None, key: Key | None
) -> tuple[Arrays, Fitted]:
    """The examples of every part, kept in the cache, and what they add to the warnings."""
    recipe = Recipe(
        fitted.features, fitted.target, fitted.loss, fitted.width, experiment.data.weight, experiment.model.dtype
    )
    about = partial(about_file, experiment.data)
    if cache is None or key is None:
        found, unseen = make_examples(recipe, dataset.parts, about=about)
        return found, _warned(fitted, dataset, unseen)
    with cache.new(key.text) as draft:
        try:
            found, unseen = make_examples(recipe, dataset.parts, room=draft.arrays, about=about)
        except OutputError as error:  # the disk of the cache fails after it has promised the room
            draft.fail(error)
            found, unseen = make_examples(recipe, dataset.parts, about=about)
        fitted = _warned(fitted, dataset, unseen)
        if key.sha256.items() <= fitted.sha256.items():  # else a file has changed between key and table
            draft.keep(found, fitted_state(fitted, experiment))
    return found, replace(fitted, notes=(*fitted.notes, *filter(None, [draft.fault])))


def _warned(fitted: Fitted, dataset: Dataset, unseen: Mapping[str, Mapping[str, int]]) -> Fitted:
    """With warnings of levels that the training rows do not show."""
    counts: dict[tuple[str, str], int] = {}
    for part, columns in unseen.items():
        for column, count in columns.items():
            place = str(dataset.parts[part].table.path), column
            counts[place] = counts.get(place, 0) + count
    more = [
        f"{path}: `{column}` has a level in {count} rows that no training row has{AS_MISSING}"
        for (path, column), count in counts.items()
    ]
    return replace(fitted, warnings=(*fitted.warnings, *more))


def resolved(prepared: Prepared) -> Experiment:
    """The experiment as it is written down: also the delimiter, where all files had the same."""
    data, found = prepared.experiment.data, prepared.fitted.delimiters
    if data.format.delimiter != "auto" or len(found) > 1:
        return prepared.experiment
    form = replace(data.format, delimiter=found[0])
    return replace(prepared.experiment, data=replace(data, format=form))


def _job(
    experiment: Experiment,
    network: Network,
    target: Target,
    examples: Mapping[str, Examples],
    watched: Watched,
) -> Job:
    train = experiment.train
    return Job(
        network=network,
        loss=experiment.loss,
        optimizer=experiment.optimizer,
        schedule=experiment.schedule,
        early_stopping=experiment.early_stopping,
        target=target,
        metrics=watched.metrics,
        monitor=watched.monitor,
        better=watched.better,
        schedule_better=watched.schedule_better,
        train=examples["train"],
        val=examples.get("val"),
        epochs=train.epochs,
        batch_size=len(examples["train"]) if isinstance(train.batch_size, str) else train.batch_size,
        shuffle=train.shuffle,
        eval_every=train.eval_every,
        seed=experiment.seed,
        dtype=experiment.model.dtype,
        regularization=experiment.regularization,
        max_time=train.max_time,
        on_nan=train.on_nan,
        save_steps=_save_steps(experiment.checkpoint),
    )


def _save_steps(checkpoint: Checkpoint) -> int | None:
    count, unit = checkpoint.pause
    return count if unit == "steps" else None


def _check_memory(network: Network, loss: Loss, experiment: Experiment, rows: int) -> None:
    """Raise SpecError where the vectors and the batches of the run would not fit into the machine's memory."""
    dtype, size = experiment.model.dtype, experiment.train.batch_size
    vectors = 4 + experiment.optimizer.size()  # theta, grad, best, a copy
    parameters = network.parameters * vectors * np.dtype(dtype).itemsize
    batch = rows if isinstance(size, str) else min(size, rows)
    activations = memory_for(network, loss, batch, dtype=dtype, training=True).bytes
    activations += memory_for(network, loss, rows_at_once(network), dtype=dtype, training=False).bytes
    there = machine_memory()
    if parameters + activations > there:
        message = (
            f"{many(network.parameters)} parameters need {gigabytes(parameters)} with {experiment.optimizer.name}, "
            f"and batches of {batch:,} rows {gigabytes(activations)}; this machine has {gigabytes(there)}: "
        )
        if parameters > min(activations, there):
            raise SpecError(Problem(message + "use fewer units", "model"))
        raise SpecError(Problem(message + "make the batches smaller", "train.batch_size"))
