"""The worked examples of textbooks, number for number, through a config file."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nnctl
from nnctl.initializers.values import Values
from nnctl.layers.dense import Dense
from nnctl.layers.sigmoid import Sigmoid
from nnctl.losses.mse import Mse
from nnctl.network.network import build
from nnctl.network.workspace import Pass, Workspace
from tests.reference.records import load
from tests.reference.tables import breast_cancer

ROOT = Path(__file__).parent.parent


def test_xor_is_learned_step_by_step_as_in_a_loop_over_the_formulas(tmp_path: Path) -> None:
    run = nnctl.train(ROOT / "configs" / "textbook_xor.yaml", runs_dir=tmp_path)
    with (Path(run.path) / "metrics.csv").open(newline="") as file:
        found = [float(row["train_loss"]) for row in csv.DictReader(file)]

    X, t = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([[0.0], [1.0], [1.0], [0.0]])
    W, b = np.array([[0.7, 0.1, 0.2], [0.6, 0.4, 0.3]]), np.array([-0.1, -0.2, 0.1])
    V, c, losses = np.array([[-0.3], [0.4], [0.1]]), np.array([0.0]), []
    for _ in range(1000):
        h = np.maximum(X @ W + b, 0)
        y = 1 / (1 + np.exp(-(h @ V + c)))
        losses.append(np.mean((y - t) ** 2))
        d = 2 * (y - t) / 4 * y * (1 - y)
        e = d @ V.T * (h > 0)
        W, b, V, c = W - X.T @ e, b - e.sum(axis=0), V - h.T @ d, c - d.sum(axis=0)

    assert found == pytest.approx(losses, rel=1e-10)
    weights = weights_of(run)
    for name, value in {"layers.0.W": W, "layers.0.b": b, "output.W": V, "output.b": c}.items():
        np.testing.assert_allclose(weights[name], value, rtol=1e-9, atol=1e-12)


def weights_of(run: Any) -> dict[str, Any]:
    arena = nnctl.load(run).arena
    return arena.named(arena.theta)


def unit(weights: list[float], bias: float, inputs: list[float], target: float) -> tuple[Pass, Any]:
    """A sigmoid unit with half the squared error behind it, after a pass over one row."""
    rows = tuple((weight,) for weight in weights)
    dense = Dense(units=1, activation=Sigmoid(), init=Values(values=rows), bias_init=Values(values=(bias,)))
    network = build([("unit", dense)], (len(weights),))
    arena = network.arena(np.float64)
    network.initialise(arena, [np.random.default_rng(0)])
    loss = Mse(reduction="sum", scale=0.5)
    run = Workspace(network, [loss], arena, 1, training=True, input_gradient=True).at(1)
    run.x[...], run.t[...] = inputs, target
    run.forward()
    run.backward()
    return run, arena


def test_a_sigmoid_unit_gives_the_number_of_the_textbook() -> None:
    """0.95 * 0.10 + 0.06 * 0.15 + 0.05 = 0.154."""
    run, _ = unit([0.10, 0.15], 0.05, [0.95, 0.06], target=0.0)
    assert run.scores[0, 0] == pytest.approx(0.538, abs=5e-4)
    assert np.log(run.scores[0, 0] / (1 - run.scores[0, 0])) == pytest.approx(0.154, abs=1e-12)


def test_the_error_and_its_derivative_are_those_of_the_textbook() -> None:
    """The output unit over 0.538 and 0.52: the derivative by 0.18 is 0.58368 * 0.23213 * 0.538."""
    run, arena = unit([0.18, 0.06], 0.42, [0.538, 0.52], target=0.05)
    assert run.scores[0, 0] == pytest.approx(0.633, abs=1e-3)
    assert run.scores[0, 0] == pytest.approx(0.63368, abs=5e-6)
    assert run.losses[0] == pytest.approx(0.5 * (0.05 - 0.63368) ** 2, abs=5e-6)
    assert arena.named(arena.grad)["unit.W"][0, 0] == pytest.approx(0.58368 * 0.23213 * 0.538, abs=5e-6)


LINEAR = {record["name"]: record for record in load("textbook")}


@pytest.mark.parametrize("name", ["linear_regression", "logistic_regression"])
def test_a_layer_without_hidden_ones_finds_the_coefficients_of_scikit_learn(name: str, tmp_path: Path) -> None:
    weights = weights_of(nnctl.train(ROOT / "configs" / f"{name}.yaml", runs_dir=tmp_path))
    np.testing.assert_allclose(weights["output.W"][:, 0], LINEAR[name]["W"], atol=1e-3)
    np.testing.assert_allclose(weights["output.b"][0], LINEAR[name]["b"], atol=1e-3)


def test_a_support_vector_machine_reaches_the_objective_of_scikit_learn(tmp_path: Path) -> None:
    weights = weights_of(nnctl.train(ROOT / "configs" / "linear_svm.yaml", runs_dir=tmp_path))
    W, b = weights["output.W"][:, 0], weights["output.b"][0]
    x, sign = breast_cancer()
    objective = np.maximum(0, 1 - sign * (x @ W + b)).mean() + LINEAR["linear_svm"]["l2"] / 2 * W @ W
    assert objective == pytest.approx(LINEAR["linear_svm"]["objective"], rel=1e-3)
