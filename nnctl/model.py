"""A trained model: a network with its weights, and all that stands between a table and its predictions."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.data.batches import Examples
from nnctl.data.features import Features
from nnctl.data.frame import FRAME, table_from_frame
from nnctl.data.table import Table, TableFile, parse_table
from nnctl.data.target import Target
from nnctl.errors import NnctlError, RunError, SpecError
from nnctl.network.arena import Arena
from nnctl.network.network import Network
from nnctl.preparing.architecture import architecture
from nnctl.preparing.examples import Recipe, part_examples
from nnctl.preparing.fitted import experiment_from, features_from, target_from
from nnctl.runs.checkpoint import Checkpoint
from nnctl.spec.schema import Experiment
from nnctl.splits import plural
from nnctl.training.evaluation import Evaluator

if TYPE_CHECKING:
    import pandas

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What a checkpoint holds, ready to use.

    ``predict`` and ``predict_proba`` take a DataFrame or a dict of columns and give NumPy arrays; the columns of the
    probabilities are in the order of ``classes``.
    """

    experiment: Experiment
    features: Features
    target: Target
    network: Network
    arena: Arena
    evaluator: Evaluator
    data_sha256: dict[str, str]  # of the file that each part's rows came from

    @property
    def classes(self) -> tuple[str, ...]:
        """The sorted labels; for several labels the names of their columns; empty for regression."""
        return self.target.labels

    def predict(self, frame: pandas.DataFrame | Mapping[str, Sequence[Any]]) -> Array:
        """Labels (N,) as text, or (N, L); for regression numbers (N,) in the target's units.

        (N, P) where there is more to tell, as `predict` writes it: several targets, quantiles, standard deviations. An
        autoencoder gives the reconstruction errors (N,).
        """
        return self.values(self._outputs_for(frame))

    def predict_proba(self, frame: pandas.DataFrame | Mapping[str, Sequence[Any]]) -> Array:
        """Class probabilities (N, C). Raises SpecError for regression, and where the loss gives none."""
        if (reason := self.no_probabilities) is not None:
            raise SpecError(reason)
        return self.target.probability(self._outputs_for(frame))

    def _outputs_for(self, frame: pandas.DataFrame | Mapping[str, Sequence[Any]]) -> Array:
        outputs, unseen = self.outputs(self.table(frame))
        for note in unseen_notes(str(FRAME), unseen):
            warnings.warn(note, stacklevel=3)  # the line that asked for predictions
        return outputs

    @property
    def no_probabilities(self) -> str | None:
        """Why there are no class probabilities, where there are none."""
        if self.target.task == "regression":
            return "a regression has no class probabilities"
        return None if self.target.probabilities else f"the loss {self.experiment.loss.name} gives no probabilities"

    def table(self, frame: pandas.DataFrame | Mapping[str, Sequence[Any]]) -> Table:
        """A frame as a table with the feature columns and types of training."""
        data = self.experiment.data
        types = self.features.types
        return table_from_frame(
            frame, missing_values=data.missing_values, types=types, only=set(types), dates=data.dates
        )

    def read(self, file: TableFile) -> Table:
        """An open CSV or parquet file as a table with the feature columns and types of training."""
        data = self.experiment.data
        return parse_table(
            file,
            missing_values=data.missing_values,
            types=self.features.types,
            only=set(self.features.types),
            decimal=data.format.decimal,
            dates=data.dates,
        )

    def outputs(self, table: Table) -> tuple[Array, dict[str, int]]:
        """The network's outputs (N, O) for a table, and how many cells of a column hold an unseen level.

        Of an autoencoder (N, 1), the mean squared error of each row.
        """
        x, unseen = self.features.matrix(table, self.arena.dtype)
        outputs = self.evaluator.outputs(x)
        if self.target.reconstructs:
            outputs = np.mean((self.experiment.loss.point(outputs) - x) ** 2, axis=1, keepdims=True)
        return outputs, unseen

    def values(self, outputs: Array) -> Array:
        """What the outputs predict: labels, or numbers; (N,), or (N, P) for several columns."""
        target = self.target
        if target.classifies:
            return np.array(target.classes)[target.codes(outputs)]
        if target.task == "multilabel":
            codes = target.codes(outputs)
            return np.stack([np.array(pair)[codes[:, place]] for place, pair in enumerate(target.pairs)], axis=1)
        if target.reconstructs:
            return outputs[:, 0]
        told = self.experiment.loss.report(outputs, target.values)  # (N, T, suffixes)
        values = told.reshape(len(told), -1)
        return values[:, 0] if values.shape[1] == 1 else values

    def examples(self, table: Table, rows: Array) -> Examples:
        """Rows of a table that has the target, ready to be evaluated."""
        data, loss = self.experiment.data, self.experiment.loss
        recipe = Recipe(
            self.features, self.target, loss, self.network.output[0], data.weight, self.experiment.model.dtype
        )
        return part_examples(recipe, table, rows)


def unseen_notes(source: str, unseen: Mapping[str, int]) -> list[str]:
    """What is said about the columns of a table with levels that no training row has, and their counts of rows."""
    return [
        f"{source}: `{name}` holds levels unseen in training, in {plural(count, 'row')}"
        for name, count in unseen.items()
    ]


def restore(checkpoint: Checkpoint, path: Path) -> Model:
    """The model in a checkpoint.

    Raises: RunError if something is missing or does not fit together.
    """
    try:
        return _restore(checkpoint)
    except NnctlError as error:
        problems = "; ".join(f"{problem.key}: {problem.message}" for problem in error.problems)
        raise RunError(f"{path}: says what this nnctl cannot use: {problems}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise RunError(f"{path}: is no checkpoint of a trained network: {type(error).__name__} {error}") from None


def _restore(checkpoint: Checkpoint) -> Model:
    meta = checkpoint.meta
    experiment = experiment_from(meta["spec"])
    features, target = features_from(meta["features"]), target_from(meta["target"], experiment)
    built = architecture(experiment.model, experiment.loss, columns=features.inputs, width=meta["outputs"])
    arena = built.network.arena(experiment.model.dtype)
    for name, view in {**arena.named(arena.theta), **arena.named_statistics()}.items():
        tensor = checkpoint.tensors[name]
        if tensor.shape != view.shape:
            raise ValueError(f"{name} has the shape {tensor.shape}, the network needs {view.shape}")
        view[...] = tensor
    evaluator = Evaluator(built.network, experiment.loss, arena)
    return Model(experiment, features, target, built.network, arena, evaluator, meta["data_sha256"])
