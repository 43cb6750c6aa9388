"""What is watched while a network learns: the metrics, and the values that decide about stopping and the best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from nnctl.errors import Problem, SpecError
from nnctl.losses import Loss
from nnctl.metrics import AUTO, Metric
from nnctl.metrics.fitting import Fitting
from nnctl.schedules import Schedule
from nnctl.spec.problems import listed, shown, suggest, unknown
from nnctl.spec.schema import Experiment
from nnctl.spec.synonyms import SYNONYMS

Better = Literal["lower", "higher"]

PARTS = ("val", "train")  # whose values can be monitored


class Watched(NamedTuple):
    """The values that decide something, their better directions, and the metrics to compute."""

    monitor: str | None  # the one that makes an epoch the best
    better: Better
    schedule: Schedule  # it knows what it watches
    schedule_better: Better
    metrics: tuple[Metric, ...]


def watch(experiment: Experiment, loss: Loss, task: str, *, has_val: bool) -> Watched:
    """What an experiment watches. Raises SpecError with what its metrics and monitors cannot be."""
    fitting = Fitting(task, probabilities=loss.probabilities)
    if isinstance(experiment.metrics, str):
        metrics = [fitting[name]() for name in AUTO[task] if name in fitting]
    else:
        metrics = list(experiment.metrics)
    problems = _unfit(metrics, fitting, task, loss)
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
    if part not in PARTS or (name != "loss" and name not in fitting):
        known = ["loss", *fitting]
        meant = suggest(name, known, SYNONYMS) if part in PARTS else None
        message = unknown("value to monitor", monitor, [f"{part}_{name}" for part in PARTS for name in known], SYNONYMS)
        if meant is not None:
            message = f"unknown value to monitor {shown(monitor)}, did you mean `{part}_{meant}`?"
        problems.append(Problem(message, key))
    elif part == "val" and not has_val:
        problems.append(Problem(f"`{monitor}` needs validation rows and there are none: monitor `train_{name}`", key))
    elif name != "loss":
        if name not in [metric.name for metric in metrics]:
            metrics.append(fitting[name]())
        return fitting[name].better
    return "lower"


def _unfit(metrics: list[Metric], fitting: Mapping[str, type[Metric]], task: str, loss: Loss) -> list[Problem]:
    """What is wrong with the list of metrics: one that does not fit the task or the loss, or stands in it twice."""
    problems = []
    names = [metric.name for metric in metrics]
    for place, metric in enumerate(metrics):
        name = metric.name
        if name not in fitting:
            fault = f"does not fit a {task} target"
            if task in metric.tasks:
                fault = f"needs probabilities, which {loss.name} does not give"
            message = f"{name} {fault}, allowed: {listed(fitting)}"
            problems.append(Problem(message, f"metrics[{place}]"))
        elif name in names[:place]:
            message = (
                f"{name} stands at metrics[{names.index(name)}] already, and a metric is known by its name: keep one"
            )
            problems.append(Problem(message, f"metrics[{place}]"))
    return problems
