"""Schedules are pure, finite, and have the end points that they document."""

from __future__ import annotations

import json
import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.schedules import Schedule
from nnctl.schedules.constant import Constant
from nnctl.schedules.cosine import Cosine
from nnctl.schedules.cosine_restarts import CosineRestarts
from nnctl.schedules.coslog4 import CosLog4
from nnctl.schedules.cyclic import Cyclic
from nnctl.schedules.exponential import Exponential
from nnctl.schedules.inverse_sqrt import InverseSqrt
from nnctl.schedules.inverse_time import InverseTime
from nnctl.schedules.linear import Linear
from nnctl.schedules.multi_step import MultiStep
from nnctl.schedules.one_cycle import OneCycle
from nnctl.schedules.plateau import Plateau
from nnctl.schedules.polynomial import Polynomial
from nnctl.schedules.step import Step
from nnctl.schedules.warmup_stable_decay import WarmupStableDecay

EXAMPLES = [cls(**example) for cls in registry.classes("schedules", Schedule) for example in cls.examples]
each_example = pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)


def factors(schedule: Schedule, epochs: int, epoch_steps: int) -> list[float]:
    total = epochs * epoch_steps
    return [schedule.at(step, total, epoch_steps) for step in range(total)]


@each_example
@given(epochs=st.integers(1, 60), epoch_steps=st.integers(1, 8))
def test_factors_are_finite_floats_in_zero_to_one(schedule: Schedule, epochs: int, epoch_steps: int) -> None:
    found = factors(schedule, epochs, epoch_steps)
    assert all(type(factor) is float and 0 <= factor <= 1 for factor in found)
    assert max(found) == 1.0 or schedule.warmup_steps(epochs * epoch_steps, epoch_steps) == 0


@each_example
@given(n=st.integers(1, 10_000))
def test_every_schedule_starts_at_one_or_rises(schedule: Schedule, n: int) -> None:
    assert schedule.curve(0, n) == 1.0 or schedule.rises
    assert math.isfinite(schedule.curve(n - 1, n))


# The factors in the first, the middle and the last of 101 units, as the docstrings give them.
POINTS: tuple[tuple[Schedule, float, float, float], ...] = (
    (MultiStep(milestones=(100, 50), gamma=0.5), 1, 0.5, 0.25),
    (InverseTime(rate=0.02), 1, 1 / 2, 1 / 3),
    (InverseSqrt(), 1, 51**-0.5, 101**-0.5),
    (Polynomial(power=2.0, end=0.2), 1, 0.2 + 0.8 * (51 / 101) ** 2, 0.2 + 0.8 / 101**2),
    (Linear(end=0.2), 1, 1 - 0.8 * 50 / 101, 1 - 0.8 * 100 / 101),
    (CosineRestarts(period=40, end=0.2), 1, 0.2 + 0.4 * (1 + math.cos(math.pi / 4)), 0.6),
    (CosineRestarts(period=10, mult=2), 1, 0.5 * (1 + math.cos(math.pi / 2)), 0.5 * (1 + math.cos(math.pi * 3 / 8))),
    (OneCycle(pct=51 / 101, div=20.0, final_div=5.0), 0.05, 1, 0.01),
    (Cyclic(low=0.2, period=40), 0.2, 0.6, 0.2 + 0.8),
    (WarmupStableDecay(warmup=0.0, decay=0.5, end=0.5), 1, 1, 1 - 0.5 * 49 / 50),
    (
        CosLog4(),
        0,
        (1 - math.cos(2 * math.pi * math.log2(1 + 750 / 101))) / 2,
        math.sin(math.pi * math.log2(1 - 15 / 1616)) ** 2,
    ),
    (Plateau(), 1, 1, 1),
)


@pytest.mark.parametrize(("schedule", "first", "middle", "last"), POINTS, ids=[point[0].name for point in POINTS])
def test_curves_pass_the_points_that_they_document(
    schedule: Schedule, first: float, middle: float, last: float
) -> None:
    found = [schedule.curve(t, 101) for t in (0, 50, 100)]
    assert found == pytest.approx([first, middle, last], rel=1e-4, abs=1e-9)


def test_inverse_square_root_falls_at_the_pace_of_its_warmup() -> None:
    found = factors(InverseSqrt(warmup=2), epochs=8, epoch_steps=2)
    assert found[:4] == [0.25, 0.5, 0.75, 1.0]
    assert found[4:] == pytest.approx([(4 / (4 + t)) ** 0.5 for t in range(12)])


def test_the_trapezoid_has_its_three_parts() -> None:
    found = factors(WarmupStableDecay(warmup=0.2, decay=0.4), epochs=10, epoch_steps=1)
    assert found == pytest.approx([0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


def plateau(schedule: Plateau, values: list[float], better: Literal["lower", "higher"] = "lower") -> list[float]:
    """The factor after each of the values, one an epoch."""
    state, found = schedule.start(), []
    for unit, value in enumerate(values, 1):
        schedule.observe(state, unit=unit, value=value, better=better)
        state = json.loads(json.dumps(state))
        found.append(schedule.at(unit, 1000, 1, state))
    return found


def test_plateau_decays_after_more_than_patience_epochs_without_an_improvement() -> None:
    schedule = Plateau(factor=0.5, patience=2)
    assert plateau(schedule, [3, 2, 2, 2, 2, 2, 2, 2]) == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]
    assert plateau(schedule, [3, 2, 2, 2, 1, 1, 1, 1]) == [1, 1, 1, 1, 1, 1, 1, 0.5]
    assert plateau(schedule, [-3, -2, -2, -2, -2], "higher") == [1, 1, 1, 1, 0.5]


def test_plateau_counts_neither_epochs_of_its_cooldown_nor_small_improvements() -> None:
    schedule = Plateau(factor=0.5, patience=0, cooldown=2, min_delta=0.1)
    assert plateau(schedule, [1, 0.95, 0.94, 0.93, 0.92, 0.5]) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_a_value_that_is_no_number_is_no_improvement() -> None:
    assert plateau(Plateau(patience=1), [math.nan, 1, math.nan, math.nan, 1]) == pytest.approx([1, 1, 1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("warmup", "expected"),
    [(0.0, 0), (0.25, 10), (0.26, 10), (0.999, 40), (1.0, 8), (1.5, 12), (5.0, 40), (99.0, 40)],
)
def test_warmup_is_a_fraction_of_the_steps_or_a_number_of_epochs(warmup: float, expected: int) -> None:
    assert Constant(warmup=warmup).warmup_steps(total=40, epoch_steps=8) == expected


@given(warmup=st.floats(0, 4), epochs=st.integers(1, 9), epoch_steps=st.integers(1, 9))
def test_warmup_is_linear_and_the_schedule_starts_after_it(warmup: float, epochs: int, epoch_steps: int) -> None:
    schedule, total = Cosine(warmup=warmup), epochs * epoch_steps
    warm = schedule.warmup_steps(total, epoch_steps)
    found = factors(schedule, epochs, epoch_steps)
    assert found[:warm] == [(step + 1) / warm for step in range(warm)]
    assert found[warm:] == [Cosine().curve(t, total - warm) for t in range(total - warm)]


def test_step_decays_every_so_many_epochs() -> None:
    assert factors(Step(every=2, gamma=0.5), epochs=5, epoch_steps=3) == [1.0] * 6 + [0.5] * 6 + [0.25] * 3


def test_step_counts_steps_if_told_so() -> None:
    assert factors(Step(every=2, gamma=0.5, per="step"), epochs=1, epoch_steps=5) == [1.0, 1.0, 0.5, 0.5, 0.25]


def test_epochs_are_counted_from_the_end_of_the_warmup() -> None:
    found = factors(Step(every=1, gamma=0.5, warmup=1.5), epochs=4, epoch_steps=2)
    assert found == [1 / 3, 2 / 3, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_exponential_decays_in_every_epoch() -> None:
    assert factors(Exponential(gamma=0.5), epochs=3, epoch_steps=2) == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]


def test_an_exponential_too_small_for_a_float_is_zero() -> None:
    assert Exponential(gamma=0.1).curve(5000, 5001) == 0.0


def test_cosine_passes_the_middle_and_stops_one_unit_short_of_its_end() -> None:
    schedule = Cosine(end=0.2)
    found = factors(schedule, epochs=1, epoch_steps=10)
    assert found[0] == 1.0
    assert found[5] == pytest.approx(0.6)
    assert found[9] == pytest.approx(0.2 + 0.4 * (1 + math.cos(0.9 * math.pi)))
    assert schedule.curve(10, 10) == pytest.approx(0.2)
    assert found == sorted(found, reverse=True)


def test_a_cycle_of_a_single_unit_is_at_its_peak() -> None:
    assert OneCycle().curve(0, 1) == 1.0
    assert factors(OneCycle(per="epoch"), 1, 3) == [1.0] * 3


def test_cosine_per_epoch_is_level_within_an_epoch() -> None:
    found = factors(Cosine(per="epoch"), epochs=4, epoch_steps=3)
    assert found[::3] == found[1::3] == found[2::3] == [Cosine().curve(t, 4) for t in range(4)]


def test_schedules_count_in_the_unit_that_the_vocabulary_says() -> None:
    default = {cls.name: cls(**cls.examples[0]).per for cls in registry.classes("schedules", Schedule)}
    epochs = {"step", "multi_step", "exponential", "inverse_time", "plateau"}
    assert all(per == ("epoch" if name in epochs else "step") for name, per in default.items())
