"""From a validated experiment to a job: the data read, every ``auto`` decided, the network built."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnctl.architecture import architecture
from nnctl.component import registry
from nnctl.data.batches import Examples
from nnctl.data.features import Feature, Features, fit_category, fit_number
from nnctl.data.table import Column
from nnctl.data.target import Target, fit_target
from nnctl.dataset import Dataset, digest, feature_names, read_dataset
from nnctl.errors import DataError, Problem, SpecError
from nnctl.evaluation import rows_at_once
from nnctl.job import Job
from nnctl.losses import Loss
from nnctl.losses.auto import Auto as AutoLoss
from nnctl.metrics import AUTO, Metric
from nnctl.network.members import stream
from nnctl.network.network import Network
from nnctl.network.workspace import memory_for
from nnctl.schedules import Schedule
from nnctl.spec.problems import unknown
from nnctl.spec.schema import ColumnOptions, Data, Experiment
from nnctl.spec.synonyms import SYNONYMS
from nnctl.transforms import Encoder
from nnctl.transforms.none import NoScaling
from nnctl.transforms.one_hot import OneHot

Array = NDArray[Any]
Better = Literal["lower", "higher"]


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
    notes: tuple[str, ...]


def prepare(experiment: Experiment) -> Prepared:
    """Read the data, fit the transforms on the training rows, and build the network and the job.

    Raises: DataError, SpecError with the keys of what does not fit.
    """
    dataset = read_dataset(experiment.data, experiment.seed)
    train = dataset.parts["train"]
    features = fit_features(experiment.data, dataset)
    columns = [dataset.table.columns[name] for name in dataset.targets]
    target = fit_target(
        columns,
        dataset.task,
        positive=experiment.data.positive,
        scaler=experiment.data.target_scale,
        train=train.rows,
    )
    loss = _loss(experiment.loss, target)
    width = loss.width(task=target.task, classes=len(target.classes), targets=len(target.names))
    built = architecture(experiment.model, loss, columns=features.inputs, width=width)
    _check_memory(built.network, loss, experiment, len(train.rows))
    built.network.initialise(built.network.arena(), [stream(experiment.seed, "init")])
    dtype = experiment.model.dtype
    examples, unseen = examples_of(dataset, features, target, width, dtype)
    watched = _watched(experiment, target.task, has_val="val" in examples)
    experiment = replace(experiment, model=built.model, loss=loss, metrics=watched.metrics, schedule=watched.schedule)
    experiment = _decided(experiment, dataset, target)
    job = _job(experiment, built.network, target, examples, watched)
    files = [part.table for part in dataset.parts.values()]
    notes = (*dataset.notes, *unseen, *built.notes)
    return Prepared(experiment, dataset, features, target, examples, built.network, loss, job, digest(files), notes)


def fit_features(data: Data, dataset: Dataset) -> Features:
    """The features that the training rows give.

    Raises: DataError for every column with more levels than ``one_hot_max``.
    """
    problems: list[Problem] = []
    found: list[Feature] = []
    for name in feature_names(data, dataset.table, dataset.targets):
        try:
            found.append(_fit(dataset.table.columns[name], data, dataset.parts["train"].rows))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    return Features(tuple(found))


def examples_of(
    dataset: Dataset, features: Features, target: Target, width: int, dtype: str
) -> tuple[dict[str, Examples], list[str]]:
    """The rows of every part as arrays, and notes about levels that the training rows do not show."""
    examples: dict[str, Examples] = {}
    notes = []
    matrices: dict[int, Array] = {}
    for name, part in dataset.parts.items():
        if id(part.table) not in matrices:
            matrices[id(part.table)], unseen = features.matrix(part.table, dtype)
            notes += [
                f"{part.table.path}: `{column}` has a level in {count} rows that no training row has"
                for column, count in unseen.items()
            ]
        truth = target.truth([part.table.columns[column] for column in target.names])[part.rows]
        x = matrices[id(part.table)][part.rows]
        examples[name] = Examples(x, target.encode(truth, width, dtype), truth)
    return examples, notes


def _fit(column: Column, data: Data, rows: Array) -> Feature:
    options = data.columns.get(column.name, ColumnOptions())
    if column.type == "category":
        return fit_category(column, rows, encoder=_encoder(column, options, data), order=options.order)
    usual = data.numeric.scale if column.type == "number" else NoScaling()
    imputer = options.missing or data.numeric.missing
    return fit_number(column, rows, scaler=options.scale or usual, imputer=imputer)


def _encoder(column: Column, options: ColumnOptions, data: Data) -> Encoder:
    encode = options.encode or data.categorical.encode
    if not isinstance(encode, str):
        return encode
    most = data.categorical.one_hot_max
    if column.distinct > most:
        raise DataError(
            Problem(
                f"column `{column.name}` has {column.distinct} levels, more than `data.categorical.one_hot_max` "
                f"({most}); raise that, or write `data.columns.{column.name}.encode: ordinal`, or put "
                f"`{column.name}` into `data.drop`",
                "data.categorical.one_hot_max",
            )
        )
    return OneHot()


def _loss(loss: Loss, target: Target) -> Loss:
    if not isinstance(loss, AutoLoss) and target.task not in loss.tasks:
        fitting = ", ".join(f"`{cls.name}`" for cls in registry.classes("losses", Loss) if target.task in cls.tasks)
        raise SpecError(Problem(f"{loss.name} does not fit a {target.task} target, allowed: {fitting}", "loss.type"))
    return loss.resolved(target.task)


class Watched(NamedTuple):
    """The values that decide something, their better directions, and the metrics to compute."""

    monitor: str | None  # the one that makes an epoch the best
    better: Better
    schedule: Schedule  # it knows what it watches
    schedule_better: Better
    metrics: tuple[Metric, ...]


def _watched(experiment: Experiment, task: str, *, has_val: bool) -> Watched:
    fitting = {cls.name: cls for cls in registry.classes("metrics", Metric) if task in cls.tasks}
    if isinstance(experiment.metrics, str):
        metrics = [fitting[name]() for name in AUTO[task]]
    else:
        metrics = list(experiment.metrics)
    names = [metric.name for metric in metrics]
    problems = _unfit(names, fitting, task)
    rule = experiment.early_stopping
    monitor = rule.monitor if rule is not None else ("val_loss" if has_val else None)
    schedule = experiment.schedule.watching(monitor or "train_loss")
    better: dict[str | None, Better] = {None: "lower"}
    for key, name in (("early_stopping", monitor), ("schedule", schedule.watches)):
        if name is not None and name not in better:
            better[name] = _direction(name, f"{key}.monitor", fitting, metrics, problems, has_val=has_val)
    if problems:
        raise SpecError(problems)
    return Watched(monitor, better[monitor], schedule, better[schedule.watches], tuple(metrics))


def _direction(
    monitor: str,
    key: str,
    fitting: Mapping[str, type[Metric]],
    metrics: list[Metric],
    problems: list[Problem],
    *,
    has_val: bool,
) -> Better:
    """The better direction of a watched value; its metric goes to the metrics, what is wrong to the problems."""
    part, _, name = monitor.partition("_")
    known = [f"{part}_{name}" for part in ("val", "train") for name in ("loss", *fitting)]
    if monitor not in known:
        problems.append(Problem(unknown("value to monitor", monitor, known, SYNONYMS), key))
    elif part == "val" and not has_val:
        problems.append(Problem(f"`{monitor}` needs validation rows and there are none: monitor `train_{name}`", key))
    elif name != "loss":
        if name not in [metric.name for metric in metrics]:
            metrics.append(fitting[name]())
        return fitting[name].better
    return "lower"


def _unfit(names: list[str], fitting: Mapping[str, type[Metric]], task: str) -> list[Problem]:
    """What is wrong with the list of metrics: one that does not fit the task, or stands in it twice."""
    problems = []
    for place, name in enumerate(names):
        if name not in fitting:
            message = f"{name} does not fit a {task} target, allowed: {_quoted(fitting)}"
            problems.append(Problem(message, f"metrics[{place}]"))
        elif name in names[:place]:
            message = (
                f"{name} stands at metrics[{names.index(name)}] already, and a metric is known by its name: keep one"
            )
            problems.append(Problem(message, f"metrics[{place}]"))
    return problems


def _decided(experiment: Experiment, dataset: Dataset, target: Target) -> Experiment:
    """The experiment as it is saved: nothing left to decide, paths absolute."""
    data = experiment.data
    columns = dict(data.columns)
    for name in feature_names(data, dataset.table, dataset.targets):
        columns[name] = replace(columns.get(name, ColumnOptions()), type=dataset.table.columns[name].type)
    paths = {
        key: os.path.abspath(path)
        for key in ("path", "val_path", "test_path")
        if (path := getattr(data, key)) is not None
    }
    positive = target.classes[target.positive] if target.task == "binary" else None
    split = data.split.resolved(target.task)
    data = replace(data, task=target.task, positive=positive, columns=columns, split=split, **paths)  # type: ignore[arg-type]
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
        max_time=train.max_time,
    )


def _check_memory(network: Network, loss: Loss, experiment: Experiment, rows: int) -> None:
    """Raise SpecError where the vectors and the batches of the run would not fit into the machine's memory."""
    dtype, size = experiment.model.dtype, experiment.train.batch_size
    vectors = 4 + len(experiment.optimizer.vectors) + len(experiment.optimizer.spares)  # theta, grad, best, a copy
    parameters = network.parameters * vectors * np.dtype(dtype).itemsize
    batch = rows if isinstance(size, str) else min(size, rows)
    activations = memory_for(network, loss, batch, dtype=dtype, training=True).bytes
    activations += memory_for(network, loss, rows_at_once(network), dtype=dtype, training=False).bytes
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if parameters + activations > there:
        message = (
            f"{network.parameters:,} parameters need {parameters / 1e9:,.1f} GB with {experiment.optimizer.name}, "
            f"and batches of {batch:,} rows {activations / 1e9:,.1f} GB; this machine has {there / 1e9:,.1f} GB: "
        )
        if parameters > activations:
            raise SpecError(Problem(message + "use fewer units", "model"))
        raise SpecError(Problem(message + "make the batches smaller", "train.batch_size"))


def _quoted(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
