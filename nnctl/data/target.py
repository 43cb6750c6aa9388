"""The target: what is learned, how its labels become numbers for the loss, and scores become predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnctl.blocks import counted, taken
from nnctl.data.fitting import sample_of
from nnctl.data.labels import label_of, labels
from nnctl.data.refusals import outside
from nnctl.errors import DataError, Problem
from nnctl.losses import Loss
from nnctl.transforms import Scaler, State

if TYPE_CHECKING:
    from nnctl.data.table import Column, Table

Array = NDArray[Any]

KEY = "data.target"


@dataclass(frozen=True, slots=True)
class Target:
    """The fitted target of one task.

    For classification ``classes`` are the sorted labels and ``positive`` is the place of the positive one among two;
    ``class_weights`` has one number for each class, or is empty. For several labels ``pairs`` are the negative and the
    positive label of each target column. For regression ``states`` are what the scaler fitted, one for each of the
    target columns; an autoencoder has no columns, its targets are the features.
    """

    names: tuple[str, ...]
    task: str  # binary | multiclass | multilabel | regression
    classes: tuple[str, ...] = ()
    positive: int = 1
    scaler: Scaler | None = None
    states: tuple[State, ...] = field(default=())
    pairs: tuple[tuple[str, str], ...] = ()
    class_weights: tuple[float, ...] = ()
    boundary: float = 0.5  # the output from which on a label is said
    probabilities: bool = True  # whether the outputs of a classifier are, or aim at, probabilities

    @property
    def classifies(self) -> bool:
        """Whether each row has one class."""
        return self.task in ("binary", "multiclass")

    @property
    def reconstructs(self) -> bool:
        """Whether the targets are the features: an autoencoder."""
        return not self.names

    def fitted_to(self, loss: Loss) -> Target:
        """The target as a loss lets it be read off the outputs."""
        return replace(self, boundary=loss.boundary, probabilities=loss.probabilities)

    def truth(self, columns: Sequence[Column]) -> Array:
        """The true values of every row.

        Class codes (N,) or label codes (N, L), -1 where missing; or numbers (N, T), nan where missing.
        Raises: DataError if a label was not among those of training.
        """
        if self.classifies:
            return _codes(columns[0], self.classes)
        if self.task == "multilabel":
            return np.stack([_codes(column, pair) for column, pair in zip(columns, self.pairs, strict=True)], axis=1)
        return np.stack([column.values for column in columns], axis=1).astype(np.float64, copy=False)

    def check(self, table: Table, rows: Array) -> None:
        """Raises: DataError if the numbers of some rows are none that the target's scaler takes."""
        if self.scaler is not None:
            columns = [table.columns[name] for name in self.names]
            problems = [problem for column in columns for problem in outside(table, column, self.scaler, rows)]
            if problems:
                raise DataError(problems)

    def encode(self, truth: Array, width: int, dtype: Any) -> Array:
        """What the loss compares the scores with, (N, T): 0 and 1 for classes, scaled numbers for regression."""
        if self.task == "multilabel" or self.reconstructs:
            return truth.astype(dtype)
        if self.classifies and width == 1:
            return np.asarray(truth == self.positive, dtype)[:, None]
        if self.classifies:
            return taken(np.eye(width, dtype=dtype), truth)
        assert self.scaler is not None
        parts = [self.scaler.apply(truth[:, place], state) for place, state in enumerate(self.states)]
        return np.stack(parts, axis=1).astype(dtype)

    def columns(self, loss: Loss) -> list[str]:
        """The names of the columns that predictions get."""
        if self.reconstructs:
            return ["reconstruction_error"]
        several = len(self.names) > 1 or self.task == "multilabel"
        starts = [f"prediction_{name}" for name in self.names] if several else ["prediction"]
        ends = loss.suffixes if self.task == "regression" else ("",)
        return [start + end for start in starts for end in ends]

    @property
    def labels(self) -> tuple[str, ...]:
        """The sorted labels; for several labels the names of their columns; empty for regression."""
        return self.names if self.task == "multilabel" else self.classes

    def probability_columns(self) -> list[str]:
        """The names of the columns that probabilities get, where there are any."""
        return [f"p_{label}" for label in self.labels] if self.probabilities else []

    def values(self, outputs: Array) -> Array:
        """Regression outputs (N, T) in the target's own units; those of an autoencoder in those of its features."""
        if self.reconstructs:
            return np.asarray(outputs, np.float64)
        assert self.scaler is not None
        parts = [
            self.scaler.invert(np.asarray(outputs[:, place], np.float64), state)
            for place, state in enumerate(self.states)
        ]
        return np.stack(parts, axis=1)

    def codes(self, outputs: Array) -> Array:
        """The predicted class codes (N,), or label codes (N, L), in a narrow type."""
        if self.task == "multilabel":
            return (outputs > self.boundary).view(np.int8)
        if outputs.shape[-1] == 1:
            said = outputs[:, 0] > self.boundary
            return (said if self.positive else ~said).view(np.int8)
        return np.asarray(np.argmax(outputs, axis=-1), _code_type(outputs.shape[-1]))

    def probability(self, outputs: Array) -> Array:
        """Class probabilities (N, C) in the order of ``classes``, or those of the labels (N, L).

        Outputs that are no probabilities (a squared error without a sigmoid) are clipped to 0-1 and, for classes, made
        to sum to 1.
        """
        if self.task == "binary" and outputs.shape[-1] == 1:
            return np.stack([self.share(outputs, code) for code in range(2)], axis=-1)
        found = np.clip(np.asarray(outputs, np.float64), 0.0, 1.0)
        if self.task == "multilabel":
            return found
        total = found.sum(axis=-1, keepdims=True)
        even = np.full_like(found, 1 / found.shape[-1])
        shares: Array = np.divide(found, total, out=even, where=total > 0)
        return shares

    def share(self, outputs: Array, code: int) -> Array:
        """The probability of one of two classes, for which there is one output: (N, 1) -> (N,)."""
        found = np.minimum(np.maximum(np.asarray(outputs[:, 0], np.float64), 0.0), 1.0)
        return found if code == self.positive else 1 - found


def fit_target(columns: Sequence[Column], task: str, *, positive: str | None, scaler: Scaler, train: Array) -> Target:
    """The target as the rows ``train`` show it; the classes are those of all rows.

    Raises: DataError if ``positive`` is no label, or the training rows hold one class only.
    """
    names = tuple(column.name for column in columns)
    if positive is not None and task in ("regression", "multilabel"):
        what = "a regression" if task == "regression" else "several, each with its last label as the positive one"
        raise DataError(Problem(f"names a label for a target of two classes, this is {what}", "data.positive"))
    if task == "multilabel":
        pairs = [labels(column).names for column in columns]
        return Target(names, task, pairs=tuple((first, last) for first, last in pairs))
    if task == "regression":
        states = tuple(scaler.fit(sample_of(column, train)) for column in columns)
        return Target(names, task, scaler=scaler, states=states)
    classes = labels(columns[0])
    if positive is not None and task != "binary":
        raise DataError(
            Problem(f"names a label for two classes, `{names[0]}` has {len(classes.names)}", "data.positive")
        )
    positive = None if positive is None else label_of(columns[0], positive)
    if positive is not None and positive not in classes.names:
        listed = ", ".join(f"`{name}`" for name in classes.names)
        raise DataError(Problem(f"`{positive}` is no label of `{names[0]}`, allowed: {listed}", "data.positive"))
    seen = np.flatnonzero(counted(classes.codes, len(classes.names), train))
    if len(seen) < 2:
        only = classes.names[int(seen[0])]
        raise DataError(Problem(f"all training rows are of one class, `{only}`; a classifier needs two or more", KEY))
    place = classes.names.index(positive) if positive is not None else len(classes.names) - 1
    return Target(names, task, classes=classes.names, positive=place)


def _codes(column: Column, known: Sequence[str]) -> Array:
    """The places of a column's labels among known ones (N,), -1 where missing."""
    place = {label: code for code, label in enumerate(known)}
    found = labels(column)
    unseen = [label for label in found.names if label not in place]
    if unseen:
        listed = ", ".join(f"`{label}`" for label in unseen[:5])
        message = f"`{column.name}` holds {listed}, not among the classes of training ({', '.join(known)})"
        raise DataError(Problem(message, KEY))
    codes = np.array([place[label] for label in found.names] + [-1], _code_type(len(known)))
    return taken(codes, found.codes)


def _code_type(classes: int) -> Any:
    """The narrowest type that holds the codes of so many classes, and -1."""
    return np.min_scalar_type(-max(classes, 1))
