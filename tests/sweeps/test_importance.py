"""The importance of each parameter, against an analysis of variance done otherwise, and on planted effects."""

from __future__ import annotations

import itertools
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.sweeps.importance import importance
from tests.sweeps.made import sweep, table, tried


def ranks(values):
    """Ranks from 1; of equals the mean, counted value by value."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]


def between(groups):
    """The sum of squares between groups, from its definition."""
    every = statistics.fmean(itertools.chain(*groups))
    return sum(len(group) * (statistics.fmean(group) - every) ** 2 for group in groups)


def test_a_grid_has_the_main_effects_of_an_analysis_of_variance():
    rng = np.random.default_rng(3)
    grid = list(itertools.product((0.1, 0.01, 0.001), ("relu", "tanh"), range(5)))
    values = [abs(np.log10(lr) + 2) + (act == "tanh") * 0.4 + rng.normal() * 0.3 for lr, act, _ in grid]
    found = importance(
        table([({"lr": lr, "act": act, "seed": s}, v) for (lr, act, s), v in zip(grid, values, strict=True)])
    )

    y = ranks(values)
    total = sum((each - statistics.fmean(y)) ** 2 for each in y)
    squares = {
        name: between([[each for row, each in zip(grid, y, strict=True) if row[place] == level] for level in levels])
        for place, (name, levels) in enumerate({"lr": (0.1, 0.01, 0.001), "act": ("relu", "tanh")}.items())
    }
    error = (total - sum(squares.values())) / (len(y) - 1 - 2 - 1)
    expected = {"lr": (squares["lr"] - 2 * error) / total, "act": (squares["act"] - error) / total}
    assert dict(found.shares) == pytest.approx(expected, rel=1e-10)
    assert found.rest == pytest.approx(1 - sum(expected.values()))
    assert found.trials == 30
    assert list(found.shares) == sorted(expected, key=lambda name: -expected[name])


def test_an_irrelevant_parameter_has_a_share_about_0_and_a_planted_one_most():
    rng = np.random.default_rng(5)
    irrelevant, valley, slope = [], [], []
    for _ in range(40):
        rows = []
        for _ in range(30):
            lr, drop, act = 10 ** rng.uniform(-4, 0), rng.uniform(0, 0.5), str(rng.choice(["relu", "tanh", "gelu"]))
            rows.append(({"lr": lr, "dropout": drop, "act": act}, 0.1 * rng.normal()))
        for found, curve in ((valley, lambda x: (x + 2) ** 2), (slope, lambda x: x)):
            losses = [(params, noise + curve(math.log10(params["lr"]))) for params, noise in rows]
            shares = importance(table(losses)).shares
            found.append(shares["lr"])
            irrelevant += [shares["dropout"], shares["act"]]
    assert statistics.fmean(slope) > 0.95
    assert statistics.fmean(valley) > 0.7  # its ranks are no parabola in those of lr: the rest is not explained
    assert statistics.fmean(irrelevant) < 0.02


def test_where_nothing_matters_the_shares_are_about_0():
    rng = np.random.default_rng(6)
    found = [
        importance(table([({"a": rng.uniform(), "b": int(rng.integers(3))}, rng.normal()) for _ in range(40)])).shares
        for _ in range(60)
    ]
    assert statistics.fmean(each["a"] for each in found) < 0.03
    assert statistics.fmean(each["b"] for each in found) < 0.03


def test_one_bad_loss_does_not_outweigh_all_others():
    rows = [({"lr": lr, "seed": s}, lr + 0.001 * s) for lr in (0.1, 0.2, 0.3) for s in range(5)]
    calm = importance(table(rows))
    rows[-1] = (rows[-1][0], 1e30)
    assert importance(table(rows)) == calm
    assert calm.shares["lr"] > 0.85


def test_trials_that_diverged_count_as_the_worst_and_those_that_failed_do_not_count():
    rows = [
        ({"lr": lr, "seed": s}, None if lr == 9 else 1 + 0.01 * s + 0.003 * lr) for lr in (1, 2, 9) for s in range(5)
    ]
    found = importance(table(rows))
    assert found.trials == 15
    assert found.shares["lr"] > 0.6
    worst = importance(table([(params, 7.0 if value is None else value) for params, value in rows]))
    assert found == worst
    failed = [tried(16, {"lr": 1, "seed": 9}, None, status="failed")]
    assert importance(sweep([*table(rows).trials, *failed])) == found


def test_parameters_that_vary_together_alone_are_one():
    pairs = [([64], 100), ([256, 256], 60)]
    rows = [
        ({"model.hidden": hidden, "train.epochs": epochs, "lr": lr, "seed": s}, epochs / 100 + lr * s)
        for (hidden, epochs), lr, s in itertools.product(pairs, (0.1, 0.2), range(4))
    ]
    assert set(importance(table(rows)).shares) == {"model.hidden + train.epochs", "lr"}


def test_many_numbers_drawn_apart_are_not_taken_for_one_parameter():
    rng = np.random.default_rng(1)
    rows = [({"a": rng.uniform(), "b": rng.uniform()}, rng.normal()) for _ in range(20)]
    assert set(importance(table(rows)).shares) == {"a", "b"}


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([({"lr": lr}, lr) for lr in range(9)], "10 trials"),
        ([({"seed": s}, float(s)) for s in range(20)], "no parameter"),
        ([({"lr": lr % 3, "seed": lr}, 0.5) for lr in range(20)], "all trials came out the same"),
        ([({"word": str(n % 9), "other": str(n % 7)}, float(n)) for n in range(12)], "more trials"),
        ([], "no parameter"),
    ],
)
def test_where_there_is_nothing_to_say_it_says_why(rows, why):
    found = importance(table(rows))
    assert why in found.why
    assert not found.shares


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.floats(1e-6, 10), st.sampled_from(["a", "b", 1, None]), st.none() | st.floats(-1e9, 1e9)),
        max_size=40,
    ),
    st.floats(0.1, 10),
)
def test_shares_are_shares_and_do_not_change_with_the_scale_of_the_metric(drawn, factor):
    found = importance(table([({"x": x, "word": word}, value) for x, word, value in drawn]))
    assert all(0 <= share <= 1 for share in found.shares.values())
    assert found.why or 0 <= found.rest <= 1
    moved = [None if value is None else value / 1e6 for _, _, value in drawn]
    if len(set(moved)) == len({value for _, _, value in drawn}):
        again = importance(
            table([({"x": x * factor, "word": w}, v) for (x, w, _), v in zip(drawn, moved, strict=True)])
        )
        if len({x * factor for x, _, _ in drawn}) == len({x for x, _, _ in drawn}):
            assert dict(again.shares) == pytest.approx(dict(found.shares), abs=1e-9)
