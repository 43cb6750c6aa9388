"""The network: flat vectors, shapes, members, and the numbers against textbook formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.initializers.he_normal import HeNormal
from nnctl.initializers.values import Values
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.dropout import Dropout
from nnctl.layers.gelu import Gelu
from nnctl.layers.relu import Relu
from nnctl.layers.sigmoid import Sigmoid
from nnctl.losses.cross_entropy import CrossEntropy
from nnctl.losses.mse import Mse
from nnctl.network.gradcheck import gradcheck
from nnctl.network.members import Streams, stream
from nnctl.network.network import build, key_of, stack
from nnctl.network.workspace import Workspace


def dense(units: int, **options: object) -> Dense:
    return Dense(units=units, init=HeNormal(), **options)  # type: ignore[arg-type]


def test_parameters_are_views_of_one_vector_with_the_decayed_ones_first() -> None:
    network = build([("layers.0", dense(4)), ("layers.1", BatchNorm()), ("output", dense(2))], (3,))
    arena = network.arena()
    named = arena.named(arena.theta)
    assert list(named) == ["layers.0.W", "output.W", "layers.0.b", "layers.1.gamma", "layers.1.beta", "output.b"]
    assert arena.decayed.size == 3 * 4 + 4 * 2
    arena.theta[:] = np.arange(arena.theta.size)
    assert all(np.shares_memory(view, arena.theta) for view in named.values())
    assert named["output.W"][0, 0] == 12


def test_an_activation_option_is_a_link_of_its_own_behind_its_layer() -> None:
    network = build([("layers.0", dense(4, activation=Relu())), ("output", dense(2))], (3,))
    assert [node.name for node in network.nodes] == ["layers.0", "layers.0.activation", "output"]


def test_values_of_another_shape_are_refused_with_the_key_of_the_layer() -> None:
    layer = Dense(units=2, init=Values(values=((1.0, 2.0, 3.0),)))
    with pytest.raises(SpecError, match=r"model\.layers\[1\]\.init: the numbers have the shape \(1, 3\)"):
        build([("layers.0", dense(4)), ("layers.1", layer)], (3,))


def test_a_network_without_parameters_is_refused() -> None:
    with pytest.raises(SpecError, match="nothing to learn"):
        build([("layers.0", Relu())], (3,))


def test_keys_follow_the_names_of_nodes() -> None:
    assert key_of("layers.2.layers.0.activation") == "model.layers[2].layers[0].activation"
    assert key_of("output") == "model.output"


def test_a_sigmoid_unit_of_a_textbook_gives_its_number() -> None:
    """Inputs 0.95 and 0.06, weights 0.10 and 0.15, bias 0.05: the sum is 0.154, its sigmoid 0.538."""
    layer = Dense(
        units=1, init=Values(values=((0.10,), (0.15,))), bias_init=Values(values=(0.05,)), activation=Sigmoid()
    )
    network = build([("output", layer)], (2,))
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(0, "init")])
    run = Workspace(network, [Mse()], arena, 1, training=False).at(1)
    run.x[...], run.t[...] = [[0.95, 0.06]], 0.0
    run.forward()
    assert run.scores[0, 0] == pytest.approx(1 / (1 + np.exp(-0.154)), abs=1e-15)


def test_full_batch_descent_equals_ten_lines_of_numpy() -> None:
    rng = stream(7, "loop")
    x, t = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    network = build([("layers.0", dense(4, activation=Relu())), ("output", dense(2))], (3,))
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(0, "init")])
    named = arena.named(arena.theta)
    W1, b1, W2, b2 = (named[name].copy() for name in ("layers.0.W", "layers.0.b", "output.W", "output.b"))
    run = Workspace(network, [Mse()], arena, 6, training=True).at(6)
    run.x[...], run.t[...] = x, t
    for _ in range(50):
        run.forward()
        run.backward()
        arena.theta -= 0.1 * arena.grad
        h = np.maximum(x @ W1 + b1, 0)
        dy = 2 * (h @ W2 + b2 - t) / t.size
        dh = dy @ W2.T * (h > 0)
        W2, b2 = W2 - 0.1 * h.T @ dy, b2 - 0.1 * dy.sum(0)
        W1, b1 = W1 - 0.1 * x.T @ dh, b1 - 0.1 * dh.sum(0)
    np.testing.assert_allclose(named["layers.0.W"], W1, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(named["output.b"], b2, rtol=1e-12, atol=1e-14)


@given(
    units=st.lists(st.integers(1, 6), min_size=0, max_size=3),
    inputs=st.integers(1, 5),
    rows=st.integers(1, 6),
    classes=st.integers(2, 4),
    seed=st.integers(0, 1000),
)
def test_gradients_hold_for_any_shape(units: list[int], inputs: int, rows: int, classes: int, seed: int) -> None:
    layers = [(f"layers.{place}", dense(width, activation=Gelu())) for place, width in enumerate(units)]
    network = build([*layers, ("output", dense(classes))], (inputs,))
    rng = stream(seed, "rows")
    t = np.eye(classes)[rng.integers(0, classes, rows)]
    found = gradcheck(network, CrossEntropy(), rng.standard_normal((rows, inputs)), t, seed=seed)
    assert all(checked.passed for checked in found), found


def test_a_stack_of_networks_that_differ_in_shape_is_refused() -> None:
    one, other = (build([("output", dense(units))], (3,)) for units in (2, 3))
    with pytest.raises(ValueError, match=r"dense\.units differs"):
        stack([one, other])


def test_members_may_differ_in_options_marked_for_stacks() -> None:
    rates = (0.0, 0.5)
    networks = [
        build([("layers.0", dense(64)), ("layers.1", Dropout(rate=rate)), ("output", dense(64))], (3,))
        for rate in rates
    ]
    both = stack(networks)
    arena = both.arena()
    both.initialise(arena, [stream(0, "init")] * 2)
    streams = Streams([stream(seed, "dropout") for seed in (1, 2)], (2,))
    run = Workspace(both, [Mse(), Mse()], arena, 8, training=True, streams=streams).at(8)
    run.x[...], run.t[...] = 1.0, 0.0
    run.forward()
    slot = next(slot for forward, slot in run._forward if isinstance(forward.__self__, Dropout))
    assert slot.kept[0].all()
    assert 0.3 < slot.kept[1].mean() < 0.7


def test_batch_norm_of_one_row_leaves_the_running_statistics_alone() -> None:
    network = build([("layers.0", BatchNorm()), ("output", dense(1))], (3,))
    arena = network.arena()
    network.initialise(arena, [stream(0, "init")])
    space = Workspace(network, [Mse()], arena, 2, training=True)
    run = space.at(1)
    run.x[...], run.t[...] = 5.0, 0.0
    run.forward()
    assert arena.stats.tolist() == [0, 0, 0, 1, 1, 1]
    run = space.at(2)
    run.x[...], run.t[...] = [[0, 0, 0], [2, 4, 6]], 0.0
    run.forward()
    np.testing.assert_allclose(arena.named_statistics()["layers.0.mean"], [0.1, 0.2, 0.3], rtol=1e-6)
    np.testing.assert_allclose(arena.named_statistics()["layers.0.var"], [0.9 + 0.2, 0.9 + 0.8, 0.9 + 1.8], rtol=1e-6)
