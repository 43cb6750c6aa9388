"""What runs are ranked by: the name of a metric as the user wrote it, and which of its directions is the better one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from nnctl.errors import Problem, SpecError
from nnctl.runs.listing import Summary, age
from nnctl.spec.problems import instead, shown, suggest
from nnctl.spec.synonyms import SYNONYMS

Better = Literal["lower", "higher"]

PARTS = ("val", "train", "test")
LOSS = "loss"


def metric_of(summaries: Sequence[Summary], asked: str | None) -> str:
    """The metric that is meant: ``val_roc_auc`` as it is written; ``roc_auc`` is the same; None is the loss.

    Where no run has validation rows, a name without a part is that of the training rows.
    Raises: SpecError if no run has it.
    """
    known = dict.fromkeys(name for each in summaries for name in each.metrics)
    part, _, name = (asked or LOSS).partition("_")
    if part not in PARTS or not name:
        has_val = any(each.startswith("val_") for each in known) or not known
        part, name = "val" if has_val else "train", asked or LOSS
    found = f"{part}_{name}"
    if found in known:
        return found
    # By the end of the name first: what is misspelt is seldom the part.
    meant = suggest(name, [each.removeprefix(f"{part}_") for each in known if each.startswith(f"{part}_")], SYNONYMS)
    ending = f"did you mean `{part}_{meant}`?" if meant is not None else instead(found, known, SYNONYMS)
    raise SpecError(Problem(f"no run has {shown(found)}, {ending}", key="--metric"))


def better_of(metric: str) -> Better:
    """The better direction of a metric such as ``val_roc_auc``, which is that of its class.

    Raises: SpecError if there is no such metric (any longer), as of a plug-in that is not installed here.
    """
    name = metric.partition("_")[2]
    if name == LOSS:
        return "lower"
    from nnctl.component import registry  # NumPy comes with it
    from nnctl.metrics import Metric

    known = registry.all("metrics", Metric)
    if name not in known:
        message = f"nobody here knows whether a high {shown(metric)} is good or bad: no metric has the name `{name}`"
        raise SpecError(Problem(f"{message}; if it comes from a plug-in, install that", key="--metric"))
    return known[name].better


def best_of(summaries: Iterable[Summary], metric: str, better: Better) -> Summary | None:
    """The run with the best finite value, the earliest on ties; None if none has a value."""
    having = sorted(with_value(summaries, metric), key=age)
    sign = 1 if better == "lower" else -1
    return min(having, key=lambda each: sign * (each.metrics[metric] or 0), default=None)  # the first of equals


def with_value(summaries: Iterable[Summary], metric: str) -> list[Summary]:
    """The runs that have a finite value of a metric."""
    return [each for each in summaries if math.isfinite(nan_if_none(each.metrics.get(metric)))]


def nan_if_none(value: float | None) -> float:
    return math.nan if value is None else value
