"""The normalisations: against their formulas, on vectors and on images, and their running statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nnctl.initializers.lecun_normal import LecunNormal
from nnctl.layers import Layer
from nnctl.layers.batch_norm import BatchNorm
from nnctl.layers.dense import Dense
from nnctl.layers.flatten import Flatten
from nnctl.layers.layer_norm import LayerNorm
from nnctl.layers.rms_norm import RmsNorm
from nnctl.layers.scale import Scale
from nnctl.losses.mse import Mse
from nnctl.network.members import stream
from nnctl.network.network import build
from nnctl.testing.harness import assert_gradients, targets
from tests.single_layer import run

IMAGES, VECTORS = (4, 3, 2, 5), (24, 5)
LAYERS = [BatchNorm(), BatchNorm(affine=False), LayerNorm(), LayerNorm(affine=False), RmsNorm(), Scale()]
GAMMA, BETA = np.array([0.5, 1.0, -2.0, 3.0, 1.5]), np.array([0.1, 0.0, -0.3, 2.0, 1.0])


def numbers(*shape: int, name: str = "x") -> np.ndarray:
    return 3 * stream(0, name).standard_normal(shape) + 2


def test_layer_norm_is_its_formula() -> None:
    x = numbers(6, 5)
    found = run(LayerNorm(eps=1e-2), x=x, theta={"gamma": GAMMA, "beta": BETA})
    normal = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-2)
    np.testing.assert_allclose(found.y, GAMMA * normal + BETA, rtol=1e-12)


def test_rms_norm_is_its_formula() -> None:
    x = numbers(6, 5)
    found = run(RmsNorm(eps=1e-2), x=x, theta={"gamma": GAMMA})
    np.testing.assert_allclose(found.y, GAMMA * x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-2), rtol=1e-12)


def test_scale_is_a_product() -> None:
    x, dy = numbers(6, 5), numbers(6, 5, name="dy")
    found = run(Scale(init=2.0), x=x, dy=dy)
    assert np.array_equal(found.y, 2 * x)
    assert np.array_equal(found.dx, 2 * dy)
    np.testing.assert_allclose(found.grad["factor"], (x * dy).sum(0), rtol=1e-12)


@pytest.mark.parametrize("layer", [LayerNorm(), RmsNorm(), BatchNorm()])
def test_constant_inputs_give_finite_numbers(layer: Layer) -> None:
    for value in (0.0, 1e4):
        found = run(layer, x=np.full((4, 5), value), dy=numbers(4, 5), dtype=np.float32)
        assert np.isfinite(found.y).all()
        assert np.isfinite(found.dx).all()


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_images_are_rows_of_channels(layer: Layer, training: bool) -> None:
    """Every position of every image is a row."""
    x, dy = numbers(*IMAGES), numbers(*IMAGES, name="dy")
    stats = {"mean": np.arange(5.0), "var": np.arange(1.0, 6.0)} if isinstance(layer, BatchNorm) else None
    given: dict[str, Any] = {"stats": stats, "training": training}
    images = run(layer, x=x, dy=dy, **given)
    vectors = run(layer, x=x.reshape(VECTORS), dy=dy.reshape(VECTORS), **given)
    assert np.array_equal(images.y.reshape(VECTORS), vectors.y)
    for name, value in vectors.stats.items():
        assert np.array_equal(images.stats[name], value)
    if training:
        assert np.array_equal(images.dx.reshape(VECTORS), vectors.dx)
        assert all(np.array_equal(images.grad[name], vectors.grad[name]) for name in vectors.grad)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_gradients_hold_for_images(layer: Layer) -> None:
    for front in ([], [("layers.0", Dense(units=5, init=LecunNormal()))]):
        chain = [*front, ("layers.1", layer), ("layers.2", Flatten()), ("output", Dense(units=3, init=LecunNormal()))]
        assert_gradients(build(chain, IMAGES[1:]), Mse(), numbers(*IMAGES), targets(count=4), str(layer))


@pytest.mark.parametrize(
    "layers",
    [
        (BatchNorm(eps=1e-2, momentum=0.5), BatchNorm(eps=1.0, momentum=0.9)),
        (LayerNorm(eps=1e-2), LayerNorm(eps=1.0)),
        (RmsNorm(eps=1e-2), RmsNorm(eps=1.0)),
        (Scale(init=0.5), Scale(init=2.0)),
    ],
    ids=lambda layers: layers[0].name,
)
def test_members_of_a_stack_are_the_layers_alone_on_images(layers: tuple[Layer, ...]) -> None:
    x, dy = numbers(*IMAGES), numbers(*IMAGES, name="dy")
    stack = run(*layers, x=x, dy=dy)
    for member, layer in enumerate(layers):
        alone = run(layer, x=x, dy=dy)
        np.testing.assert_allclose(stack.y[member], alone.y, rtol=1e-12)
        np.testing.assert_allclose(stack.dx[member], alone.dx, rtol=1e-9, atol=1e-12)
        for name in alone.stats:
            np.testing.assert_allclose(stack.stats[name][member], alone.stats[name], rtol=1e-12)
        for name in alone.grad:
            np.testing.assert_allclose(stack.grad[name][member], alone.grad[name], rtol=1e-9, atol=1e-11)


def test_batch_norm_of_images_tracks_the_unbiased_variance_of_each_channel() -> None:
    x = numbers(*IMAGES)
    found = run(BatchNorm(momentum=0.75), x=x)
    values = x.reshape(VECTORS)
    np.testing.assert_allclose(found.stats["mean"], 0.25 * values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.stats["var"], 0.75 + 0.25 * values.var(0, ddof=1), rtol=1e-12)


def test_batch_norm_of_one_image_tracks_its_positions() -> None:
    x = numbers(1, 3, 2, 5)
    found = run(BatchNorm(momentum=0.0), x=x)
    np.testing.assert_allclose(found.stats["var"], x.reshape(6, 5).var(0, ddof=1), rtol=1e-12)


def test_batch_norm_of_one_value_per_channel_leaves_the_running_statistics_alone() -> None:
    found = run(BatchNorm(), x=numbers(1, 1, 1, 5))
    assert found.stats["mean"].tolist() == [0] * 5
    assert found.stats["var"].tolist() == [1] * 5
