"""All kinds of faults, in the order of the plan."""

from __future__ import annotations

from tests.torture import (
    configs,
    crashes,
    crowd,
    damage,
    errors,
    full_disk,
    fuzz,
    interrupts,
    kills,
    power,
    repeats,
    rivals,
    sweeps,
    trace,
)

PLANS = (
    kills.PLAN,
    errors.PLAN,
    crashes.PLAN,
    power.PLAN,
    trace.PLAN,
    configs.MUTATED,
    configs.EXTREMES,
    damage.PLAN,
    crowd.PLAN,
    rivals.PLAN,
    sweeps.PLAN,
    interrupts.PLAN,
    full_disk.PLAN,
    repeats.PLAN,
    fuzz.PLAN,
)
