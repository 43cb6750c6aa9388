"""Every layer gives the outputs and gradients that PyTorch gives: tests/reference/README.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from nnctl.component import options as component_options
from nnctl.component import registry
from nnctl.initializers.identity import Identity
from nnctl.layers import InputColumn, Inputs
from nnctl.layers.dense import Dense
from nnctl.losses import Loss
from nnctl.network.arena import Arena
from nnctl.network.members import Streams, stream
from nnctl.network.network import Network, build
from nnctl.network.workspace import Pass, Workspace
from tests.reference.comparison import DTYPES, TOLERANCE, assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = [record for file in ("activations", "layers", "recurrent") for record in load(file)]
PASSED = [record for record in RECORDS if record["kind"] == "layers"]
NOISY = [record for record in RECORDS if record["kind"] == "noise"]


class Probe(Loss):
    """A loss of which the gradient is given: it stands where the targets do."""

    def forward(self, s: Any) -> None:
        s.losses.fill(0)

    def backward(self, s: Any) -> None:
        np.copyto(s.dy, s.t)


@DTYPES
@pytest.mark.parametrize("record", params(PASSED))
def test_layer_agrees_with_its_record(record: Record, dtype: str) -> None:
    run, arena = passed(record, np.array(record["x"]), dtype, training=record["training"])
    run.forward()
    assert_agrees(run.scores, record["y"], TOLERANCE[dtype], "y")
    for name, values in record.get("statistics_after", {}).items():
        assert_agrees(arena.named_statistics()[f"layers.0.{name}"], values, TOLERANCE[dtype], f"running {name}")
    if record["training"]:
        run.t[...] = np.array(record["dy"])
        run.backward()
        found = {name.removeprefix("layers.0."): value for name, value in arena.named(arena.grad).items()}
        for name, gradient in record["gradients"].items():
            value = run.dx if name == "x" else found[name]
            assert_agrees(value, gradient, TOLERANCE[dtype], f"the gradient of {name}")


@pytest.mark.parametrize("record", params(NOISY))
def test_noise_has_the_distribution_of_its_record(record: Record) -> None:
    """Of n values the share p is off by about sqrt(p (1 - p) / n); five times that is allowed."""
    count = 200_000
    run, _ = passed(record, np.full((count, 1), record["constant"]), "float64", training=True)
    run.forward()
    y = run.scores.ravel()
    if "values" in record:
        for value, share in zip(record["values"], record["shares"], strict=True):
            found = np.isclose(y, value, rtol=1e-6, atol=1e-6).mean()
            assert abs(found - share) < 5 * math.sqrt(share * (1 - share) / count)
    else:
        assert abs(y.mean() - record["mean"]) < 5 * record["std"] / math.sqrt(count)
        assert abs(y.std() / record["std"] - 1) < 5 / math.sqrt(2 * count)


def passed(record: Record, x: Any, dtype: str, *, training: bool) -> tuple[Pass, Arena]:
    """The layer in a network of its own, with the record's parameters and input."""
    network = _network(record, x.shape[1:])
    arena = network.arena(dtype)
    network.initialise(arena, [stream(0, "init")])
    views = arena.named(arena.theta) | arena.named_statistics()
    given = record.get("parameters", {}) | record.get("statistics", {})
    own = {name for name in views if name.startswith("layers.0.")}
    assert own == {f"layers.0.{name}" for name in given} or not given, "the record has other parameters"
    for name, values in given.items():
        assert views[f"layers.0.{name}"].shape == np.shape(values), name
        views[f"layers.0.{name}"][...] = values
    streams = Streams([stream(0, "dropout")], network.members)
    space = Workspace(network, [Probe()], arena, len(x), training=training, streams=streams, input_gradient=training)
    run = space.at(len(x))
    run.x[...] = x
    return run, arena


def _network(record: Record, shape: tuple[int, ...]) -> Network:
    """Behind a layer without parameters stands a dense one that hands on what it gets: a network has some to learn."""
    layer = component("layers", {**record, "options": _decided(record["name"], record["options"])})
    columns = tuple(InputColumn(*column) for column in record.get("columns", ()))
    layers = [("layers.0", layer)]
    plan = layer.plan(Inputs(shape, columns))
    if not record.get("parameters"):
        layers.append(("output", Dense(units=plan.output[-1], bias=False, init=Identity())))
    return build(layers, shape, columns)


def _decided(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with an initializer wherever `auto` would be decided by the architecture."""
    found = {key: _inside(value) for key, value in options.items()}
    init = component_options(registry.get("layers", name)).get("init")
    return {"init": "zeros", **found} if init is not None and init.default == "auto" else found


def _inside(value: Any) -> Any:
    if isinstance(value, dict):
        return {"type": value["type"], **_decided(value["type"], {k: v for k, v in value.items() if k != "type"})}
    return [_inside(item) for item in value] if isinstance(value, list) else value
