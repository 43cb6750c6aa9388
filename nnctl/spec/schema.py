"""The experiment: every section and key of the YAML, as frozen dataclasses of options.

Defaults, bounds and help are stated here, once; the binding, the JSON Schema and the docs read them off.
"""

from __future__ import annotations

import re
from typing import Literal, NewType

from nnctl.component import option, section
from nnctl.early_stopping import EarlyStopping
from nnctl.initializers import Initializer
from nnctl.initializers.zeros import Zeros
from nnctl.layers import Activation, Layer
from nnctl.layers.relu import Relu
from nnctl.losses import Loss
from nnctl.losses.auto import Auto as AutoLoss
from nnctl.metrics import Metric
from nnctl.network.penalties import Regularization
from nnctl.optimizers import Optimizer
from nnctl.optimizers.adam import Adam
from nnctl.schedules import Schedule
from nnctl.schedules.constant import Constant
from nnctl.spec.sweep import SweepOptions
from nnctl.splits import Split
from nnctl.splits.auto import Auto as AutoSplit
from nnctl.transforms import Encoder, Encoding, Imputer, Scaler
from nnctl.transforms.median import Median
from nnctl.transforms.standardize import Standardize

# A path as the binding leaves it: relative to the current folder, whatever file it was written in.
FilePath = NewType("FilePath", str)

Task = Literal["auto", "binary", "multiclass", "classification", "multilabel", "regression"]
PAUSE = re.compile(r"([1-9][0-9]{0,17}) (epochs?|steps?)")
FEATURES = "features"  # the target of an autoencoder; a column of that name is written `[features]`
Bounds = tuple[float | None, float | None]

MOST_THREADS = 256


@section
class Numeric:
    """How columns of numbers are prepared."""

    scale: Scaler = option(default_factory=Standardize, help="Transform of the numbers.")
    missing: Imputer = option(default_factory=Median, help="What stands for missing cells.")
    indicator: bool = option(
        default=False,
        help="Add a column of 0 and 1 that says where a cell was missing, if one is in the training rows.",
    )
    clip: Bounds | None = option(default=None, help="Bounds [low, high] of the scaled numbers; null leaves one open.")


@section
class Categorical:
    """How columns of categories are prepared.

    Rare levels, those of ``min_count`` and ``max_levels``, share the reserved slot of missing and unknown values.
    """

    encode: Encoder | Literal["auto"] = option(
        default="auto", help="Encoding of the levels; auto: one_hot up to one_hot_max levels, else embedding."
    )
    one_hot_max: int = option(default=10, ge=1, help="Most levels that auto encodes as one_hot.")
    min_count: int = option(default=1, ge=1, help="Training rows that a level needs, else it is rare.")
    max_levels: int | None = option(
        default=None, ge=1, help="Most levels that are kept, the most frequent ones; the others are rare."
    )


@section
class ColumnOptions:
    """Exceptions for one column; what is not given here is as in ``numeric`` and ``categorical``.

    Found without a ``type``: number; boolean (true, false, yes, no); date of ISO 8601; else category, also for codes
    with leading zeros (007). Texts of which at least 9 in 10 differ, in 20 rows or more, have to be declared.
    """

    type: Literal["number", "boolean", "category", "date", "text"] | None = option(
        default=None,
        help="Type of the column, text is left out; null: found from its cells, dates only as ISO 8601 writes them.",
    )
    scale: Scaler | None = option(default=None, help="Transform of the numbers; null: as in numeric, none: no scaling.")
    missing: Imputer | None = option(default=None, help="What stands for missing cells.")
    indicator: bool | None = option(
        default=None, help="Add a column of 0 and 1 that says where a cell was missing, if one is in the training rows."
    )
    clip: Bounds | None = option(default=None, help="Bounds [low, high] of the scaled numbers; null leaves one open.")
    encode: Encoding | None = option(default=None, help="Encoding of the levels, or of the dates (null: parts).")
    order: tuple[str, ...] | None = option(default=None, help="All levels in their order.")
    format: str | None = option(
        default=None,
        help="How its dates are written, in the words of strptime, such as %d.%m.%Y; null: as in ISO 8601.",
    )


@section
class Format:
    """How the CSV file is written."""

    delimiter: str = option(default="auto", help="Character between cells, or tab; auto: comma, semicolon, tab or bar.")
    encoding: str = option(default="utf-8", help="Encoding of the text, such as latin-1, cp1252 or utf-16.")
    decimal: Literal[".", ","] = option(default=".", help="Decimal mark of the numbers.")


@section
class Data:
    """The table: where it lies, what is predicted, how its columns are read."""

    path: FilePath = option(
        help="CSV file, plain or packed as .gz, .bz2, .xz, or .zip of one file, or .parquet; - is the standard input."
    )
    val_path: FilePath | None = option(default=None, help="File of the validation rows, instead of a split.")
    test_path: FilePath | None = option(default=None, help="File of the test rows, instead of a split.")
    target: str | tuple[str, ...] = option(
        help="Column to predict, or a list of columns for several numbers or labels; features: the inputs themselves."
    )
    positive: str | None = option(default=None, help="Label that counts as positive; null: the last of two.")
    task: Task = option(default="auto", help="What is learned; auto: found from the target.")
    id: tuple[str, ...] = option(default=(), help="Columns kept in predictions that are no features.")
    drop: tuple[str, ...] = option(default=(), help="Columns left out.")
    weight: str | None = option(
        default=None,
        help="Column of row weights, numbers >= 0; transforms see no row of weight 0, and all others alike.",
    )
    numeric: Numeric = option(default_factory=Numeric, help="Preparation of numbers.")
    categorical: Categorical = option(default_factory=Categorical, help="Preparation of categories.")
    columns: dict[str, ColumnOptions] = option(default_factory=dict, help="Exceptions by column name.")
    missing_target: Literal["drop", "error"] = option(default="drop", help="What is done with rows without a target.")
    missing_values: tuple[str, ...] = option(
        default=("", "NA", "N/A", "nan", "NaN", "null", "?"), help="Cells that count as missing."
    )
    format: Format = option(default_factory=Format, help="How the CSV file is written; says nothing about parquet.")
    target_scale: Scaler | Literal["auto"] = option(
        default="auto",
        help="Transform of a regression target; auto: standardize, or none where the loss needs the target's own zero.",
    )
    split: Split = option(default_factory=AutoSplit, help="Which rows train, validate and test.")
    cache: bool = option(default=True, help="Keep what is prepared from the data for later runs, in the runs folder.")

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns of the target; none for an autoencoder, whose target are the features."""
        if isinstance(self.target, str):
            return () if self.target == FEATURES else (self.target,)
        return self.target

    @property
    def dates(self) -> dict[str, str]:
        """The formats of the columns that have one."""
        return {name: column.format for name, column in self.columns.items() if column.format is not None}


@section
class Output:
    """The dense layer of the target's width that is added last."""

    activation: Activation | Literal["auto"] = option(default="auto", help="Activation; auto: the link of the loss.")
    init: Initializer | Literal["auto"] = option(default="auto", help="Initializer of the weights.")
    bias_init: Initializer | Literal["prior"] = option(
        default_factory=Zeros,
        help="Initializer of the offsets; prior: the scores that predict the training rows' mean target.",
    )


@section
class Model:
    """The network: ``hidden`` for a plain one, or ``layers`` one by one."""

    hidden: tuple[int, ...] = option(default=(64, 64), ge=1, help="Units of each hidden layer.")
    activation: Activation = option(default_factory=Relu, help="Activation of the hidden layers.")
    norm: Literal["batch", "layer"] | None = option(
        default=None, help="Normalisation between a hidden layer and its activation."
    )
    dropout: float = option(default=0.0, ge=0, lt=1, help="Fraction of each hidden layer's outputs dropped, 0-1.")
    residual: bool = option(default=False, help="Add the input of each hidden layer to its output.")
    layers: tuple[Layer, ...] | None = option(default=None, help="The layers one by one, instead of the keys above.")
    output: Output | None = option(
        default_factory=Output, help="The layer added last; none: the list of layers is complete."
    )
    dtype: Literal["float32", "float64"] = option(default="float32", help="Precision of all vectors.")


@section
class Train:
    """The length and pace of training."""

    epochs: int = option(default=100, ge=1, help="Passes over the training rows.")
    batch_size: int | Literal["full"] = option(default=32, ge=1, help="Rows of a batch; full: all of them.")
    shuffle: bool = option(default=True, help="Draw a new order of the rows for every epoch.")
    eval_every: int = option(default=1, ge=1, help="Epochs from one evaluation to the next.")
    max_time: float | None = option(default=None, gt=0, help="Seconds after which training ends.")
    threads: int | Literal["auto"] = option(
        default="auto",
        ge=1,
        le=MOST_THREADS,
        help="Threads that share each batch; auto: as many parts as pay for its size on this machine, and a thread for "
        "each while cores are free. Another number of parts changes the last bits; run.json has both.",
    )
    on_nan: Literal["stop", "skip", "rollback"] = option(
        default="stop",
        help="What is done when the loss or the gradient of a batch is not finite; stop: the run ends; skip: the batch "
        "makes no step and counts for nothing; rollback: back to the best weights so far (at first the initial ones), "
        "the optimizer begun anew at half the learning rate. An epoch without any finite batch, an evaluation that is "
        "not finite (rollback answers that, too), and more than 10 rollbacks without a better epoch end the run.",
    )


@section
class Checkpoint:
    """When and what is saved; the best and the last state always are."""

    keep: int = option(default=1, ge=1, help="Saves that are kept, the last one among them.")
    every: str = option(
        default="auto",
        help="Pause between saves, such as 5 epochs or 200 steps; auto: 1 s and 50 times what the last save took.",
    )

    @property
    def pause(self) -> tuple[int, Literal["auto", "epochs", "steps"]]:
        """The pause as a number and its unit. Raises ValueError if it is none."""
        if self.every == "auto":
            return 0, "auto"
        found = PAUSE.fullmatch(self.every)
        if found is None:
            raise ValueError(self.every)
        return int(found[1]), "epochs" if found[2].startswith("epoch") else "steps"


@section
class Experiment:
    """One experiment: all that one YAML file says."""

    name: str | None = option(default=None, help="Folder under runs/; null: the stem of the file's name.")
    seed: int = option(default=0, ge=0, help="Root of all random streams: split, init, shuffle, dropout.")
    data: Data = option(help="The table.")
    model: Model = option(default_factory=Model, help="The network.")
    loss: Loss = option(default_factory=AutoLoss, help="What is minimised.")
    regularization: Regularization = option(default_factory=Regularization, help="Penalties on the weights.")
    optimizer: Optimizer = option(default_factory=Adam, help="How the weights move.")
    schedule: Schedule = option(default_factory=Constant, help="How the learning rate changes.")
    train: Train = option(default_factory=Train, help="The length and pace of training.")
    early_stopping: EarlyStopping | None = option(default=None, help="When training ends before its last epoch.")
    checkpoint: Checkpoint = option(default_factory=Checkpoint, help="When and what is saved.")
    metrics: tuple[Metric, ...] | Literal["auto"] = option(
        default="auto", help="Metrics of every evaluation; auto: the usual ones of the task."
    )
    sweep: SweepOptions | None = option(default=None, help="What `nnctl sweep` tries; nothing else reads it.")
