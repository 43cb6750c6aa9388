"""Conformance checks of schedules."""

from __future__ import annotations

import math

from nnctl.schedules import Schedule
from nnctl.testing.harness import made

LENGTHS = ((1, 1), (2, 1), (1, 7), (5, 7), (100, 3))  # epochs, steps in each


def check_schedule_factors(cls: type[Schedule]) -> None:
    """Every factor is a Python float from 0 to 1, in runs of any length."""
    for example in cls.examples:
        schedule = made(cls, example)
        for epochs, steps in LENGTHS:
            for factor in _factors(schedule, epochs, steps):
                assert type(factor) is float, f"{cls.name} {example}: a factor is a {type(factor).__name__}"
                assert 0 <= factor <= 1, f"{cls.name} {example}: a factor is {factor}, not in 0-1"


def check_schedule_pure(cls: type[Schedule]) -> None:
    """The factor depends on nothing but the step, the length of the run, and the state."""
    for example in cls.examples:
        schedule = made(cls, example)
        backward = [schedule.at(step, 35, 7, schedule.start()) for step in reversed(range(35))]
        assert _factors(schedule, 5, 7) == backward[::-1], f"{cls.name} {example}: a step depends on the one before it"


def check_schedule_start(cls: type[Schedule]) -> None:
    """The curve starts at 1, or rises towards it; where there is a warmup its last step has factor 1."""
    for example in cls.examples:
        schedule = made(cls, example)
        for n in (1, 2, 3, 10, 10_000):
            assert math.isfinite(schedule.curve(n - 1, n)), f"{cls.name} {example}: the last factor is not finite"
            assert cls.rises or schedule.curve(0, n) == 1.0, f"{cls.name} {example}: starts at {schedule.curve(0, n)}"
        if cls.rises:
            climbed = max(schedule.curve(t, 10_000) for t in range(10_000)) - schedule.curve(0, 10_000)
            assert climbed > 0, f"{cls.name} {example}: `rises` is set, but the curve starts at its top"
        warm = schedule.warmup_steps(35, 7)
        assert warm == 0 or _factors(schedule, 5, 7)[warm - 1] == 1.0, f"{cls.name} {example}: the warmup ends below 1"


def check_schedule_state(cls: type[Schedule]) -> None:
    """What a schedule keeps is changed by what it observes alone, and moves the factor within 0-1."""
    for example in cls.examples:
        schedule, state = made(cls, example), made(cls, example).start()
        for unit in range(1, 100):
            before = dict(state)
            factor = schedule.at(99, 100, 1, state)
            assert before == state, f"{cls.name} {example}: asking for the factor changes the state"
            assert 0 <= factor <= 1, f"{cls.name} {example}: a factor is {factor} after {unit} observations"
            schedule.observe(state, unit=unit, value=math.nan if unit % 7 == 0 else 1.0, better="lower")
        assert state or schedule.watches is None, f"{cls.name} {example}: watches a value and keeps nothing"


def _factors(schedule: Schedule, epochs: int, epoch_steps: int) -> list[float]:
    total = epochs * epoch_steps
    return [schedule.at(step, total, epoch_steps, schedule.start()) for step in range(total)]


CHECKS = (check_schedule_factors, check_schedule_pure, check_schedule_start, check_schedule_state)
