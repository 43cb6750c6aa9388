"""The settings of a sweep ranked, and those that are tied with the best."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.sweeps.leaderboard import settings_of
from nnctl.sweeps.ties import tied
from tests.sweeps.made import sweep, table, tried

SEEDS = range(5)


def rows(values):
    """Trials of settings by learning rate, with a value for each seed."""
    return [({"lr": lr, "seed": seed}, value) for lr, each in values.items() for seed, value in enumerate(each)]


def test_settings_are_ranked_by_their_mean_over_seeds():
    values = {0.1: [3.0, 1.0], 0.2: [1.5, 1.7], 0.3: [9.0, 8.0]}
    found = settings_of(table(rows(values)))
    assert [each.params for each in found] == [{"lr": 0.2}, {"lr": 0.1}, {"lr": 0.3}]
    assert [each.mean for each in found] == [1.6, 2.0, 8.5]
    assert found[1].std == pytest.approx(statistics.stdev([3, 1]))
    assert [each.params["lr"] for each in settings_of(table(rows(values), "maximize"))] == [0.3, 0.1, 0.2]


def test_a_setting_that_lacks_the_value_of_a_seed_stands_behind_whole_ones():
    found = settings_of(table(rows({0.1: [0.1, None, 0.1], 0.2: [0.5, 0.6, 0.7], 0.3: [None, None, None]})))
    assert [each.params["lr"] for each in found] == [0.2, 0.1, 0.3]
    assert [each.whole for each in found] == [True, False, False]
    assert math.isnan(found[2].mean)


def test_settings_that_look_alike_are_not_one():
    found = settings_of(table([({"scale": value}, 1.0) for value in (1, 1.0, True, "1", [1], None)]))
    assert len(found) == 6


def test_the_same_seed_twice_is_one_value():
    same = [
        tried(1, {"lr": 1, "seed": 7}, 0.5),
        tried(2, {"lr": 1, "seed": 7}, 0.5),
        tried(3, {"lr": 1, "seed": 8}, 0.7),
    ]
    (found,) = settings_of(sweep(same))
    assert dict(found.values) == {7: 0.5, 8: 0.7}
    assert len(found.trials) == 3


def test_a_metric_that_is_not_finite_is_no_value():
    (found,) = settings_of(sweep([tried(1, {"lr": 1, "seed": 1}, math.nan), tried(2, {"lr": 1, "seed": 2}, 0.7)]))
    assert list(found.values) == [2]


def test_a_setting_is_tied_with_the_best_unless_the_seeds_tell_them_apart():
    # Differences to the first: 0.04, -0.02, 0.03, 0.02, 0.01 (p = 0.1) and 0.5 and more (p = 1e-5).
    values = {1: [0.1, 0.2, 0.1, 0.3, 0.2], 2: [0.14, 0.18, 0.13, 0.32, 0.21], 3: [0.6, 0.71, 0.62, 0.83, 0.71]}
    found = tied(settings_of(table(rows(values))), "minimize")
    assert found.places == (0, 1)
    assert found.known
    assert found.seeds == 5
    assert found.p[2] < 1e-4
    # On the same numbers with another sign, and the best the highest.
    turned = {lr: [-value for value in each] for lr, each in values.items()}
    assert tied(settings_of(table(rows(turned), "maximize")), "maximize").places == (0, 1)


def test_seeds_are_paired():
    # The seeds lie far apart, the two settings never: unpaired they could not be told apart.
    luck = [0.0, 10.0, 20.0, 30.0, 40.0]
    values = {1: luck, 2: [each + 0.1 + 0.001 * place for place, each in enumerate(luck)]}
    assert tied(settings_of(table(rows(values))), "minimize").places == (0,)


def test_more_settings_ask_for_greater_differences():
    luck = [0.00, 0.02, -0.02, 0.01, -0.01]
    near = [0.03, 0.06, 0.0, 0.03, 0.05]  # p of the pair alone: 0.0053
    few = {0: luck, 1: near}
    assert tied(settings_of(table(rows(few))), "minimize").places == (0,)
    many = few | {lr: [each + 5 + lr for each in luck] for lr in range(2, 12)}
    assert tied(settings_of(table(rows(many))), "minimize").places == (0, 1)


def test_one_seed_of_each_setting_makes_no_claim():
    found = tied(settings_of(table([({"lr": lr}, lr) for lr in (0.1, 0.2, 0.9)])), "minimize")
    assert found.places == ()
    assert not found.known
    assert "--seeds" in found.why


def test_no_value_at_all_makes_no_claim():
    assert not tied(settings_of(table([({"lr": 1}, None)])), "minimize").known
    assert not tied([], "minimize").known


def test_a_setting_with_too_few_common_seeds_is_not_tested():
    trials = rows({1: [0.1, 0.2, 0.15], 2: [0.12, None, None]})
    found = tied(settings_of(table(trials)), "minimize")
    assert found.places == (0,)
    assert math.isnan(found.p[1])


def test_the_truly_best_is_missing_from_the_set_in_at_most_one_of_twenty_sweeps():
    rng = np.random.default_rng(7)
    settings, missing, repeats = 12, 0, 300
    for _ in range(repeats):
        true = np.concatenate([[0.0], np.full(settings - 1, 0.02)])  # the others hardly worse: the hardest case
        drawn = true[:, None] + rng.normal(size=(settings, 5)) + rng.normal(size=5)
        found = settings_of(table(rows(dict(enumerate(drawn.tolist())))))
        places = tied(found, "minimize").places
        missing += 0 not in [found[place].params["lr"] for place in places]
    assert missing <= 0.05 * repeats + 2 * math.sqrt(0.05 * 0.95 * repeats)


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=6), min_size=1, max_size=6))
def test_the_best_is_always_in_the_set(values):
    found = tied(settings_of(table(rows(dict(enumerate(values))))), "minimize")
    assert found.places[0] == 0
    assert all(0 <= p <= 1 for p in found.p if not math.isnan(p))


def test_a_trial_that_diverged_is_the_worst_whatever_value_it_had():
    lost = [tried(1, {"lr": 9}, 0.01, status="diverged"), tried(2, {"lr": 8}, 0.02, status="failed")]
    found = sweep([*lost, tried(3, {"lr": 1}, 0.7)])
    assert found.best == found.trials[2]
    assert [each.params["lr"] for each in settings_of(found) if each.values] == [1]
    assert sweep(lost).best is None


def test_a_setting_of_which_a_seed_diverged_is_not_whole():
    lost = [tried(1, {"lr": 9, "seed": 0}, 0.1), tried(2, {"lr": 9, "seed": 1}, 0.1, status="diverged")]
    found = sweep([*lost, tried(3, {"lr": 1, "seed": 0}, 0.7), tried(4, {"lr": 1, "seed": 1}, 0.6)])
    assert [(each.params["lr"], each.whole) for each in settings_of(found)] == [(1, True), (9, False)]
    assert found.best == found.trials[3]


@pytest.mark.parametrize("goal", ["minimize", "maximize"])
def test_the_best_run_is_of_the_best_setting_not_that_of_a_lucky_seed(goal):
    sign = 1 if goal == "minimize" else -1
    found = table([(params, sign * value) for params, value in rows({1: [0.0, 90.0], 2: [0.5, 0.4]})], goal)
    assert found.best == found.trials[3]
    assert found.best.params["lr"] == settings_of(found)[0].params["lr"]


def test_a_setting_that_halving_left_earlier_is_not_tested_against_the_best():
    """It might have caught up; nor does it count among the comparisons of those that were trained as long."""
    left = {"status": "early_stopped", "reason": "not among the best 2 of 3 settings after 9 epochs", "epochs": 9}
    losses = {0.1: [0.1, 0.11, 0.13], 0.2: [0.12, 0.1, 0.15], 0.3: [0.13, 0.12, 0.16]}
    both = [({"lr": lr, "seed": seed}, loss) for lr in (0.1, 0.2) for seed, loss in enumerate(losses[lr])]
    trials = list(table(both).trials)
    halved = [tried(7 + seed, {"lr": 0.3, "seed": seed}, loss, **left) for seed, loss in enumerate(losses[0.3])]
    found = tied(settings_of(sweep([*trials, *halved])), "minimize")
    assert found.places == (0, 1)
    assert found.p[:2] == tied(settings_of(table(both)), "minimize").p
    assert math.isnan(found.p[2])
