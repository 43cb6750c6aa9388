"""The activations: closed forms, derivatives at kinks, far from zero, and what is special about some."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from nnctl.component import registry
from nnctl.initializers.lecun_normal import LecunNormal
from nnctl.layers import Activation, InputColumn
from nnctl.layers.dense import Dense
from nnctl.layers.elu import Elu
from nnctl.layers.log_softmax import LogSoftmax
from nnctl.layers.prelu import Prelu
from nnctl.layers.relu import FEW, Relu
from nnctl.layers.selu import Selu
from nnctl.layers.soft_shrink import SoftShrink
from nnctl.layers.softmax import Softmax
from nnctl.layers.softplus import Softplus
from nnctl.losses.mse import Mse
from nnctl.network.members import stream
from nnctl.network.network import Network, build
from nnctl.preparing.architecture import architecture
from nnctl.spec.schema import Model
from nnctl.testing.harness import made
from tests.single_layer import Run, run

Function = Callable[[float], float]
GRID = np.linspace(-30.07, 30.03, 302).reshape(151, 2)  # meets no kink
SCALE, ALPHA = 1.0507009873554804934, 1.6732632423543772848


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def softplus(x: float) -> float:
    return math.log1p(math.exp(x)) if x < 0 else x + math.log1p(math.exp(-x))


def between(low: float, x: float, high: float) -> float:
    return min(max(x, low), high)


def mish_slope(x: float) -> float:
    t = math.tanh(softplus(x))
    return t + x * sigmoid(x) / math.cosh(softplus(x)) ** 2


# name, options, the function, its derivative
CLOSED_FORMS: list[tuple[str, Mapping[str, Any], Function, Function]] = [
    ("prelu", {}, lambda x: x if x > 0 else 0.25 * x, lambda x: 1 if x > 0 else 0.25),
    ("prelu", {"slope": -2.0}, lambda x: x if x > 0 else -2 * x, lambda x: 1 if x > 0 else -2),
    ("relu6", {}, lambda x: between(0, x, 6), lambda x: 0 < x < 6),
    ("elu", {}, lambda x: x if x > 0 else math.expm1(x), lambda x: 1 if x > 0 else math.exp(x)),
    ("elu", {"alpha": 3.0}, lambda x: x if x > 0 else 3 * math.expm1(x), lambda x: 1 if x > 0 else 3 * math.exp(x)),
    ("celu", {"alpha": 3.0}, lambda x: x if x > 0 else 3 * math.expm1(x / 3), lambda x: math.exp(min(x, 0) / 3)),
    (
        "selu",
        {},
        lambda x: SCALE * (x if x > 0 else ALPHA * math.expm1(x)),
        lambda x: SCALE * (1 if x > 0 else ALPHA * math.exp(x)),
    ),
    ("mish", {}, lambda x: x * math.tanh(softplus(x)), mish_slope),
    ("softplus", {}, softplus, sigmoid),
    ("softplus", {"beta": 0.5}, lambda x: 2 * softplus(x / 2), lambda x: sigmoid(x / 2)),
    ("softsign", {}, lambda x: x / (1 + abs(x)), lambda x: (1 + abs(x)) ** -2),
    ("log_sigmoid", {}, lambda x: -softplus(-x), lambda x: sigmoid(-x)),
    ("hard_tanh", {}, lambda x: between(-1, x, 1), lambda x: abs(x) < 1),
    ("hard_sigmoid", {}, lambda x: between(0, x / 6 + 0.5, 1), lambda x: (abs(x) < 3) / 6),
    (
        "hard_swish",
        {},
        lambda x: x * between(0, x + 3, 6) / 6,
        lambda x: x / 3 + 0.5 if abs(x) < 3 else float(x > 0),
    ),
    ("soft_shrink", {}, lambda x: x - between(-0.5, x, 0.5), lambda x: abs(x) > 0.5),
    ("hard_shrink", {}, lambda x: x if abs(x) > 0.5 else 0, lambda x: abs(x) > 0.5),
    ("hard_shrink", {"threshold": 2.0}, lambda x: x if abs(x) > 2 else 0, lambda x: abs(x) > 2),
    ("exponential", {}, math.exp, math.exp),
    ("sine", {}, math.sin, math.cos),
]


def activation(name: str, options: Mapping[str, Any] | None = None) -> Any:
    return made(registry.get("layers", name), options or {})


def hidden(layer: Activation, *, units: int, layers: int) -> Network:
    """A network with so many hidden layers of that activation, as wide as its input."""
    columns = [InputColumn(f"x{place}", "number") for place in range(units)]
    model = Model(hidden=(units,) * layers, activation=layer)
    return architecture(model, Mse(), columns=columns, width=1).network


def mapped(function: Function, x: np.ndarray) -> np.ndarray:
    return np.array([function(value) for value in x.ravel().tolist()], np.float64).reshape(x.shape)


@pytest.mark.parametrize(("name", "options", "function", "slope"), CLOSED_FORMS)
def test_values_and_derivatives_are_those_of_the_closed_form(
    name: str, options: Mapping[str, Any], function: Function, slope: Function
) -> None:
    found = run(activation(name, options), x=GRID, dy=-1.5)
    np.testing.assert_allclose(found.y, mapped(function, GRID), rtol=1e-10, atol=0)
    np.testing.assert_allclose(found.dx, -1.5 * mapped(slope, GRID), rtol=1e-10, atol=1e-14)


def test_silu_is_exact_to_the_rounding_of_one() -> None:
    found = run(activation("swish"), x=GRID)
    np.testing.assert_allclose(found.y, mapped(lambda x: x * sigmoid(x), GRID), rtol=1e-14, atol=1e-14)
    slope = mapped(lambda x: sigmoid(x) * (1 + x * sigmoid(-x)), GRID)
    np.testing.assert_allclose(found.dx, slope, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "options", "x", "slope"),
    [
        ("relu", {}, [0.0], [0.0]),
        ("leaky_relu", {"slope": 0.1}, [0.0], [0.1]),
        ("prelu", {"slope": 0.3}, [0.0], [0.3]),
        ("relu6", {}, [0.0, 6.0], [0.0, 0.0]),
        ("elu", {"alpha": 2.0}, [0.0], [2.0]),
        ("celu", {"alpha": 2.0}, [0.0], [1.0]),
        ("selu", {}, [0.0], [SCALE * ALPHA]),
        ("hard_tanh", {}, [-1.0, 1.0], [0.0, 0.0]),
        ("hard_sigmoid", {}, [-3.0, 3.0], [0.0, 0.0]),
        ("hard_swish", {}, [-3.0, 3.0], [0.0, 1.0]),
        ("soft_shrink", {}, [-0.5, 0.5], [0.0, 0.0]),
        ("hard_shrink", {}, [-0.5, 0.5], [0.0, 0.0]),
        ("softsign", {}, [0.0], [1.0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_derivatives_at_kinks_are_those_of_pytorch(
    name: str, options: Mapping[str, Any], x: list[float], slope: list[float], dtype: Any
) -> None:
    found = run(activation(name, options), x=[x], dtype=dtype)
    np.testing.assert_allclose(found.dx, [slope], rtol=1e-7)


@pytest.mark.parametrize("cls", registry.classes("layers", Activation), ids=lambda cls: cls.name)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_activation_is_finite_far_from_zero(cls: type[Activation], dtype: Any) -> None:
    far = [[-1e4, -700.0, -90.0, 0.0]] if cls.name == "exponential" else [[-1e4, -90.0, 90.0, 1e4]]
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        found = run(cls(), x=far, dtype=dtype)
    assert np.isfinite(found.y).all()
    assert np.isfinite(found.dx).all()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("softplus", [-1e4, 1e4], [0, 1e4]),
        ("log_sigmoid", [-1e4, 1e4], [-1e4, 0]),
        ("mish", [-1e4, 1e4], [0, 1e4]),
        ("silu", [-1e4, 1e4], [0, 1e4]),
        ("elu", [-1e4, 1e4], [-1, 1e4]),
        ("softsign", [-1e4, 1e4], [-1e4 / 10_001, 1e4 / 10_001]),
        ("log_softmax", [-1e4, 1e4], [-2e4, 0]),
    ],
)
def test_limits_far_from_zero(name: str, x: list[float], y: list[float]) -> None:
    np.testing.assert_allclose(run(activation(name), x=[x]).y, [y], rtol=1e-15)


def test_log_softmax_is_the_logarithm_of_softmax() -> None:
    x = stream(0, "scores").standard_normal((5, 4)) * 3
    dy = stream(0, "dy").standard_normal((5, 4))
    found, p = run(LogSoftmax(), x=x, dy=dy), run(Softmax(), x=x).y
    np.testing.assert_allclose(found.y, np.log(p), rtol=1e-13)
    np.testing.assert_allclose(found.dx, dy - p * dy.sum(-1, keepdims=True), rtol=1e-12, atol=1e-14)


def test_log_softmax_keeps_what_softmax_rounds_to_zero() -> None:
    assert run(LogSoftmax(), x=[[0.0, 800.0]]).y.tolist() == [[-800.0, 0.0]]


def test_softplus_without_a_bend_is_relu() -> None:
    found = run(Softplus(beta=1e4), x=GRID)
    np.testing.assert_allclose(found.y, np.maximum(GRID, 0), atol=1e-4)


def test_the_fixed_point_of_selu_keeps_mean_and_variance() -> None:
    """The moments behind standard normal inputs, by Gauss-Legendre quadrature on each side of the kink."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    halves = [(6 * (nodes + sign), 6 * weights) for sign in (-1, 1)]  # from -12 to 0 and from 0 to 12
    moments = np.zeros(3)
    for z, w in halves:
        y = run(Selu(), x=z[:, None]).y[:, 0]
        density = w * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        moments += [density.sum(), density @ y, density @ (y * y)]
    np.testing.assert_allclose(moments, [1, 0, 1], atol=1e-10)


def test_selu_keeps_mean_and_variance_through_many_layers() -> None:
    network = hidden(Selu(), units=200, layers=12)
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(0, "init")])
    h = stream(0, "x").standard_normal((500, 200))
    for place in range(12):
        h = run(Selu(), x=h @ arena.named(arena.theta)[f"layers.{place}.W"]).y
    assert abs(h.mean()) < 0.1
    assert abs(h.var() - 1) < 0.2


@pytest.mark.parametrize(
    ("name", "weights"),
    [("mish", "he_normal"), ("prelu", "he_normal"), ("selu", "lecun_normal"), ("hard_tanh", "glorot_uniform")],
)
def test_the_initializer_in_front_suits_the_activation(name: str, weights: str) -> None:
    first = hidden(activation(name), units=3, layers=1).nodes[0].layer
    assert first.init.name == weights  # type: ignore[attr-defined]


def test_relu_of_many_elements_is_that_of_few() -> None:
    x = stream(0, "x").standard_normal((FEW // 4 + 1, 4))
    x[0, 0] = 0
    many, few = run(Relu(), x=x, dy=2.0), [run(Relu(), x=part, dy=2.0) for part in (x[:-1], x[-1:])]
    assert np.array_equal(many.y, np.concatenate([part.y for part in few]))
    assert np.array_equal(many.dx, np.concatenate([part.dx for part in few]))
    assert np.array_equal(many.dx, 2.0 * (x > 0))


def test_prelu_learns_one_slope_that_never_decays() -> None:
    x, dy = stream(0, "x").standard_normal((2, 6, 4))
    found = run(Prelu(), x=x, dy=dy)
    assert found.theta["slope"].tolist() == [0.25]
    np.testing.assert_allclose(found.grad["slope"], [(dy * np.minimum(x, 0)).sum()], rtol=1e-12)
    network = build([("output", Dense(units=2, init=LecunNormal(), activation=Prelu()))], (3,))
    named = network.arena().named(network.arena().theta)
    assert list(named) == ["output.W", "output.b", "output.activation.slope"]
    assert network.arena().decayed.size == 6


def test_prelu_of_images_has_one_slope_too() -> None:
    x, dy = stream(0, "x").standard_normal((2, 3, 4, 5, 2))
    found = run(Prelu(slope=0.5), Prelu(slope=2.0), x=x, dy=dy)
    for member, slope in enumerate((0.5, 2.0)):
        np.testing.assert_allclose(found.y[member], np.where(x > 0, x, slope * x))
        np.testing.assert_allclose(found.grad["slope"][member], [(dy * np.minimum(x, 0)).sum()], rtol=1e-12)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Elu(alpha=0.5), Elu(alpha=2.0)),
        (SoftShrink(threshold=0.1), SoftShrink(threshold=1.0)),
        (Softplus(beta=0.5), Softplus(beta=3.0)),
    ],
)
def test_members_with_options_of_their_own_are_the_layers_alone(one: Activation, other: Activation) -> None:
    x, dy = stream(0, "x").standard_normal((2, 3, 4, 2))
    both = run(one, other, x=x, dy=dy)
    for member, layer in enumerate((one, other)):
        single: Run = run(layer, x=x, dy=dy)
        np.testing.assert_allclose(both.y[member], single.y, rtol=1e-14)
        np.testing.assert_allclose(both.dx[member], single.dx, rtol=1e-14)
