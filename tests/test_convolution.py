"""Convolution and pooling against loops over places, in shapes and cases that the conformance checks do not reach."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnctl.errors import SpecError
from nnctl.initializers.lecun_normal import LecunNormal
from nnctl.initializers.uniform import Uniform
from nnctl.layers import Inputs, Layer, convolution
from nnctl.layers.avg_pool2d import AvgPool2d
from nnctl.layers.conv1d import Conv1d
from nnctl.layers.conv2d import Conv2d
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.global_avg_pool import GlobalAvgPool
from nnctl.layers.global_max_pool import GlobalMaxPool
from nnctl.layers.max_pool1d import MaxPool1d
from nnctl.layers.max_pool2d import MaxPool2d
from nnctl.layers.relu import Relu
from nnctl.layers.reshape import Reshape
from nnctl.layers.windows import Axis
from nnctl.losses.mse import Mse
from nnctl.network.members import stream
from nnctl.network.network import build
from nnctl.network.order import in_order
from nnctl.network.workspace import Workspace
from nnctl.testing.harness import around, assert_close, assert_gradients, prepared, rows_for, targets, trained
from nnctl.testing.layers import check_layer_members, check_narrow_pass, check_rows_independent

Array = Any


def pass_through(layer: Layer, x: Array, dy: Array | None = None) -> tuple[Array, Array, Any]:
    """What a layer gives for x (B, *I), the gradient of x for dy (ones), and the arena."""
    network = build(
        [("layers.0", layer), ("layers.1", Flatten()), ("output", Dense(units=1, init=LecunNormal()))], x.shape[1:]
    )
    arena = network.arena(np.float64)
    network.initialise(arena, [stream(0, "init")])
    run = Workspace(network, [Mse()], arena, len(x), training=True, input_gradient=True).at(len(x))
    slot = run._forward[0][1]
    run.x[...] = x
    layer.forward(slot)
    y = slot.y.copy()
    slot.dy[...] = np.ones(y.shape) if dy is None else dy
    layer.backward(slot)
    return y, slot.dx, arena


def axis(size: int, window: int, stride: int, padding: str | int, dilation: int) -> tuple[int, int]:
    """Outputs and padding in front, by the definition in TensorFlow's documentation."""
    extent = (window - 1) * dilation + 1
    if padding == "same":
        outputs = -(-size // stride)
        return outputs, max(0, (outputs - 1) * stride + extent - size) // 2
    padding = 0 if padding == "valid" else int(padding)
    return (size + 2 * padding - extent) // stride + 1, padding


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.sampled_from(["valid", "same", 1, 3]),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    channels=st.integers(1, 3),
)
def test_a_convolution_is_a_sum_over_its_window(
    sizes: tuple[int, int],
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: Any,
    dilation: tuple[int, int],
    channels: int,
) -> None:
    layer = Conv2d(
        filters=2,
        kernel=kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        init=LecunNormal(),
        bias_init=Uniform(limit=0.5),
    )
    x = stream(1, "x").standard_normal((3, *sizes, channels))
    found = [axis(*each, padding, d) for *each, d in zip(sizes, kernel, stride, dilation, strict=True)]
    if min(outputs for outputs, _ in found) < 1:
        with pytest.raises(SpecError, match="does not fit"):
            layer.plan(Inputs(x.shape[1:]))
        return
    y, dx, arena = pass_through(layer, x)
    W, b = (arena.named(arena.theta)[f"layers.0.{name}"] for name in "Wb")
    expected, gradient = np.zeros(y.shape) + b, np.zeros(x.shape)
    for place in itertools.product(*(range(outputs) for outputs, _ in found)):
        for tap in itertools.product(*map(range, kernel)):
            r, c = (p * s + t * d - f[1] for p, s, t, d, f in zip(place, stride, tap, dilation, found, strict=True))
            if 0 <= r < sizes[0] and 0 <= c < sizes[1]:
                expected[:, place[0], place[1]] += x[:, r, c] @ W[tap]
                gradient[:, r, c] += W[tap].sum(-1)
    assert y.shape[1:3] == tuple(outputs for outputs, _ in found)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(dx, gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("layer", [Conv2d(filters=3, kernel=3, padding="same"), Conv2d(filters=2, kernel=2, stride=2)])
def test_a_batch_in_several_blocks_gives_what_one_block_gives(layer: Conv2d, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(around(layer), 7, 7)
    monkeypatch.setattr(convolution, "BLOCK", 1200)  # two or three rows: the last block is a short one
    in_blocks = trained(around(layer), 7, 7)
    for one, other in zip(whole, in_blocks, strict=True):
        assert_close(one, other, "blocks differ from the whole")


@pytest.mark.parametrize("cls", [Conv1d, Conv2d])
def test_stacks_and_ragged_batches_may_run_in_blocks(cls: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convolution, "BLOCK", 1200)
    for check in (check_layer_members, check_narrow_pass, check_rows_independent):
        check(cls)


def test_gradients_hold_behind_a_few_and_behind_many_channels() -> None:
    """The patches of few channels lie in memory another way than those of many."""
    for channels in (1, 8):
        front = Conv1d(filters=channels, kernel=1, init=LecunNormal())
        layer = Conv1d(filters=2, kernel=3, init=LecunNormal())
        dense = Dense(units=3, init=LecunNormal())
        layers = [("layers.0", front), ("layers.1", layer), ("layers.2", Flatten()), ("output", dense)]
        network = build(layers, (12, 1))
        assert_gradients(network, Mse(), rows_for(network), targets(), f"conv1d of {channels} channels")


def test_the_first_of_equal_inputs_gets_the_gradient() -> None:
    x = np.array([[[3.0], [3.0], [1.0], [2.0], [2.0], [2.0]]])
    for layer, expected in (
        (MaxPool1d(size=3), [1, 0, 0, 1, 0, 0]),
        (MaxPool1d(size=3, stride=1), [1, 1, 0, 2, 0, 0]),
        (GlobalMaxPool(), [1, 0, 0, 0, 0, 0]),
    ):
        assert pass_through(layer, x)[1].ravel().tolist() == expected


def test_padding_is_never_the_largest_and_has_no_share_in_the_mean() -> None:
    x = -np.ones((1, 3, 3, 1))
    assert (pass_through(MaxPool2d(size=2, padding=1), x)[0] == -1).all()
    assert (pass_through(AvgPool2d(size=3, stride=1, padding="same"), x)[0] == -1).all()


def test_inputs_outside_all_windows_have_no_gradient() -> None:
    x = stream(1, "x").standard_normal((2, 5, 5, 1))
    for layer in (MaxPool2d(size=2), AvgPool2d(size=2), MaxPool2d(size=1, stride=2)):
        dx = pass_through(layer, x)[1]
        assert dx.any()
        assert not dx[:, 1 if layer.stride else 4].any()


def test_global_pooling_takes_any_number_of_axes() -> None:
    for shape in ((2, 4, 3), (2, 4, 5, 3), (2, 2, 2, 2, 3)):
        x = stream(1, "x").standard_normal(shape)
        axes = tuple(range(1, len(shape) - 1))
        np.testing.assert_allclose(pass_through(GlobalAvgPool(), x)[0], x.mean(axes), rtol=1e-12)
        np.testing.assert_array_equal(pass_through(GlobalMaxPool(), x)[0], x.max(axes))


def test_same_padding_puts_the_longer_half_behind() -> None:
    conv = Conv2d(filters=1, kernel=(2, 4), padding="same")
    assert conv.axes(Inputs((5, 5, 1))) == (Axis(5, 2, 1, 1, 0, 1), Axis(5, 4, 1, 1, 1, 2))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            Conv2d(filters=1, kernel=3),
            (784,),
            r"needs rows, columns and channels, got the shape \(784,\): put "
            r"`\{type: reshape, shape: \[28, 28, 1\]\}` in front",
        ),
        (Conv2d(filters=1, kernel=3), (3072,), r"shape: \[32, 32, 3\]"),
        (Conv2d(filters=1, kernel=3), (10,), r"shape: \[rows, columns, channels\]"),
        (Conv2d(filters=1, kernel=3), (8, 8), r"shape: \[8, 8, 1\]"),
        (Conv1d(filters=1, kernel=3), (12,), r"needs steps and channels, got .* shape: \[12, 1\]"),
        (MaxPool1d(size=2), (4, 4, 3), r"shape: \[16, 3\]"),
        (Conv2d(filters=1, kernel=(3, 9)), (8, 8, 1), r"a window of 3 x 9 does not fit into 8 x 8: make it"),
        (Conv1d(filters=1, kernel=3, dilation=4), (8, 1), r"a window of 9 does not fit into 8"),
        (MaxPool2d(size=2, padding=2), (8, 8, 1), r"padding: must be smaller than the size 2, got 2"),
        (GlobalAvgPool(), (5,), r"needs at least one axis in front of the channels, got the shape \(5,\)"),
    ],
)
def test_a_layer_that_does_not_fit_says_what_to_do(layer: Layer, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        layer.plan(Inputs(shape))


def test_a_rectifier_behind_the_pooling_gives_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [
        ("layers.0", Reshape(shape=(6, 6, 1))),
        ("layers.1", Conv2d(filters=3, kernel=3, padding="same", activation=Relu(), init=LecunNormal())),
        ("layers.2", MaxPool2d(size=2)),
        ("layers.3", Relu()),
        ("layers.4", MaxPool2d(size=2, stride=1, padding="same")),
        ("layers.5", GlobalMaxPool()),
        ("output", Dense(units=3, init=LecunNormal())),
    ]
    network = build(layers, (36,))
    ordered = [node.name for node in in_order(network.nodes)]
    assert ordered[1:] == ["layers.1", "layers.2", "layers.1.activation", "layers.4", "layers.5", "layers.3", "output"]
    x = np.round(stream(0, "x").standard_normal((7, 36)))  # with many equal numbers
    x[3] = -1

    def passed() -> list[Array]:
        found = []
        for dtype in (np.float32, np.float64):
            space = prepared(network, [Mse()], len(x), dtype=dtype)
            run = space.at(len(x))
            run.x[...], run.t[...] = x, targets()
            run.forward()
            scores = run.scores.copy()
            run.backward()
            found += [scores, space.arena.grad]
        return found

    moved = passed()
    monkeypatch.setattr("nnctl.network.chain.in_order", tuple)
    monkeypatch.setattr("nnctl.network.workspace.in_order", tuple)
    for one, other in zip(moved, passed(), strict=True):
        assert one.tobytes() == other.tobytes()
        assert one.any()
