"""The recurrent layers against loops over steps, their two directions, and what they refuse."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import nnctl
from nnctl.errors import SpecError
from nnctl.layers import Layer
from nnctl.layers.flatten import Flatten
from nnctl.layers.gru import Gru
from nnctl.layers.layer_norm import LayerNorm
from nnctl.layers.lstm import Lstm
from nnctl.layers.recurrence import Recurrence
from nnctl.layers.simple_rnn import SimpleRnn
from nnctl.losses.mse import Mse
from nnctl.network.members import stream
from nnctl.network.network import build
from nnctl.network.workspace import Workspace
from nnctl.testing.harness import assert_gradients, rows, targets
from nnctl.testing.layers import check_layer_gradients
from tests.tables import write_csv
from tests.test_backward_terms import statements, without

Parameters = dict[str, np.ndarray]

BATCH, STEPS, FEATURES, UNITS = 6, 5, 3, 4


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def simple_rnn_step(x: np.ndarray, h: np.ndarray, c: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    return np.tanh(x @ p["W"] + h @ p["R"] + p["b"]), c


def lstm_step(x: np.ndarray, h: np.ndarray, c: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    i, f, g, o = np.split(x @ p["W"] + h @ p["R"] + p["b"], 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x: np.ndarray, h: np.ndarray, c: np.ndarray, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    from_x, from_h = np.split(x @ p["W"] + p["b"], 3, axis=-1), np.split(h @ p["R"], 3, axis=-1)
    r, z = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
    n = np.tanh(from_x[2] + r * (from_h[2] + p["b_hn"]))
    return (1 - z) * n + z * h, c


CELLS = {SimpleRnn: simple_rnn_step, Lstm: lstm_step, Gru: gru_step}
each_cell = pytest.mark.parametrize("cls", CELLS)


def loop(cls: type[Recurrence], x: np.ndarray, p: Parameters) -> np.ndarray:
    """The outputs (B, T, U) of all steps, one after the other."""
    h = c = np.zeros((len(x), UNITS))
    outputs = []
    for t in range(x.shape[1]):
        h, c = CELLS[cls](x[:, t], h, c, p)
        outputs.append(h)
    return np.stack(outputs, axis=1)


def run_of(layer: Recurrence, *, scale: float = 1.0) -> tuple[np.ndarray, Workspace]:
    """The layer's outputs (B, *O) on random rows, and its workspace; all parameters are moved from their start."""
    network = build([("layers.0", layer), ("layers.1", Flatten())], (STEPS, FEATURES))
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(1, "init")])
    arena.theta += 0.3 * stream(1, "move").standard_normal(arena.theta.shape)
    space = Workspace(network, [Mse()], arena, BATCH, training=True, input_gradient=True)
    run, evaluation = space.at(BATCH), Workspace(network, [Mse()], arena, BATCH, training=False).at(BATCH)
    for each in (run, evaluation):
        each.x[...], each.t[...] = scale * sequences(), 0.0
        each.forward()
    np.testing.assert_array_equal(evaluation.scores, run.scores)
    return run.scores.copy().reshape(BATCH, *network.nodes[0].plan.output), space


def sequences() -> np.ndarray:
    return stream(0, "sequences").standard_normal((BATCH, STEPS, FEATURES))


def parameters_of(space: Workspace, ending: str = "") -> Parameters:
    """The parameters of one direction by their short names."""
    named = space.arena.named(space.arena.theta)
    return {name: named[f"layers.0.{name}{ending}"] for name in ("W", "R", "b", "b_hn") if f"layers.0.{name}" in named}


@each_cell
@pytest.mark.parametrize("bidirectional", [False, True])
def test_outputs_are_those_of_a_loop_over_steps(cls: type[Recurrence], bidirectional: bool) -> None:
    x = sequences()
    layer = cls(units=UNITS, return_sequences=True, bidirectional=bidirectional)
    found, space = run_of(layer)
    expected = loop(cls, x, parameters_of(space))
    if bidirectional:
        reverse = loop(cls, x[:, ::-1], parameters_of(space, "_reverse"))[:, ::-1]
        expected = np.concatenate([expected, reverse], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@each_cell
@pytest.mark.parametrize("bidirectional", [False, True])
def test_without_sequences_the_output_is_what_each_direction_reads_last(
    cls: type[Recurrence], bidirectional: bool
) -> None:
    whole, _ = run_of(cls(units=UNITS, return_sequences=True, bidirectional=bidirectional))
    last, _ = run_of(cls(units=UNITS, bidirectional=bidirectional))
    np.testing.assert_array_equal(last[:, :UNITS], whole[:, -1, :UNITS])
    np.testing.assert_array_equal(last[:, UNITS:], whole[:, 0, UNITS:])


@each_cell
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("shape", [(1, 3), (5, 1), (2, 2)])
def test_gradients_hold_for_few_steps_and_features(
    cls: type[Recurrence], return_sequences: bool, shape: tuple[int, int]
) -> None:
    layer = cls(units=1, return_sequences=return_sequences)
    network = build([("layers.0", layer), ("layers.1", Flatten())], shape)
    assert_gradients(network, Mse(), rows(shape=shape), targets(network.output[0]), f"{layer} on {shape}")


@each_cell
def test_stacked_layers_pass_their_gradients_on(cls: type[Recurrence]) -> None:
    layers: list[Layer] = [cls(units=3, return_sequences=True, bidirectional=True), cls(units=3)]
    network = build([(f"layers.{place}", layer) for place, layer in enumerate(layers)], (STEPS, FEATURES))
    assert_gradients(network, Mse(), rows(shape=(STEPS, FEATURES)), targets(3), f"two of {cls.name}")


@each_cell
@pytest.mark.parametrize("return_sequences", [False, True])
def test_gradients_hold_with_a_norm_on_both_sides(cls: type[Recurrence], return_sequences: bool) -> None:
    layer = cls(units=3, return_sequences=return_sequences)
    network = build(
        [("layers.0", LayerNorm()), ("layers.1", layer), ("layers.2", LayerNorm()), ("f", Flatten())], (4, 3)
    )
    assert_gradients(network, Mse(), rows(shape=(4, 3)), targets(network.output[0]), f"{layer} between norms")


@each_cell
@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_huge_inputs_give_finite_outputs_and_gradients(cls: type[Recurrence], scale: float) -> None:
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        layer = cls(units=UNITS, return_sequences=True, bidirectional=True)
        found, space = run_of(layer, scale=scale)
        run = space.at(BATCH)
        run.backward()
    assert np.isfinite(found).all()
    assert np.isfinite(space.arena.grad).all()
    assert np.isfinite(run.dx).all()


@each_cell
def test_a_shorter_batch_leaves_nothing_behind_for_a_longer_one(cls: type[Recurrence]) -> None:
    layer = cls(units=UNITS, bidirectional=True)
    expected, space = run_of(layer)
    run, narrow = space.at(BATCH), space.at(2)
    narrow.x[...], narrow.t[...] = 7.0, 1.0
    narrow.forward()
    narrow.backward()
    run.x[...] = sequences()
    run.forward()
    np.testing.assert_array_equal(run.scores, expected)


@each_cell
def test_weights_decay_and_biases_do_not(cls: type[Recurrence]) -> None:
    network = build([("layers.0", cls(units=UNITS, bidirectional=True))], (STEPS, FEATURES))
    decayed = {segment.name for segment in network.segments if segment.decay}
    assert decayed == {f"layers.0.{name}" for name in ("W", "R", "W_reverse", "R_reverse")}


@pytest.mark.parametrize("value", [1.0, 0.25])
def test_the_forget_gate_alone_starts_with_a_bias(value: float) -> None:
    network = build([("layers.0", Lstm(units=2, bidirectional=True, forget_bias=value))], (STEPS, FEATURES))
    arena = network.arena()
    network.initialise(arena, [stream(0, "init")])
    for name in ("b", "b_reverse"):
        assert arena.named(arena.theta)[f"layers.0.{name}"].tolist() == [0, 0, value, value, 0, 0, 0, 0]
    assert Lstm(units=1).forget_bias == 1


@each_cell
def test_recurrent_weights_start_orthogonal(cls: type[Recurrence]) -> None:
    network = build([("layers.0", cls(units=UNITS))], (STEPS, FEATURES))
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(0, "init")])
    R = arena.named(arena.theta)["layers.0.R"]
    np.testing.assert_allclose(R @ R.T, np.eye(UNITS), atol=1e-12)


@each_cell
@pytest.mark.parametrize("shape", [(12,), (2, 3, 4)])
def test_an_input_without_steps_is_refused_with_the_way_out(cls: type[Recurrence], shape: tuple[int, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        build([("layers.0", cls(units=2))], shape)
    assert f"got the shape {shape}" in str(caught.value)
    assert "model.layers[0]: needs steps and features" in str(caught.value)
    assert "{type: reshape, shape: [steps, features]}" in str(caught.value)


SHARED = [
    pytest.param(method, place, id=f"{method}-{ast.unparse(statement)}")
    for method in ("read_gradient", "pass_back", "write_gradients")
    for place, statement in enumerate(
        statements(ast.parse(textwrap.dedent(inspect.getsource(getattr(Recurrence, method)))))
    )
]


@pytest.mark.parametrize(("method", "place"), SHARED)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # what lies in memory that nobody wrote may overflow
def test_dropping_a_term_that_the_cells_share_fails_the_gradient_check(
    method: str, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = dict(vars(sys.modules[Recurrence.__module__]))
    source = textwrap.dedent(inspect.getsource(getattr(Recurrence, method)))
    exec(compile(without(source, place), "dropped", "exec"), scope)
    monkeypatch.setattr(Recurrence, method, scope[method])
    with pytest.raises(AssertionError, match="gradient"):
        check_layer_gradients(SimpleRnn)


@pytest.mark.parametrize("kind", ["simple_rnn", "gru", "lstm"])
def test_a_config_trains_on_a_table_of_sequences(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The label is the sign of the first of five steps, which the last output must remember."""
    monkeypatch.chdir(tmp_path)
    x = stream(3, "steps").standard_normal((240, 5))
    label = np.where(x[:, 0] > 0, "up", "down")
    write_csv(tmp_path / "steps.csv", ["a", "b", "c", "d", "e", "way"], [[*x[i], label[i]] for i in range(len(x))])
    (tmp_path / "it.yaml").write_text(f"""
data: {{path: steps.csv, target: way}}
model: {{layers: [{{type: reshape, shape: [5, 1]}}, {{type: {kind}, units: 8}}]}}
optimizer: {{type: adam, lr: 0.02}}
train: {{epochs: 40}}
""")
    run = nnctl.train("it.yaml")
    assert run.metrics["val_accuracy"] > 0.9
    columns = {name: x[:, place] for place, name in enumerate("abcde")}
    assert np.mean(nnctl.load(run).predict(columns) == label) > 0.9
