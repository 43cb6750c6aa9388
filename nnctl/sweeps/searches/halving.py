"""Successive halving: all settings begin, and again and again the better ones go on, for more epochs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nnctl.errors import Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.sweep import EarlyTerminate
from nnctl.sweeps.search import NONE
from nnctl.sweeps.searches.scores import has_ended, mean_score
from nnctl.sweeps.space.space import Setting, Space
from nnctl.sweeps.trial import Goal, Order, Outcome, Trial

EPOCHS = "train.epochs"
LEFT = "not among the best"  # how the reason begins why a setting is not trained any further
SAME = ("epochs", "eval_every", "max_time")  # of `train`: trials are compared after equal epochs


class Halving:
    """All settings are trained to the first rung, one in ``eta`` of them to the next one, the last ones to the end.

    A setting counts by the mean over its seeds, of two that are equal the earlier one is the better. Which settings
    go on follows from where they stand: a trial counts by the best value that it had up to the rung, which stays what
    it was when the trial goes on or ends, and whoever is past a rung has been let through there.
    Source: Jamieson and Talwalkar 2016, algorithm 1; all decisions of a rung are made at once, as there.
    """

    def __init__(self, space: Space, settings: Iterable[Setting], rungs: Sequence[int], eta: int, goal: Goal) -> None:
        self._settings = [space.trials(place, setting) for place, setting in enumerate(settings)]
        self._rungs, self._eta, self._goal = rungs, eta, goal

    def orders(self, outcomes: Mapping[int, Outcome], begun: Mapping[int, Trial] = NONE) -> list[Order]:
        """What can be trained, and what is to be left, by where all trials stand."""
        orders: list[Order] = []
        alive = self._settings
        for rung in self._rungs:
            below = [
                trial for trials in alive for trial in trials if not _has_reached(outcomes.get(trial.number), rung)
            ]
            if below:
                return orders + [Order(trial, until=rung) for trial in below]
            chosen = self._chosen(alive, rung, outcomes)
            going_on = {trials[0].number for trials in chosen}
            reason = f"{LEFT} {len(chosen)} of {len(alive)} settings after {_epochs(rung)}"
            orders += [
                Order(trial, drop=reason)
                for trials in alive
                if trials[0].number not in going_on
                for trial in trials
                if not has_ended(outcomes.get(trial.number))
            ]
            alive = chosen
        left = [trial for trials in alive for trial in trials if not has_ended(outcomes.get(trial.number))]
        return orders + [Order(trial) for trial in left]

    @property
    def total(self) -> int:
        """How many trials there are."""
        return sum(map(len, self._settings))

    def _chosen(self, alive: Sequence[list[Trial]], rung: int, outcomes: Mapping[int, Outcome]) -> list[list[Trial]]:
        """The settings that go on beyond a rung, in their order."""
        keep = max(len(alive) // self._eta, 1)

        def rank(trials: list[Trial]) -> tuple[bool, float, int]:
            through = any(outcomes[trial.number].epochs > rung for trial in trials)
            values = [outcomes[trial.number].at(rung) for trial in trials]
            return not through, mean_score(values, self._goal), trials[0].number

        best = sorted(alive, key=rank)[:keep]
        return sorted(best, key=lambda trials: trials[0].number)


def rungs(epochs: int, count: int, early: EarlyTerminate, eval_every: int) -> list[int]:
    """The epochs after which is decided, each an epoch that is evaluated.

    Without ``min_iter`` and ``s`` there are as many as leave one of the settings for the last epochs, and no more
    than leave an epoch for the first: the bracket s_max of Li et al. 2018 (Hyperband), R / eta^s epochs first.
    Raises: SpecError if no such epoch is before the last one.
    """
    eta = early.eta
    if early.min_iter is not None:
        wanted = [early.min_iter * eta**power for power in range(64)]
    else:
        number = early.s or max(min(_log(count, eta), _log(epochs, eta)), 1)
        wanted = [round(epochs / eta**power) for power in range(number, 0, -1)]
    evaluated = [-(-max(epoch, 1) // eval_every) * eval_every for epoch in wanted]
    found = sorted({epoch for epoch in evaluated if epoch < epochs})
    if not found:
        key, place = ("sweep.early_terminate.min_iter", None) if early.min_iter else (EPOCHS, COMMAND_LINE)
        message = (
            f"halving decides after {_epochs(evaluated[0])} at the earliest, and {_epochs(epochs)} are all there are: "
            "train longer, evaluate more often, or search with another method"
        )
        raise SpecError(Problem(message, key, place))
    return found


def _log(number: int, base: int) -> int:
    """The whole part of a logarithm."""
    power = 0
    while base ** (power + 1) <= number:
        power += 1
    return power


def _has_reached(outcome: Outcome | None, rung: int) -> bool:
    return outcome is not None and (has_ended(outcome) or outcome.epochs >= rung)


def _epochs(number: int) -> str:
    return f"{number} epoch{'' if number == 1 else 's'}"
