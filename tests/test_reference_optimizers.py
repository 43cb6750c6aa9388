"""Every optimizer takes the fifty steps that PyTorch's, or its paper's, takes: tests/reference/README.md."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nnctl.network.descent import optimizer_slot
from tests.reference.comparison import DTYPES, TOLERANCE, assert_agrees, component, params
from tests.reference.records import Array, Record, load
from tests.reference.tables import breast_cancer

RECORDED, *RECORDS = load("optimizers")
PATHS = [record for record in RECORDS if record["kind"] == "optimizers"]
MINIMA = [record for record in RECORDS if record["kind"] == "minima"]


@DTYPES
@pytest.mark.parametrize("record", params(PATHS))
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


@pytest.mark.parametrize("record", params(MINIMA))
def test_optimizer_that_searches_reaches_the_minimum_of_its_record(record: Record) -> None:
    optimizer, theta = component("optimizers", record), np.array(record["start"])
    slot, problem = optimizer_slot([optimizer], theta, np.zeros_like(theta), decayed=0), problem_of(record)

    def evaluate() -> float:
        loss, slot.grad[...] = problem(theta)
        return loss

    slot.evaluate, slot.loss = evaluate, evaluate()
    for _ in range(300):
        optimizer.advance(slot, 1.0)
    assert abs(problem(theta)[0] - record["least"]) < 1e-8


def problem_of(record: Record) -> Callable[[Array], tuple[float, Array]]:
    """Loss and gradient at theta."""

    def quadratic(theta: Array) -> tuple[float, Array]:
        slope = np.array(record["curvature"]) * theta
        return float(theta @ slope) / 2, slope

    def rosenbrock(theta: Array) -> tuple[float, Array]:
        x, y = theta
        off = y - x * x
        return (1 - x) ** 2 + 100 * off * off, np.array([-2 * (1 - x) - 400 * x * off, 200 * off])

    def logistic(theta: Array) -> tuple[float, Array]:
        margin, weights = sign * (x @ theta[:-1] + theta[-1]), np.append(theta[:-1], 0)
        pull = -sign / (1 + np.exp(margin)) / len(x)
        loss = np.logaddexp(0, -margin).mean() + record["l2"] / 2 * weights @ weights
        return float(loss), np.append(x.T @ pull, pull.sum()) + record["l2"] * weights

    x, sign = breast_cancer()
    return {"quadratic": quadratic, "rosenbrock": rosenbrock, "logistic regression": logistic}[record["case"]]
