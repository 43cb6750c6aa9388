"""Layers that meet in one network: the numeric gradient check of combinations, and members of a stack of them."""

from __future__ import annotations

import pytest

from nnctl.layers import InputColumn
from nnctl.losses.mse import Mse
from nnctl.network.gradcheck import gradcheck
from nnctl.network.network import Network, build
from nnctl.spec.binding import Binder
from nnctl.spec.nodes import parse
from nnctl.spec.problems import Problems
from nnctl.spec.schema import Model
from nnctl.testing.harness import SEEDS, assert_members, rows_for, targets

PLAIN = "init: lecun_normal, bias_init: {type: uniform, limit: 0.5}"
COLUMNS = (InputColumn("age", "number"), InputColumn("town", "code", 5), InputColumn("job", "code", 3))

IMAGES = f"""
layers:
  - {{type: conv2d, filters: 4, kernel: 3, padding: same, {PLAIN}}}
  - batch_norm
  - {{type: residual, layers: [{{type: conv2d, filters: 4, kernel: 3, padding: same, {PLAIN}}}, batch_norm, tanh]}}
  - {{type: dropout, rate: 0.3}}
  - {{type: residual, layers: [{{type: conv2d, filters: 2, kernel: [1, 3], padding: same, {PLAIN}}}, gelu]}}
  - {{type: avg_pool2d, size: 2}}
  - flatten
  - {{type: dense, units: 3, {PLAIN}}}
"""
SIGNALS = f"""
layers:
  - {{type: conv1d, filters: 3, kernel: 2, {PLAIN}}}
  - type: concat
    branches:
      - [{{type: max_pool1d, size: 2, stride: 1, padding: same}}, sigmoid]
      - [{{type: conv1d, filters: 2, kernel: 3, padding: same, {PLAIN}}}, layer_norm]
  - global_avg_pool
  - {{type: dense, units: 3, {PLAIN}}}
"""
TABLE = f"""
layers:
  - type: concat
    branches:
      - [embedding, {{type: residual, layers: [{{type: dense, units: 5, {PLAIN}}}, rms_norm, silu]}}]
      - [{{type: embedding, columns: [town]}}, {{type: embedding}}, {{type: dense, units: 2, {PLAIN}}}, {{type: scale}}]
  - {{type: alpha_dropout, rate: 0.2}}
  - rms_norm
  - {{type: dense, units: 3, {PLAIN}}}
"""
SEQUENCES = f"""
layers:
  - {{type: lstm, units: 3, return_sequences: true, bidirectional: true}}
  - layer_norm
  - {{type: residual, layers: [{{type: gru, units: 4, return_sequences: true}}, layer_norm]}}
  - {{type: simple_rnn, units: 3}}
  - {{type: dense, units: 3, {PLAIN}}}
"""
NETWORKS = {
    "images": (IMAGES, (6, 4, 2), ()),
    "signals": (SIGNALS, (6, 2), ()),
    "a table": (TABLE, (3,), COLUMNS),
    "sequences": (SEQUENCES, (4, 2), ()),
}


def network(text: str, shape: tuple[int, ...], columns: tuple[InputColumn, ...] = ()) -> Network:
    problems = Problems()
    model = Binder(problems).section(Model, parse(text, "written"), ())
    problems.raise_if_any()
    return build([(f"layers.{place}", layer) for place, layer in enumerate(model.layers)], shape, columns)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradients_of_a_combination_are_right(name: str) -> None:
    combined = network(*NETWORKS[name])
    for checked in gradcheck(combined, Mse(), rows_for(combined), targets()):
        assert checked.passed, f"{name}: {checked.name} is off by {checked.error:.1e}"


@pytest.mark.parametrize("name", NETWORKS)
def test_members_of_a_stack_of_combinations_are_those_alone(name: str) -> None:
    assert_members([network(*NETWORKS[name]) for _ in SEEDS], [Mse() for _ in SEEDS], name)
