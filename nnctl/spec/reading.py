"""Reading an experiment: a YAML file and overrides in, a validated experiment out, all problems at once."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence as AnySequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.component import options, plain
from nnctl.errors import Place, Problem, SpecError
from nnctl.spec.binding import INVALID, Binder
from nnctl.spec.document import Document, Source, load
from nnctl.spec.nodes import Mapping
from nnctl.spec.problems import Problems, shown
from nnctl.spec.roles import data_problems
from nnctl.spec.schema import Experiment

SHORTHAND = ("hidden", "activation", "norm", "dropout", "residual")


@dataclass(frozen=True, slots=True)
class Spec:
    """An experiment, and the document that it was read from."""

    experiment: Experiment
    document: Document

    @property
    def name(self) -> str:
        """The name of its runs: the key ``name``, else the stem of the file."""
        return self.experiment.name or self.document.path.stem

    def place(self, key: str) -> Place | None:
        """Where a key, or the nearest one above it, is written."""
        return self.document.place(key)


def read_experiment(path: str | Path | Source, overrides: AnySequence[str] | AnyMapping[str, Any] | None = ()) -> Spec:
    """Read and validate a config. Raises SpecError with every problem, placed."""
    document = load(path, overrides)
    try:
        return Spec(bind(document.root), document)
    except SpecError as error:
        raise error.placed(document.place) from None


def bind(root: Mapping) -> Experiment:
    """The experiment that the nodes describe. Raises SpecError with every problem, with its place or its key."""
    problems = Problems()
    experiment = Binder(problems).section(Experiment, root, ())
    _check_model(root, problems)
    if isinstance(experiment, Experiment):
        problems.take(data_problems(experiment.data))
        problems.take(_optimizer_problems(experiment))
        problems.take(_checkpoint_problems(experiment))
    problems.raise_if_any()
    assert experiment is not INVALID
    assert isinstance(experiment, Experiment)
    return experiment


def written(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain values that read back as the same one.

    What a list of layers excludes is left out, and what a column has no exception for; and the section ``sweep``, as
    no run depends on it.
    """
    values: dict[str, Any] = plain(experiment) | {"sweep": None}
    values["data"]["columns"] = {
        name: {key: value for key, value in exceptions.items() if value is not None}
        for name, exceptions in values["data"]["columns"].items()
    }
    if experiment.model.layers is not None:
        values["model"] = {key: value for key, value in values["model"].items() if key not in SHORTHAND}
    else:
        del values["model"]["layers"]
    return values


def _optimizer_problems(experiment: Experiment) -> Iterator[Problem]:
    """What the optimizer cannot do, or does not go together with."""
    optimizer = experiment.optimizer
    for key in optimizer.excludes:
        section, option = key.split(".")
        own = getattr(experiment, section)
        if getattr(own, option) != options(type(own))[option].default:
            yield Problem(f"{optimizer.name} {optimizer.reason}: leave this out", key)
    if not optimizer.scheduled and experiment.schedule.name != "constant":
        message = (
            f"{optimizer.name} {optimizer.reason} in place of a schedule: write `constant`, with a `warmup` if any"
        )
        yield Problem(message, "schedule.type")
    if optimizer.accumulate > 1 and experiment.train.batch_size == "full" and not optimizer.evaluates:
        message = "an epoch of `train.batch_size: full` is one batch, and there is no other to wait for: leave this out"
        yield Problem(message, "optimizer.accumulate")
    if optimizer.evaluates and experiment.train.batch_size != "full":
        yield Problem(f"{optimizer.name} takes each step on all rows: write `train.batch_size: full`", "optimizer.type")


def _checkpoint_problems(experiment: Experiment) -> Iterator[Problem]:
    try:
        _ = experiment.checkpoint.pause
    except ValueError as error:
        message = (
            f"must be `auto`, or a number of epochs or steps such as `5 epochs` or `200 steps`, got {shown(str(error))}"
        )
        yield Problem(message, "checkpoint.every")


def _check_model(root: Mapping, problems: Problems) -> None:
    model = root.items.get("model")
    if not isinstance(model, Mapping) or "layers" not in model.items:
        return
    for key in SHORTHAND:
        if key in model.items:
            message = "cannot stand beside `layers`: write it into the list, or leave out `layers`"
            problems.add(f"model.{key}", message, model.keys[key])
