"""Every schedule has the curve of PyTorch's, or of its closed form: tests/reference/README.md."""

from __future__ import annotations

import pytest

from tests.reference.comparison import assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = load("schedules")
CURVES = [record for record in RECORDS if record["kind"] == "schedules"]


@pytest.mark.parametrize("record", params(CURVES))
def test_schedule_has_the_curve_of_its_record(record: Record) -> None:
    schedule, total = component("schedules", record), record["total"]
    found = [schedule.at(step, total, record["epoch_steps"]) for step in range(total)]
    assert_agrees(found, record["factors"], 1e-12, "the factor")


@pytest.mark.parametrize("record", params([record for record in RECORDS if record["kind"] == "plateau"]))
def test_plateau_decays_where_its_record_does(record: Record) -> None:
    schedule = component("schedules", record)
    state, found = schedule.start(), []
    for unit, value in enumerate(record["values"], start=1):
        schedule.observe(state, unit=unit, value=value, better="lower")
        found.append(schedule.at(unit, 1000, 1, state))
    assert_agrees(found, record["factors_after"], 1e-12, "the factor")
