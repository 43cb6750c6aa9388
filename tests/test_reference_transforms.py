"""Every transform gives what scikit-learn gives: tests/reference/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from tests.reference.comparison import assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = load("transforms")


def of(kind: str) -> list[pytest.param]:
    return params([record for record in RECORDS if record["kind"] == kind], "transforms")


@pytest.mark.parametrize("record", of("scalers"))
def test_scaler_agrees_with_its_record(record: Record) -> None:
    scaler, fitted = component("transforms", record), np.array(record["fitted"])
    state = scaler.fit(fitted)
    for x, y in (("fitted", "y"), ("other", "y_other")):
        assert_agrees(scaler.apply(np.array(record[x]), state), record[y], record.get("tolerance", 1e-9), f"{x} rows")


@pytest.mark.parametrize("record", of("imputers"))
def test_imputer_agrees_with_its_record(record: Record) -> None:
    x = np.array([np.nan if value is None else value for value in record["x"]])
    assert component("transforms", record).fit(x) == pytest.approx(record["value"], rel=1e-12)


@pytest.mark.parametrize("record", of("encoders"))
def test_encoder_agrees_with_its_record(record: Record) -> None:
    encoder, levels = component("transforms", record), record["levels"]
    state = encoder.fit(levels, counts=[2] * len(levels), reserved=0)
    codes = np.array([levels.index(row) if row in levels else -1 for row in record["rows"]])
    out = np.full((len(codes), encoder.width(state)), np.nan)
    encoder.apply(codes, state, out)
    assert_agrees(out, record["y"], 1e-12, "the columns")
