"""Schedules are pure, finite, and have the end points that they document."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.schedules import Schedule
from nnctl.schedules.constant import Constant
from nnctl.schedules.cosine import Cosine
from nnctl.schedules.exponential import Exponential
from nnctl.schedules.step import Step

EXAMPLES = [cls(**example) for cls in registry.classes("schedules", Schedule) for example in cls.examples]
each_example = pytest.mark.parametrize("schedule", EXAMPLES, ids=repr)


def factors(schedule: Schedule, epochs: int, epoch_steps: int) -> list[float]:
    total = epochs * epoch_steps
    return [schedule.factor(step, total, epoch_steps) for step in range(total)]


@each_example
@given(epochs=st.integers(1, 60), epoch_steps=st.integers(1, 8))
def test_factors_are_finite_floats_in_zero_to_one(schedule: Schedule, epochs: int, epoch_steps: int) -> None:
    found = factors(schedule, epochs, epoch_steps)
    assert all(type(factor) is float and 0 <= factor <= 1 for factor in found)
    assert max(found) == 1.0 or schedule.warmup_steps(epochs * epoch_steps, epoch_steps) == 0


@each_example
def test_the_factor_depends_on_nothing_but_its_arguments(schedule: Schedule) -> None:
    forward = factors(schedule, 5, 7)
    backward = [schedule.factor(step, 35, 7) for step in reversed(range(35))]
    assert forward == backward[::-1]


@each_example
@given(n=st.integers(1, 10_000))
def test_every_schedule_starts_at_one(schedule: Schedule, n: int) -> None:
    assert schedule.curve(0, n) == 1.0
    assert math.isfinite(schedule.curve(n - 1, n))


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


def test_cosine_per_epoch_is_level_within_an_epoch() -> None:
    found = factors(Cosine(per="epoch"), epochs=4, epoch_steps=3)
    assert found[::3] == found[1::3] == found[2::3] == [Cosine().curve(t, 4) for t in range(4)]


def test_schedules_count_in_the_unit_that_the_vocabulary_says() -> None:
    default = {cls.name: cls(**cls.examples[0]).per for cls in registry.classes("schedules", Schedule)}
    epochs = {"step", "multi_step", "exponential", "inverse_time", "plateau"}
    assert all(per == ("epoch" if name in epochs else "step") for name, per in default.items())
