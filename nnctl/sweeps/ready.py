"""What a sweep is going to do, known and checked before anything is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nnctl.arguments import check_overrides
from nnctl.errors import SpecError
from nnctl.running.beginning import cache_of
from nnctl.running.naming import check_name, run_name
from nnctl.runs.find import runs_folder
from nnctl.spec.document import Source, source_of
from nnctl.spec.reading import Spec, read_experiment
from nnctl.sweeps.checking import Checked, Checker, metric_of
from nnctl.sweeps.comparable import doubts
from nnctl.sweeps.deciding import check_criterion
from nnctl.sweeps.request import Request, read_request
from nnctl.sweeps.search import Search
from nnctl.sweeps.trial import Criterion, Goal, Trial

Words = Sequence[str] | Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A sweep that has no folder yet: everything read and checked."""

    config: Path
    content: bytes  # of the config
    request: Request
    runs: Path
    name: str
    checker: Checker
    checked: tuple[Checked, ...]  # the trials that are known from the start
    criterion: Criterion
    search: Search

    @property
    def metric(self) -> str:
        """What decides which trial is the best."""
        return self.criterion.metric

    @property
    def goal(self) -> Goal:
        """Its better direction."""
        return self.criterion.goal

    @property
    def trials(self) -> list[Trial]:
        """The trials that are known from the start."""
        return [each.trial for each in self.checked]

    @property
    def doubts(self) -> list[str]:
        """Why the metric that decides may not be comparable among the trials."""
        return doubts(self.checked, self.metric, self.request.params, self.search.total)

    @property
    def fingerprint(self) -> str:
        """The same for two sweeps that try the same: resolved configs, bytes of the data, what was asked for."""
        depends = {
            "request": self.request.as_json(),
            "metric": [self.metric, self.goal],
            "trials": [[each.trial.number, each.fingerprint()] for each in self.checked],
        }
        return hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()


def made_ready(
    config: str | Path,
    words: Words = (),
    *,
    method: str | None = None,
    trials: int | None = None,
    seeds: int | None = None,
    name: str | None = None,
    runs_dir: str | Path | None = None,
    from_command_line: bool = False,
) -> Ready:
    """Read what is asked for, and check every trial that is known from the start.

    Raises: NnctlError with the problems of all of them.
    """
    if name is not None:
        check_name(name, from_command_line=from_command_line)
    tried, source = in_words(words), source_of(config)
    request = read_request(source, tried, method=method, trials=trials, seeds=seeds)
    base = _base(source, request)
    usual = partial(request.search, base.experiment.train.epochs, base.experiment.seed)
    # No search knows which direction is the better one before it has seen an outcome.
    known = [order.trial for order in usual(request.goal or "minimize").orders({})]
    named = run_name(name, base)
    checker = Checker(source, named, cache_of(runs_dir))
    checked = tuple(checker.check(known, request.metric))
    metric, goal = metric_of(checked, request.metric, request.goal)
    criterion = Criterion(metric, goal, early=request.method == "halving")
    check_criterion(checked, criterion, base.place)
    runs = runs_folder(runs_dir)
    return Ready(source.path, source.content, request, runs, named, checker, checked, criterion, usual(goal))


def in_words(words: Words) -> list[str]:
    """What is tried as words of a command line; in a mapping a list is what is tried, anything else is for all."""
    if isinstance(words, str):
        return [words]
    check_overrides(words)
    if not isinstance(words, Mapping):
        return [*words]
    return [
        f"{key}={','.join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)}"
        for key, value in words.items()
    ]


def _text(value: Any) -> str:
    """A value as a word holds it: text as it is, such as a range, all else as JSON, which is YAML."""
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    return value if isinstance(value, str) else json.dumps(value)


def _base(config: Source, request: Request) -> Spec:
    """The config with what all trials have in common; where that is none, with the first that is tried."""
    try:
        return read_experiment(config, request.fixed)
    except SpecError:
        first = [row for axis in request.space.varied for row in zip(axis.keys, next(axis.samples()), strict=True)]
        return read_experiment(config, [*request.fixed, *(f"{key}={value.text}" for key, value in first)])
