"""Every loss has the values and gradients that PyTorch, or its paper, gives: tests/reference/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from nnctl.initializers.identity import Identity
from nnctl.layers.dense import Dense
from nnctl.network.members import stream
from nnctl.network.network import build
from nnctl.network.workspace import Workspace
from tests.reference.comparison import DTYPES, TOLERANCE, assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = load("losses")


@DTYPES
@pytest.mark.parametrize("record", params(RECORDS))
def test_loss_agrees_with_its_record(record: Record, dtype: str) -> None:
    loss = component("losses", record).resolved(record["task"])
    y, w = np.array(record["y"]), record["weights"]
    network = build([("output", Dense(units=y.shape[1], bias=False, init=Identity()))], y.shape[1:])
    arena = network.arena(dtype)
    network.initialise(arena, [stream(0, "init")])
    space = Workspace(network, [loss], arena, len(y), training=True, input_gradient=True, weighted=w is not None)
    run = space.at(len(y))
    run.x[...], run.t[...] = y, record["t"]
    if w is not None:
        run.w[...] = w
    run.forward()
    expected = np.array(record["losses"]) * (1.0 if w is None else np.array(w))
    assert_agrees(run.losses, expected, TOLERANCE[dtype], "the losses of the rows")
    assert run.loss_sum() / run.weight() == pytest.approx(record["loss"], rel=TOLERANCE[dtype])
    run.backward()
    assert_agrees(run.dx, record["gradients"]["y"], TOLERANCE[dtype], "the gradient of the scores")
