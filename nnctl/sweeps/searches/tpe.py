"""TPE, the tree-structured Parzen estimator, through Optuna: where the good settings lie denser than the bad ones."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from itertools import chain
from typing import Any

from nnctl.errors import Problem, SpecError
from nnctl.spec.nodes import plain
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.sweeps.search import NONE
from nnctl.sweeps.searches.draws import bits, distinct
from nnctl.sweeps.searches.random import draws
from nnctl.sweeps.searches.scores import has_ended, score
from nnctl.sweeps.space.axes import Axis, Choices, Range
from nnctl.sweeps.space.space import Setting, Space
from nnctl.sweeps.space.values import Row
from nnctl.sweeps.trial import Goal, Order, Outcome, Trial

ROUND = 8  # settings that are asked for at once, so that they can be trained together


class Tpe:
    """Settings come in rounds, each asked for when all before it have ended; the first one is drawn at random.

    Every round has a sampler of its own, seeded by its number, which is told all that came before: the same outcomes
    give the same settings, whatever process asks. Within a round a setting that is asked for counts as a bad one for
    the next (constant liar), so that they keep apart. A setting that was tried before is replaced by a random one.
    Source: Bergstra et al. 2011; Optuna's TPESampler, multivariate.
    Raises: SpecError if Optuna is not installed.
    """

    def __init__(self, space: Space, count: int, seed: int, goal: Goal) -> None:
        self._space, self._count, self._seed, self._goal = space, count, seed, goal
        self._optuna = _optuna()
        self._known: list[tuple[list[float], list[Setting]]] = []  # for each round, the scores before it

    def orders(self, outcomes: Mapping[int, Outcome], begun: Mapping[int, Trial] = NONE) -> list[Order]:
        """The trials of the first round that has not ended.

        A round that was begun is what was tried, whatever would be asked by now: a trial that failed and was trained
        once more has changed the scores since.
        """
        settings: list[Setting] = []
        scores: list[float] = []
        while len(settings) < self._count:
            fresh = self._round(settings, scores, begun)
            trials = [self._space.trials(len(settings) + at, setting) for at, setting in enumerate(fresh)]
            left = [trial for trial in chain(*trials) if not has_ended(outcomes.get(trial.number))]
            if left:
                return [Order(trial) for trial in left]
            scores += [score(each, outcomes, self._goal) for each in trials]
            settings += fresh
        return []

    @property
    def total(self) -> int:
        """How many trials there will be."""
        return self._count * self._space.repeats

    def _round(self, settings: list[Setting], scores: list[float], begun: Mapping[int, Trial]) -> list[Setting]:
        """The settings of the next round: those that were begun, or else asked for once for the same scores."""
        number, size = len(settings) // ROUND, min(ROUND, self._count - len(settings))
        firsts = [(len(settings) + at) * self._space.repeats + 1 for at in range(size)]
        tried = [self._tried(begun[first]) for first in firsts if first in begun]
        if len(tried) == size:
            return tried
        if number < len(self._known) and self._known[number][0] == scores:
            return self._known[number][1]
        asked = self._asked(number, size, settings, scores) if number > 0 else []
        fresh = list(distinct(chain(tried, asked, draws(self._space, self._seed, "tpe", number)), size, settings))
        self._known[number:] = [([*scores], fresh)]
        return fresh

    def _asked(self, number: int, size: int, settings: list[Setting], scores: list[float]) -> list[Setting]:
        """What the sampler wants to see next."""
        optuna = self._optuna
        space = {str(at): self._distribution(axis) for at, axis in enumerate(self._space.varied)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of the options are called experimental
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=0,
                multivariate=True,
                constant_liar=True,
                seed=bits(self._seed, "tpe", number, count=32),
            )
            study = optuna.create_study(sampler=sampler)
            study.add_trials(
                optuna.trial.create_trial(params=self._numbers(setting), distributions=space, value=value)
                for setting, value in zip(settings, scores, strict=True)
            )
            return [self._setting(study.ask(space).params) for _ in range(size)]

    def _tried(self, trial: Trial) -> Setting:
        """The setting of a trial that was begun. Raises: SpecError if the space has none like it."""
        rows = [_row(axis, trial) for axis in self._space.varied]
        setting = tuple(row for row in rows if row is not None)
        place = (trial.number - 1) // self._space.repeats
        if len(setting) < len(rows) or trial.overrides not in [
            each.overrides for each in self._space.trials(place, setting)
        ]:
            message = f"trial {trial.number} in sweep.json is no setting of this sweep: begin anew with `--name`"
            raise SpecError(Problem(message, place=COMMAND_LINE))
        return setting

    def _distribution(self, axis: Axis) -> Any:
        distributions = self._optuna.distributions
        if isinstance(axis, Choices):
            return distributions.CategoricalDistribution(range(axis.size))
        if axis.distribution == "int":
            return distributions.IntDistribution(int(axis.low), int(axis.high))
        return distributions.FloatDistribution(axis.low, axis.high, log=axis.distribution == "log")

    def _numbers(self, setting: Setting) -> dict[str, Any]:
        """A setting in Optuna's words: the place in a list, the number of a range."""
        return {str(at): _number(axis, row) for at, (axis, row) in enumerate(self._axes(setting))}

    def _axes(self, setting: Setting) -> zip[tuple[Axis, Row]]:
        return zip(self._space.varied, setting, strict=True)

    def _setting(self, params: Mapping[str, Any]) -> Setting:
        return tuple(
            axis.rows[params[str(at)]] if isinstance(axis, Choices) else axis.row(params[str(at)])
            for at, axis in enumerate(self._space.varied)
        )


def _row(axis: Axis, trial: Trial) -> Row | None:
    """The row of an axis that a trial has; None if there is none."""
    if isinstance(axis, Range):
        number = trial.params.get(axis.keys[0])
        return axis.row(number) if isinstance(number, int | float) else None
    words = set(trial.overrides)
    return next((row for row in axis.rows if words.issuperset(_words(axis, row))), None)


def _words(axis: Axis, row: Row) -> list[str]:
    return [f"{key}={value.text}" for key, value in zip(axis.keys, row, strict=True)]


def _number(axis: Axis, row: Row) -> int | float:
    return axis.rows.index(row) if isinstance(axis, Choices) else plain(row[0].node)


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        message = "tpe needs Optuna, which is not installed: `pip install 'nnctl[hpo]'`, or search with another method"
        raise SpecError(Problem(message, "--method", COMMAND_LINE)) from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
