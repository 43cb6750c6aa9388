"""From a validated experiment to a job: the data read, every ``auto`` decided, the network built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from nnctl.component import plain
from nnctl.data.batches import Examples
from nnctl.data.cache import Cache
from nnctl.data.features import Features, features_state
from nnctl.data.target import Target
from nnctl.losses import Loss
from nnctl.network.network import Network
from nnctl.preparing.architecture import architecture
from nnctl.preparing.examples import examples_in
from nnctl.preparing.fitted import Fitted, Known, restored, target_state
from nnctl.preparing.keys import Key, key_of
from nnctl.preparing.memory import check_memory
from nnctl.preparing.remembering import Memory, Remembered
from nnctl.preparing.watching import Watched, watch
from nnctl.spec.reading import written
from nnctl.spec.schema import Checkpoint, Experiment
from nnctl.training.job import Job

if TYPE_CHECKING:
    from nnctl.preparing.dataset import Dataset, Reader

Array = NDArray[Any]
Better = Literal["lower", "higher"]


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
    tables: Reader | None = None,
    cache: Cache | None = None,
    *,
    known: Known | None = None,
    key: Key | None = None,
    memory: Memory | None = None,
) -> Prepared:
    """Read the data, fit the transforms on the training rows, and build the network and the job.

    With a cache, what an earlier run has prepared from the same data is taken from there: under ``key``, if one is
    given. What is ``known`` is not fitted again. ``tables`` reads the files, if they are not to be read anew. With a
    memory, experiments on the same data share their examples.
    Raises: DataError, SpecError with the keys of what does not fit.
    """
    remembered = None if memory is None else memory.find(experiment, known)
    if cache is not None and key is None and remembered is None:
        key = key_of(experiment, known)
    entry = cache.find(key.text) if cache is not None and key is not None and remembered is None else None
    kept = None if entry is None else restored(entry.state)
    if remembered is not None:
        dataset, fitted, key = None, remembered.fitted, remembered.key
    elif kept is not None:
        dataset, fitted = None, kept
    else:
        from nnctl.preparing import fresh  # a run whose data the cache has imports nothing that reads tables

        dataset, fitted = fresh.read(experiment, tables, cache, known)
    built = architecture(experiment.model, fitted.loss, columns=fitted.features.inputs, width=fitted.width)
    size, rows = experiment.train.batch_size, fitted.rows["train"]
    batch = rows if isinstance(size, str) else min(size, rows)
    check_memory(built.network, fitted.loss, experiment.optimizer, dtype=experiment.model.dtype, batch=batch)
    watched = watch(experiment, fitted.loss, fitted.target.task, has_val=fitted.rows["val"] > 0)
    if remembered is not None:
        examples = remembered.examples
    elif entry is not None and dataset is None:
        examples = examples_in(entry.arrays)
    else:
        assert dataset is not None
        found, fitted = fresh.make(experiment, dataset, fitted, cache, key)
        examples = examples_in(found)
    if memory is not None and remembered is None:
        memory.keep(experiment, known, Remembered(fitted, examples, key))
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


def resolved(prepared: Prepared) -> Experiment:
    """The experiment as it is written down: also the delimiter, where all files had the same."""
    data, found = prepared.experiment.data, prepared.fitted.delimiters
    if data.format.delimiter != "auto" or len(found) > 1:
        return prepared.experiment
    form = replace(data.format, delimiter=found[0])
    return replace(prepared.experiment, data=replace(data, format=form))


def described(prepared: Prepared) -> dict[str, Any]:
    """What a checkpoint says beside the weights, as plain values for JSON."""
    return {
        "spec": written(prepared.experiment),
        "features": plain(features_state(prepared.features)),
        "target": target_state(prepared.target),
        "outputs": prepared.network.output[0],
        "data_sha256": prepared.fitted.sha256,
    }


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
        save_steps=_pause(experiment.checkpoint, "steps"),
        save_epochs=_pause(experiment.checkpoint, "epochs"),
    )


def _pause(checkpoint: Checkpoint, wanted: Literal["epochs", "steps"]) -> int | None:
    """The pause between two saves in that unit; None where it is stated in another."""
    count, unit = checkpoint.pause
    return count if unit == wanted else None
