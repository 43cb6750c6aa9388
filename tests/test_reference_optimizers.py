"""Every optimizer takes the fifty steps that PyTorch's, or its paper's, takes: tests/reference/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.network.descent import optimizer_slot
from tests.reference.comparison import DTYPES, TOLERANCE, assert_agrees, component, params
from tests.reference.records import Record, load

RECORDED, *RECORDS = load("optimizers")


@DTYPES
@pytest.mark.parametrize("record", params(RECORDS, "optimizers"))
def test_optimizer_takes_the_steps_of_its_record(record: Record, dtype: str) -> None:
    optimizer = component("optimizers", record)
    theta = np.array(RECORDED["start"], dtype)
    slot = optimizer_slot(
        [optimizer], theta, np.zeros_like(theta), decayed=RECORDED["decayed"], segments=RECORDED["segments"]
    )
    expected = iter(record["theta"].get(dtype, record["theta"]["float64"]))
    for step, gradient in enumerate(RECORDED["gradients"], start=1):
        slot.grad[...] = gradient
        optimizer.advance(slot, 1.0)
        if step in RECORDED["kept"]:
            assert_agrees(theta, next(expected), TOLERANCE[dtype], f"theta after step {step}")
