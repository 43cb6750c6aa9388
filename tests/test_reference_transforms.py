"""Every transform gives what scikit-learn gives: tests/reference/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.transforms.sample import Sample
from tests.reference.comparison import assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = load("transforms")


def of(kind: str) -> list[pytest.param]:
    return params([record for record in RECORDS if record["kind"] == kind])


@pytest.mark.parametrize("record", of("scalers"))
def test_scaler_agrees_with_its_record(record: Record) -> None:
    scaler, fitted = component("transforms", record), np.array(record["fitted"])
    state = scaler.fit(Sample.of(fitted))
    for x, y in (("fitted", "y"), ("other", "y_other")):
        assert_agrees(scaler.apply(np.array(record[x]), state), record[y], record["tolerance"], f"{x} rows")


@pytest.mark.parametrize("record", of("imputers"))
def test_imputer_agrees_with_its_record(record: Record) -> None:
    x = np.array([np.nan if value is None else value for value in record["x"]])
    assert component("transforms", record).fit(Sample.of(x)) == pytest.approx(record["value"], rel=1e-12)


@pytest.mark.parametrize("record", of("encoders"))
def test_encoder_agrees_with_its_record(record: Record) -> None:
    encoder, rows = component("transforms", record), record["rows"]
    state = encoder.fit(record["levels"], counts=record["counts"], reserved=record["reserved"])
    words = [row for row in rows if row is not None]
    known = dict(zip(words, encoder.codes(words, state), strict=True))
    out = np.full((len(rows), encoder.width(state)), np.nan)
    encoder.apply(np.array([known.get(row, -1) for row in rows]), state, out)
    assert_agrees(out, record["y"], 1e-12, "the columns")


@pytest.mark.parametrize("record", of("dates"))
def test_date_encoder_agrees_with_its_record(record: Record) -> None:
    encoder, other = component("transforms", record), np.array(record["other"])
    state = encoder.fit(Sample.of(np.array(record["fitted"])))
    out = np.full((len(other), encoder.width(state)), np.nan)
    encoder.apply(other, state, out)
    assert_agrees(out, record["y"], 1e-9, "the columns")
