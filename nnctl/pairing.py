"""Two runs judged on the same rows: what both say of each of them, and what that tells about their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from nnctl.errors import DataError, SpecError
from nnctl.experiment import open_model
from nnctl.judging import judged_rows, path_of
from nnctl.metrics import Metric, Predictions
from nnctl.metrics.fitting import Fitting
from nnctl.model import Model
from nnctl.runs.run_dir import RunDir
from nnctl.significance.bootstrap import Interval, paired_bootstrap
from nnctl.significance.mcnemar import McNemar, mcnemar

Array = NDArray[Any]

# What two runs are compared by where nothing else is asked for.
USUAL: dict[str, tuple[str, ...]] = {
    "binary": ("accuracy",),
    "multiclass": ("accuracy",),
    "multilabel": ("hamming",),
    "regression": ("rmse", "mae"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What the best weights of a run say of the rows of one part of its data."""

    model: Model
    rows: Array  # their places in the file
    predictions: Predictions


def judged(run: RunDir, part: str) -> Judged:
    """Judge a run on the rows of a part. Raises: NnctlError if its weights or its data are not what they were."""
    model, _ = open_model(run.path)
    table, rows, _ = judged_rows(model, path_of(model, part), part)
    with threadpool_limits(1):
        _, found = model.evaluator.judge(model.examples(table, rows), model.target)
    # Plain arrays: what a network says is read off its scores once, not for each resample.
    with np.errstate(all="ignore"):
        said, probability = found.predicted, found.probability
    plain = Predictions(found.task, found.truth, said, probability, found.classes, found.positive, found.weight)
    return Judged(model, rows, plain)


def check_same_rows(a: Judged, b: Judged, part: str) -> None:
    """Raise SpecError or DataError with what makes the two incomparable, row by row."""
    ours, theirs = a.model.target, b.model.target
    if (ours.names, ours.task, ours.classes) != (theirs.names, theirs.task, theirs.classes):
        raise SpecError("the runs do not predict the same target")
    if a.model.data_sha256[part] != b.model.data_sha256[part]:
        raise DataError(f"the {part} rows of the runs come from different files")
    if not np.array_equal(a.rows, b.rows):
        cure = "the same `data.split` with the same `data.split.seed` makes them the same"
        raise DataError(f"the runs have different {part} rows; {cure}")
    x, y = a.predictions, b.predictions
    w, v = x.weight, y.weight
    same_weights = w is v if w is None or v is None else np.array_equal(w, v)
    if not same_weights or not np.array_equal(x.truth, y.truth):
        raise DataError(f"the {part} rows of the runs do not have the same weights and true values")


def metric_for(name: str, model: Model) -> Metric:
    """The metric of that name, as the run has it. Raises: SpecError if it does not fit, or is the loss."""
    chosen = model.experiment.metrics
    own = [each for each in chosen if each.name == name] if not isinstance(chosen, str) else []
    if own:
        return own[0]
    fitting = Fitting(model.target.task, probabilities=model.target.probabilities)
    if name not in fitting:
        raise SpecError(f"`{name}` is no metric that both runs can be judged by, row by row")
    return fitting[name]()


def interval(a: Judged, b: Judged, name: str) -> tuple[float, float, Interval]:
    """A metric of both, and the interval of its difference. Raises: SpecError if both cannot be judged by it."""
    metric_for(name, b.model)
    metric = metric_for(name, a.model)
    with np.errstate(all="ignore"):
        found = paired_bootstrap(a.predictions, b.predictions, metric)
        return metric.compute(a.predictions), metric.compute(b.predictions), found


def disagreement(a: Judged, b: Judged) -> McNemar | None:
    """McNemar's test of two classifiers; rows of weight 0 do not count, the others count once."""
    if not a.model.target.classifies:
        return None
    weight = a.predictions.weight
    counting = np.ones(len(a.rows), np.bool_) if weight is None else weight > 0
    right = [(each.predictions.truth == each.predictions.predicted)[counting] for each in (a, b)]
    return mcnemar(*right)
