"""The searches on functions that cost nothing: what they find, and that the same outcomes give the same orders."""

from __future__ import annotations

import math
import random
import statistics
import sys
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.spec.sweep import EarlyTerminate
from nnctl.sweeps.request import read_request
from nnctl.sweeps.search import Search
from nnctl.sweeps.searches.halving import rungs
from nnctl.sweeps.searches.sobol import BITS, points
from nnctl.sweeps.trial import Outcome, Trial

EPOCHS = 81
CUBE = ("optimizer.lr=log(1e-5,1)", "model.dropout=uniform(0,0.9)", "train.batch_size=int(1,256)")


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("it.yaml").write_text("data: {path: t.csv, target: y}\n")


def search(*words: str, seed: int = 0, epochs: int = EPOCHS, goal: Any = "minimize", **options: Any) -> Search:
    return read_request("it.yaml", words, **options).search(epochs, seed, goal)


class Curves:
    """Training that costs nothing: a curve that falls to the value of a trial, and bookkeeping as a coordinator's."""

    def __init__(self, value: Any, seed: int = 0) -> None:
        self.value, self.random = value, random.Random(seed)
        self.outcomes: dict[int, Outcome] = {}
        self.trials: dict[int, Trial] = {}
        self.lost: dict[int, int] = {}  # epochs of trials whose outcome is not known any more

    def at(self, trial: Trial, epochs: int) -> float:
        return self.value(trial.params) + math.exp(-epochs / 10)

    def run(self, search: Search, *, steps: int | None = None) -> None:
        """Carry out orders one by one, in a random order, asking anew after each."""
        while steps is None or steps > 0:
            steps = None if steps is None else steps - 1
            left = [order for order in search.orders(self.outcomes) if self._is_open(order)]
            if not left:
                return
            order = self.random.choice(left)
            number, was = order.trial.number, self.outcomes.get(order.trial.number)
            self.trials[number] = order.trial
            epochs = was.epochs if was and order.drop else (order.until or EPOCHS)
            epochs = max(epochs, self.lost.pop(number, 0))
            status: Any = "early_stopped" if order.drop else "waiting" if order.until else "completed"
            value = self.at(order.trial, epochs)
            curve = tuple((at, self.at(order.trial, at)) for at in range(1, epochs + 1))
            self.outcomes[number] = Outcome("diverged" if math.isnan(value) else status, value, epochs, curve)

    def _is_open(self, order: Any) -> bool:
        was = self.outcomes.get(order.trial.number)
        waits = was is not None and was.status == "waiting"
        return was is None or (waits and (order.drop or order.until is None or was.epochs < order.until))

    @property
    def best(self) -> Trial:
        ended = [number for number, outcome in self.outcomes.items() if outcome.status == "completed"]
        return self.trials[min(ended, key=lambda number: (self.outcomes[number].value, number))]


# --- Sobol ---


def test_the_points_are_those_of_joe_and_kuo() -> None:
    first = [[x / 2.0**BITS for x in point] for point in islice(points(5), 6)]
    assert first == [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [0.5, 0.5, 0.5, 0.5, 0.5],
        [0.75, 0.25, 0.25, 0.25, 0.75],
        [0.25, 0.75, 0.75, 0.75, 0.25],
        [0.375, 0.375, 0.625, 0.875, 0.375],
        [0.875, 0.875, 0.125, 0.375, 0.875],
    ]


def test_the_points_are_those_of_scipy() -> None:
    qmc = pytest.importorskip("scipy.stats.qmc")
    expected = qmc.Sobol(64, scramble=False, bits=BITS).random(256)
    assert [[x / 2.0**BITS for x in point] for point in islice(points(64), 256)] == expected.tolist()


def test_every_cell_of_a_fine_grid_gets_one_point() -> None:
    """The first 64 points are a net: each of 8 x 8 cells has one, also after the shift."""
    found = search(
        "model.dropout=uniform(0,0.8)", "regularization.l2=uniform(0,0.8)", method="sobol", trials=64, seed=3
    )
    cells = [tuple(int(value * 10) for value in order.trial.params.values()) for order in found.orders({})]
    assert sorted(cells) == sorted(product(range(8), repeat=2))


def test_another_seed_shifts_the_points() -> None:
    drawn = {
        tuple(order.trial.overrides for order in search(*CUBE, method="sobol", trials=4, seed=seed).orders({}))
        for seed in range(3)
    }
    assert len(drawn) == 3


def test_more_keys_than_direction_numbers_are_refused() -> None:
    words = [f'data.columns["{at}"].indicator=true,false' for at in range(65)]
    with pytest.raises(SpecError, match="sobol takes at most 64 keys, these are 65"):
        search(*words, method="sobol", trials=2)


# --- halving ---

SETTINGS = ("optimizer.lr=" + ",".join(f"{(at * 7) % 27 + 1}e-3" for at in range(27)),)


def by_lr(params: Any) -> float:
    return float(params["optimizer.lr"])


def test_halving_keeps_the_best_at_a_fraction_of_the_epochs() -> None:
    curves = Curves(by_lr)
    curves.run(search(*SETTINGS, method="halving"))
    assert curves.best.params == {"optimizer.lr": 0.001}
    ends = sorted(outcome.epochs for outcome in curves.outcomes.values())
    assert ends == [3] * 18 + [9] * 6 + [27] * 2 + [81]
    assert sum(ends) <= 0.4 * 27 * EPOCHS
    assert sorted(each.status for each in curves.outcomes.values()).count("early_stopped") == 26


@given(st.integers(0, 10_000), st.integers(0, 60))
def test_a_halving_that_begins_anew_goes_on_as_if_it_had_not(seed: int, steps: int) -> None:
    """After any number of steps, in any order, a new search decides as the old one.

    Nothing is known of a trial that was killed between two rungs; asked for, it comes back as far as it had come.
    """
    curves = Curves(by_lr, seed)
    curves.run(search(*SETTINGS, method="halving"), steps=steps)
    waiting = [number for number, each in curves.outcomes.items() if each.status == "waiting"]
    for number in waiting[: seed % 4]:
        curves.lost[number] = curves.outcomes.pop(number).epochs
    curves.run(search(*SETTINGS, method="halving"))
    assert sorted(outcome.epochs for outcome in curves.outcomes.values()) == [3] * 18 + [9] * 6 + [27] * 2 + [81]
    assert curves.best.params == {"optimizer.lr": 0.001}


def test_a_trial_between_two_rungs_has_been_let_through() -> None:
    halving = search(*SETTINGS, method="halving")
    numbers = {order.trial.params["optimizer.lr"]: order.trial.number for order in halving.orders({})}
    outcomes = {number: Outcome("waiting", lr, 3, ((3, lr),)) for lr, number in numbers.items()}
    outcomes[numbers[0.009]] = Outcome("waiting", 1.0, 5, ((5, 1.0),))  # went on, and what it was at 3 has been lost
    going_on = [order for order in halving.orders(outcomes) if not order.drop]
    assert sorted(order.trial.params["optimizer.lr"] for order in going_on) == [at / 1000 for at in range(1, 10)]
    assert {order.until for order in going_on} == {9}


def test_seeds_of_a_setting_go_on_together_and_one_that_diverges_makes_it_the_worst() -> None:
    def value(params: Any) -> float:
        if params["optimizer.lr"] == 0.001 and params["seed"] == 1:
            return math.nan
        lucky = params["optimizer.lr"] == 0.027 and params["seed"] == 0
        return -0.01 if lucky else by_lr(params)  # the best of all trials, but not on the mean

    curves = Curves(value)
    curves.run(search(*SETTINGS, method="halving", seeds=3))
    done = [curves.trials[number].params for number, each in curves.outcomes.items() if each.status == "completed"]
    assert [params["optimizer.lr"] for params in done] == [0.002] * 3
    assert sorted(params["seed"] for params in done) == [0, 1, 2]


@pytest.mark.parametrize(
    ("epochs", "count", "early", "eval_every", "expected"),
    [
        (81, 27, {}, 1, [3, 9, 27]),
        (81, 1000, {}, 1, [1, 3, 9, 27]),
        (100, 2, {}, 1, [33]),
        (100, 20, {}, 1, [11, 33]),
        (100, 20, {}, 10, [20, 40]),
        (100, 20, {"eta": 2}, 1, [6, 12, 25, 50]),
        (100, 20, {"min_iter": 5, "eta": 4}, 1, [5, 20, 80]),
        (27, 20, {"s": 2}, 1, [3, 9]),
        (27, 20, {"min_iter": 27}, 1, None),
        (1, 20, {}, 1, None),
        (27, 20, {}, 27, None),
    ],
)
def test_decisions_fall_at_epochs_that_are_evaluated(
    epochs: int, count: int, early: dict[str, int], eval_every: int, expected: list[int] | None
) -> None:
    if expected is None:
        with pytest.raises(SpecError, match="halving decides after"):
            rungs(epochs, count, EarlyTerminate(**early), eval_every)
    else:
        assert rungs(epochs, count, EarlyTerminate(**early), eval_every) == expected


@pytest.mark.parametrize("word", ["train.epochs=5,10", "train.eval_every=1,5", "train.max_time=1,2"])
def test_halving_compares_after_equal_epochs(word: str) -> None:
    with pytest.raises(SpecError, match=rf"{word.partition('=')[0]}: halving itself decides how long"):
        search(word, "optimizer.lr=1,2", method="halving")


def test_a_trial_counts_at_a_rung_by_what_it_was_there() -> None:
    """Nothing that comes later, not even its end, changes what was decided."""
    halving = search(*SETTINGS, method="halving")
    trials = [order.trial for order in halving.orders({})]
    outcomes = {each.number: Outcome("waiting", by_lr(each.params), 3, ((3, by_lr(each.params)),)) for each in trials}
    dropped = [order.trial for order in halving.orders(outcomes) if order.drop]
    assert len(dropped) == 18
    for trial in dropped[:9]:  # the value of the result is better than any so far
        outcomes[trial.number] = Outcome("early_stopped", -1.0, 3, outcomes[trial.number].curve)
    again = halving.orders(outcomes)
    assert [order.trial for order in again if order.drop] == dropped[9:]
    assert len([order for order in again if not order.drop]) == 9


# --- TPE ---

# Hartmann's function of three variables (Dixon and Szego 1978); its least value is -3.86278.
WEIGHTS = (1.0, 1.2, 3.0, 3.2)
WIDTHS = ((3, 10, 30), (0.1, 10, 35), (3, 10, 30), (0.1, 10, 35))
PLACES = ((0.3689, 0.1170, 0.2673), (0.4699, 0.4387, 0.7470), (0.1091, 0.8732, 0.5547), (0.0381, 0.5743, 0.8828))


def hartmann(params: Any) -> float:
    lr, dropout, batch = params.values()
    x = (math.log(lr / 1e-5) / math.log(1e5), dropout / 0.9, (batch - 1) / 255)
    bumps = (
        weight * math.exp(-sum(width * (at - place) ** 2 for width, at, place in zip(widths, x, places, strict=True)))
        for weight, widths, places in zip(WEIGHTS, WIDTHS, PLACES, strict=True)
    )
    return -sum(bumps)


def least(method: str, seed: int, trials: int = 64) -> float:
    curves = Curves(hartmann)
    found = search(*CUBE, method=method, trials=trials, seed=seed)
    curves.run(found)
    assert len(curves.outcomes) == found.total == trials
    return min(hartmann(trial.params) for trial in curves.trials.values())


def test_tpe_finds_better_than_random_search_in_as_many_trials() -> None:
    pytest.importorskip("optuna")
    medians = {method: statistics.median(least(method, seed) for seed in range(8)) for method in ("tpe", "random")}
    print(f"median best of 8 repeats, 64 trials of Hartmann's function: {medians}")
    assert medians["tpe"] < medians["random"] - 0.05


def test_tpe_asks_by_the_outcomes_alone() -> None:
    pytest.importorskip("optuna")
    words = (*CUBE, "optimizer=adam,sgd", "model.norm=none,batch,layer")
    curves = Curves(lambda params: math.nan if params["optimizer"] == "sgd" else params["optimizer.lr"])
    tpe = search(*words, method="tpe", trials=28, seeds=2, goal="maximize")
    curves.run(tpe, steps=37)
    asked = tpe.orders(curves.outcomes)
    assert asked == search(*words, method="tpe", trials=28, seeds=2, goal="maximize").orders(curves.outcomes)
    assert {order.trial.number for order in asked}.isdisjoint(curves.outcomes)
    curves.run(tpe)
    assert sorted(curves.outcomes) == list(range(1, 57))
    assert len({trial.overrides for trial in curves.trials.values()}) == 56
    late = [curves.trials[number].params["optimizer"] for number in range(33, 57)]
    assert late.count("adam") > late.count("sgd")


def test_tpe_tries_no_setting_twice() -> None:
    pytest.importorskip("optuna")
    curves = Curves(lambda params: float(params["train.epochs"]))
    curves.run(search("train.epochs=int(1,5)", "model.hidden=[1],[2],[3],[4]", method="tpe", trials=20))
    assert len({trial.overrides for trial in curves.trials.values()}) == 20


def test_tpe_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SpecError, match=r"pip install 'nnctl\[hpo\]'"):
        search(*CUBE, method="tpe")
