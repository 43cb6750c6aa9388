"""Every metric gives what scikit-learn gives, with ties, absent classes and weights: tests/reference/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.metrics import Predictions
from tests.reference.comparison import component, params
from tests.reference.records import Record, load

RECORDS = load("metrics")
CASES = {record["name"]: record for record in RECORDS if record["kind"] == "cases"}
METRICS = [record for record in RECORDS if record["kind"] == "metrics"]


@pytest.mark.parametrize("record", params(METRICS))
def test_metric_agrees_with_its_record(record: Record) -> None:
    found = component("metrics", record).compute(predictions(CASES[record["case"]]))
    assert found == pytest.approx(record["value"], rel=1e-9, abs=1e-9)


def predictions(case: Record) -> Predictions:
    task, truth, predicted = case["task"], np.array(case["truth"]), np.array(case["predicted"])
    probability = None if case["probability"] is None else np.array(case["probability"])
    classes = 0 if task == "regression" else truth.shape[1] if task == "multilabel" else probability.shape[1]
    weight = {} if case["weight"] is None else {"weight": np.array(case["weight"])}
    return Predictions(task, truth, predicted, probability, classes, **weight)
