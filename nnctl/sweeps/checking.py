"""Every trial checked before one is trained: its config read, its data prepared, its network built."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nnctl.data.cache import Cache
from nnctl.errors import MAX_PROBLEMS, DataError, NnctlError, Place, Problem, SpecError
from nnctl.metrics import Metric
from nnctl.preparing.keys import files_of
from nnctl.preparing.preparation import Prepared, prepare, resolved
from nnctl.preparing.remembering import Memory
from nnctl.running.folding import has_folds
from nnctl.running.once import fingerprint
from nnctl.running.stacking import check_same
from nnctl.spec.document import Source, load
from nnctl.spec.files import STDIN
from nnctl.spec.problems import listed, shown, suggest
from nnctl.spec.reading import Spec, read_experiment, written
from nnctl.spec.schema import Data, Experiment
from nnctl.sweeps.trial import Goal, Trial


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A trial that can be trained."""

    trial: Trial
    experiment: Experiment  # as it is written; the paths of the data are absolute
    overrides: Mapping[str, Any]  # as run.json has them
    prepared: Prepared

    @property
    def epochs(self) -> int:
        """At most to be trained."""
        return self.prepared.job.epochs

    def spec(self) -> dict[str, Any]:
        """The experiment as plain values, for the worker that trains it."""
        return written(self.experiment)

    def fingerprint(self) -> str:
        """The same for two trials that learn the same."""
        return fingerprint(resolved(self.prepared), self.prepared, None)


class Checker:
    """Checks the trials of one config as it was read; what they have in common is prepared once."""

    def __init__(self, config: Source, name: str, cache: Cache) -> None:
        self._config, self._name, self._cache = config, name, cache
        self._memory = Memory()
        self._data: dict[tuple[Path, ...], str] = {}  # the SHA-256 of what the files held at first

    def check(self, trials: Sequence[Trial], metric: str | None = None) -> list[Checked]:
        """All of them. Raises: NnctlError with the problems of all, each said once with the trials that have it."""
        found, problems = [], Gathered(len(trials))
        for trial in trials:
            try:
                checked = self._one(trial)
                _check_metric(checked.prepared, metric)
            except (SpecError, DataError) as error:
                problems.take(trial, error.placed(self._place))
            else:
                found.append(checked)
        problems.raise_if_any()
        return found

    def _place(self, key: str) -> Place | None:
        """Where the config itself has a key."""
        return load(self._config).place(key)

    def _one(self, trial: Trial) -> Checked:
        spec = read_experiment(self._config, trial.overrides)
        experiment = replace(spec.experiment, name=self._name, data=_absolute(spec))
        if has_folds(experiment):
            message = "a sweep trains each trial once: leave the folds out, or train them with `nnctl train --folds`"
            raise SpecError(Problem(message, "data.split.folds", spec.place("data.split.folds")))
        try:
            prepared = prepare(experiment, cache=self._cache, memory=self._memory)
        except NnctlError as error:
            raise error.placed(spec.place) from None
        sha256 = prepared.fitted.data_sha256
        check_same(sha256, self._data.setdefault(tuple(files_of(experiment.data).values()), sha256))
        return Checked(trial, experiment, spec.document.overrides, prepared)


class Gathered:
    """The problems of all trials; one that several have is told once."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._found: dict[tuple[str, str, Place | None], list[Trial]] = {}
        self._spec = False

    def take(self, trial: Trial, error: NnctlError) -> None:
        """Note what is wrong with a trial."""
        self._spec |= isinstance(error, SpecError)
        for problem in error.problems:
            self._found.setdefault((problem.message, problem.key, problem.place), []).append(trial)

    def raise_if_any(self) -> None:
        """Raise what was found: as SpecError, if anything is wrong with a config itself."""
        if not self._found:
            return
        kind = SpecError if self._spec else DataError
        raise kind(
            Problem(message + self._whose(trials), key, place)
            for (message, key, place), trials in [*self._found.items()][:MAX_PROBLEMS]
        )

    def _whose(self, trials: Sequence[Trial]) -> str:
        """The first trial that has a problem, and how many more, unless all do."""
        if len(trials) == self._total:
            return ""
        first, others = trials[0], len(trials) - 1
        more = f", and {others} more" if others else ""
        return f" (trial {first.number}: {setting(first)}{more})"


def setting(trial: Trial) -> str:
    """What a trial tries, as a message shows it."""
    return " ".join(f"{key}={value}" for key, value in trial.params.items()) or "the config as it is"


def metric_of(checked: Sequence[Checked], name: str | None, goal: Goal | None) -> tuple[str, Goal]:
    """The metric that decides and its better direction: where none is named, what the config watches."""
    job = checked[0].prepared.job
    name = name or job.monitor or ("train_loss" if job.val is None else "val_loss")
    if goal is None:
        better = next((each.better for each in job.metrics if each.name == name.partition("_")[2]), "lower")
        goal = "minimize" if better == "lower" else "maximize"
    return name, goal


def _check_metric(prepared: Prepared, metric: str | None) -> None:
    """Raise SpecError if there will be no such metric."""
    metrics: Iterable[Metric] = prepared.job.metrics
    known = [f"{part}_{name}" for part in prepared.examples for name in ("loss", *(each.name for each in metrics))]
    if metric is None or metric in known:
        return
    meant = suggest(metric, known)
    instead = f"did you mean {shown(meant)}?" if meant else f"there are {listed(known)}; more are named in `metrics`"
    raise SpecError(Problem(f"unknown metric {shown(metric)}, {instead}", "sweep.metric.name"))


def _absolute(spec: Spec) -> Data:
    """The section, its files named so that a worker in another folder finds them, and finds them prepared."""
    data = spec.experiment.data
    changed = {}
    for name in ("path", "val_path", "test_path"):
        path = getattr(data, name)
        if path is None:
            continue
        if path == STDIN or (os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)):
            key = f"data.{name}"
            message = f"every trial reads its data, and {shown(path)} can be read only once: save it to a file"
            raise SpecError(Problem(message, key, spec.place(key)))
        changed[name] = os.path.abspath(path)
    return replace(data, **changed)
