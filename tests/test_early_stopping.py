"""Early stopping: negative scores, ties, numbers that are not finite, and evaluations every few epochs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.early_stopping import EarlyStopping
from nnctl.early_stopping.patience import Patience

Better = Literal["lower", "higher"]
EXAMPLES = [cls(**example) for cls in registry.classes("early_stopping", EarlyStopping) for example in cls.examples]


def run(
    rule: EarlyStopping, values: Iterable[float], *, better: Better = "lower", every: int = 1
) -> tuple[int | None, str | None, dict[str, object]]:
    """The epoch of the stop, its reason and the state, with evaluations every few epochs."""
    state = rule.start()
    for index, value in enumerate(values, start=1):
        reason = rule.update(state, epoch=index * every, value=value, better=better)
        if reason is not None:
            return index * every, reason, state
    return None, None, state


@pytest.mark.parametrize("rule", EXAMPLES, ids=repr)
@given(values=st.lists(st.floats(), max_size=30), better=st.sampled_from(["lower", "higher"]))
def test_a_state_that_went_through_json_decides_the_same(
    rule: EarlyStopping, values: list[float], better: Better
) -> None:
    kept, saved = rule.start(), rule.start()
    for epoch, value in enumerate(values, start=1):
        saved = json.loads(json.dumps(saved, allow_nan=False))
        reasons = [rule.update(state, epoch=epoch, value=value, better=better) for state in (kept, saved)]
        assert reasons[0] == reasons[1]
        assert kept == saved


@given(
    values=st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30),
    patience=st.integers(1, 5),
    every=st.integers(1, 3),
    better=st.sampled_from(["lower", "higher"]),
)
def test_patience_stops_at_the_first_epoch_that_far_from_the_earliest_best(
    values: list[float], patience: int, every: int, better: Better
) -> None:
    pick = min if better == "lower" else max
    expected = None
    for index in range(len(values)):
        past = values[: index + 1]
        if (index - past.index(pick(past))) * every >= patience:
            expected = (index + 1) * every
            break
    assert run(Patience(patience=patience), values, better=better, every=every)[0] == expected


def test_the_reason_is_a_sentence_with_the_best_value() -> None:
    epoch, reason, state = run(Patience(patience=2), [0.5, 0.25, 0.3, 0.4])
    assert epoch == 4
    assert reason == "val_loss has not improved for 2 epochs (best 0.25 in epoch 2)"
    assert state == {"best": 0.25, "best_epoch": 2}


def test_worse_negative_score_is_not_an_improvement() -> None:
    _, _, state = run(Patience(), [-5.0, -1.0, -3.0])
    assert state == {"best": -5.0, "best_epoch": 1}
    _, _, state = run(Patience(), [-5.0, -1.0, -3.0], better="higher")
    assert state == {"best": -1.0, "best_epoch": 2}


def test_an_equal_value_is_no_improvement() -> None:
    assert run(Patience(patience=3), [1.0] * 9)[0] == 4


@pytest.mark.parametrize("lost", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_a_value_that_is_not_finite_is_worse_than_any_other(lost: float, better: Better) -> None:
    epoch, _, state = run(Patience(patience=2), [lost, -7.0, lost, lost], better=better)
    assert (epoch, state) == (4, {"best": -7.0, "best_epoch": 2})


def test_values_that_are_never_finite_run_out_of_patience() -> None:
    epoch, reason, state = run(Patience(patience=1), [math.nan] * 3)
    assert (epoch, reason) == (1, "val_loss has not been a finite number for 1 epoch")
    assert state == {"best": None, "best_epoch": 0}


def test_an_improvement_must_exceed_min_delta() -> None:
    rule = Patience(patience=2, min_delta=0.5)
    assert run(rule, [4.0, 3.5, 3.25])[2] == {"best": 3.25, "best_epoch": 3}
    assert run(rule, [4.0, 3.75, 3.5])[0] == 3
    assert run(rule, [-4.0, -3.5, -3.25], better="higher")[2] == {"best": -3.25, "best_epoch": 3}


def test_the_first_epochs_neither_stop_nor_use_up_patience() -> None:
    assert run(Patience(patience=2, start_after=5), [1.0] * 9)[0] == 7
    assert run(Patience(diverge=10.0, start_after=3), [99.0, 50.0, 20.0, 5.0, 11.0])[0] == 5
    assert run(Patience(target=2.0, start_after=3), [1.0, 3.0, 3.0, 1.0])[0] == 4


@pytest.mark.parametrize(("better", "values"), [("lower", [0.3, 0.2, 0.1]), ("higher", [-0.1, 0.2, 0.4])])
def test_a_target_stops_when_it_is_reached(better: Better, values: list[float]) -> None:
    epoch, reason, state = run(Patience(target=0.2), values, better=better)
    assert (epoch, reason) == (2, "val_loss has reached its target of 0.2 (0.2 in epoch 2)")
    assert state["best_epoch"] == 2


def test_divergence_stops_beyond_its_limit_and_not_at_it() -> None:
    epoch, reason, _ = run(Patience(diverge=2.0), [1.0, 2.0, 2.5])
    assert (epoch, reason) == (3, "val_loss is worse than 2 (2.5 in epoch 3)")
    assert run(Patience(diverge=-2.0), [-1.0, -2.0, -2.5], better="higher")[0] == 3


def test_a_number_that_is_not_finite_has_diverged() -> None:
    assert run(Patience(diverge=2.0), [1.0, math.nan])[0] == 2
    assert run(Patience(), [1.0, math.nan])[0] is None
