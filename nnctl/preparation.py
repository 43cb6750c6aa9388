"""From a validated experiment to a job: the data read, every ``auto`` decided, the network built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nnctl.architecture import architecture
from nnctl.columns import filled, fit_features
from nnctl.data.batches import Examples
from nnctl.data.features import CategoryFeature, DateFeature, Features
from nnctl.data.target import Target
from nnctl.dataset import Dataset, Reader, about_file, digest, read_dataset, read_tables
from nnctl.errors import DataError, Problem, SpecError
from nnctl.evaluation import rows_at_once
from nnctl.examples import part_examples
from nnctl.job import Job
from nnctl.learning import chosen_loss, fitted_target
from nnctl.losses import Loss
from nnctl.network.network import Network
from nnctl.network.workspace import memory_for
from nnctl.sizes import check_width, machine_memory
from nnctl.spec.problems import format_key
from nnctl.spec.schema import ColumnOptions, Experiment
from nnctl.transforms.none import NoScaling
from nnctl.watching import Watched, watch

Array = NDArray[Any]
Better = Literal["lower", "higher"]

AS_MISSING = ", and is taken there for a missing one; `data.categorical.min_count` pools rare levels, in training, too"


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Everything that is known before the first step."""

    experiment: Experiment  # with every `auto` replaced by what it chose
    dataset: Dataset
    features: Features
    target: Target
    examples: Mapping[str, Examples]
    network: Network
    loss: Loss
    job: Job
    data_sha256: str
    notes: tuple[str, ...]  # what was decided
    warnings: tuple[str, ...]  # what is probably not meant


def prepare(experiment: Experiment, tables: Reader = read_tables) -> Prepared:
    """Read the data, fit the transforms on the training rows, and build the network and the job.

    Raises: DataError, SpecError with the keys of what does not fit.
    """
    dataset = read_dataset(experiment.data, experiment.seed, tables)
    loss = chosen_loss(experiment.loss, experiment.data, dataset)
    features = fit_features(experiment.data, dataset)
    check_width(experiment.data, features, dataset, experiment.model.dtype)
    target = fitted_target(experiment.data, dataset, loss)
    if target.reconstructs:
        _check_numbers(features)
    count = len(target.names) or features.width
    width = loss.width(task=target.task, classes=len(target.classes), targets=count)
    built = architecture(experiment.model, loss, columns=features.inputs, width=width)
    _check_memory(built.network, loss, experiment, len(dataset.parts["train"].rows))
    examples, unseen = examples_of(experiment, dataset, features, target, loss, width)
    if built.wants_prior:
        prior = loss.prior(examples["train"].t, examples["train"].w)
        built = architecture(experiment.model, loss, columns=features.inputs, width=width, prior=prior)
    watched = watch(experiment, loss, target.task, has_val="val" in examples)
    experiment = replace(experiment, model=built.model, loss=loss, metrics=watched.metrics, schedule=watched.schedule)
    experiment = _decided(experiment, dataset, features, target)
    job = _job(experiment, built.network, target, examples, watched)
    files = [part.table for part in dataset.parts.values()]
    notes, warnings = (*dataset.notes, *filled(features, dataset), *built.notes), (*dataset.warnings, *unseen)
    return Prepared(
        experiment, dataset, features, target, examples, built.network, loss, job, digest(files), notes, warnings
    )


def resolved(prepared: Prepared) -> Experiment:
    """The experiment as it is written down: also the delimiter, where all files had the same."""
    data = prepared.experiment.data
    found = {part.table.delimiter for part in prepared.dataset.parts.values()}
    if data.format.delimiter != "auto" or len(found) > 1:
        return prepared.experiment
    form = replace(data.format, delimiter=found.pop())
    return replace(prepared.experiment, data=replace(data, format=form))


def examples_of(
    experiment: Experiment, dataset: Dataset, features: Features, target: Target, loss: Loss, width: int
) -> tuple[dict[str, Examples], list[str]]:
    """The rows of every part as arrays, and warnings of levels that the training rows do not show."""
    examples: dict[str, Examples] = {}
    warnings = []
    matrices: dict[int, Array] = {}
    for name, part in dataset.parts.items():
        with about_file(experiment.data, name):
            if id(part.table) not in matrices:
                matrices[id(part.table)], unseen = features.matrix(part.table, experiment.model.dtype)
                warnings += [
                    f"{part.table.path}: `{column}` has a level in {count} rows that no training row has{AS_MISSING}"
                    for column, count in unseen.items()
                ]
            examples[name] = part_examples(
                part.table,
                matrices[id(part.table)],
                part.rows,
                features=features.names,
                target=target,
                loss=loss,
                width=width,
                weight=experiment.data.weight,
            )
    return examples, warnings


def _check_numbers(features: Features) -> None:
    """Raise DataError if an autoencoder were to learn codes as if they were numbers."""
    problems = [
        Problem(
            f"column `{column.name}` is coded for an embedding, and codes are no numbers to reconstruct; encode it "
            "as one_hot, or drop it",
            format_key(("data", "columns", column.name, "encode")),
        )
        for column in features.inputs
        if column.kind == "code"
    ]
    if problems:
        raise DataError(problems)


def _decided(experiment: Experiment, dataset: Dataset, features: Features, target: Target) -> Experiment:
    """The experiment as it is saved: nothing left to decide, paths absolute."""
    data = experiment.data
    columns = dict(data.columns)
    for name in target.names:  # other rows of the target are read as these were, whatever they look like
        columns[name] = replace(columns.get(name, ColumnOptions()), type=dataset.table.columns[name].type)
    for feature in features.columns:
        chosen: Any = {"type": feature.type}
        if isinstance(feature, CategoryFeature | DateFeature):
            chosen["encode"] = feature.encoder
        columns[feature.name] = replace(columns.get(feature.name, ColumnOptions()), **chosen)
    paths = {
        key: os.path.abspath(path)
        for key in ("path", "val_path", "test_path")
        if (path := getattr(data, key)) is not None
    }
    positive = target.classes[target.positive] if target.task == "binary" else None
    split = data.split.resolved(target.task)
    scale = target.scaler or NoScaling()
    data = replace(
        data,
        task=target.task,  # type: ignore[arg-type]
        positive=positive,
        columns=columns,
        split=split,
        target_scale=scale,
        **paths,
    )
    return replace(experiment, data=data)


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
    )


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
            f"{network.parameters:,} parameters need {parameters / 1e9:,.1f} GB with {experiment.optimizer.name}, "
            f"and batches of {batch:,} rows {activations / 1e9:,.1f} GB; this machine has {there / 1e9:,.1f} GB: "
        )
        if parameters > activations:
            raise SpecError(Problem(message + "use fewer units", "model"))
        raise SpecError(Problem(message + "make the batches smaller", "train.batch_size"))
