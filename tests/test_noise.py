"""The layers that draw random numbers: what they keep on average, and that evaluation is silent."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nnctl.layers import Layer
from nnctl.layers.alpha_dropout import AlphaDropout
from nnctl.layers.dropout import Dropout
from nnctl.layers.gaussian_noise import GaussianNoise
from nnctl.layers.selu import Selu
from nnctl.network.members import Streams, stream
from tests.single_layer import run

LOWEST = -1.7580993408473766  # of selu


def normal(*shape: int) -> np.ndarray:
    return stream(0, "x").standard_normal(shape)


@pytest.mark.parametrize("layer", [Dropout(), AlphaDropout(), GaussianNoise()], ids=str)
def test_evaluation_is_the_identity(layer: Layer) -> None:
    x = normal(6, 5)
    assert np.array_equal(run(layer, x=x, training=False).y, x)


@pytest.mark.parametrize("layer", [Dropout(rate=0.0), AlphaDropout(rate=0.0), GaussianNoise(std=0.0)], ids=str)
def test_nothing_to_drop_or_add_is_the_identity(layer: Layer) -> None:
    x, dy = normal(6, 5), normal(6, 5) + 1
    found = run(layer, x=x, dy=dy)
    assert np.array_equal(found.y, x)
    assert np.array_equal(found.dx, dy)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_alpha_dropout_keeps_mean_and_variance(rate: float) -> None:
    """400,000 draws: the standard error of the mean is 0.0016, of the variance below 0.004."""
    inputs = run(Selu(), x=normal(2000, 200)).y
    y = run(AlphaDropout(rate=rate), x=inputs).y
    assert abs(y.mean() - inputs.mean()) < 0.008
    assert abs(y.var() - inputs.var()) < 0.02


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_alpha_dropout_has_two_values_for_a_constant(rate: float) -> None:
    """The affine constants of Klambauer et al. 2017, with q = 1 - rate."""
    q = 1 - rate
    a = (q + LOWEST**2 * q * (1 - q)) ** -0.5
    b = -a * (1 - q) * LOWEST
    found = run(AlphaDropout(rate=rate), x=np.full((500, 20), 0.7), dy=2.0)
    kept = np.isclose(found.y, 0.7 * a + b)
    assert np.allclose(found.y[~kept], LOWEST * a + b)
    assert abs(kept.mean() - q) < 0.02
    np.testing.assert_allclose(found.dx, 2 * a * kept)


def test_noise_has_its_standard_deviation_and_passes_gradients_through() -> None:
    x = normal(2000, 100)
    found = run(GaussianNoise(std=0.3), x=x, dy=x)
    noise = found.y - x
    assert abs(noise.mean()) < 0.003
    assert abs(noise.std() - 0.3) < 0.003
    assert abs((noise**4).mean() / 0.3**4 - 3) < 0.1  # the fourth moment of a normal distribution
    assert np.array_equal(found.dx, x)


def test_every_pass_draws_new_noise() -> None:
    x = normal(4, 3)
    assert not np.array_equal(run(GaussianNoise(), x=x).y, run(GaussianNoise(), x=x, passes=2).y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_members_draw_from_streams_of_their_own(dtype: type) -> None:
    streams = Streams([stream(1, "noise"), stream(2, "noise")], (2,))
    out = np.empty((2, 3, 4), dtype)
    streams.normal(out)
    for member, seed in enumerate((1, 2)):
        alone = np.empty((3, 4), dtype)
        Streams.single(seed, "noise").normal(alone)
        assert np.array_equal(out[member], alone)


def test_members_with_rates_of_their_own_are_the_layers_alone() -> None:
    x = normal(50, 4)
    layers = (AlphaDropout(rate=0.2), AlphaDropout(rate=0.2), AlphaDropout(rate=0.6))
    both = run(*layers, x=x)
    np.testing.assert_allclose(both.y[0], run(layers[0], x=x).y)
    assert not np.array_equal(both.y[0], both.y[1])
    dropped = np.isclose(both.dx, 0).mean((-1, -2))
    assert math.isclose(dropped[2], 0.6, abs_tol=0.1)


@pytest.mark.parametrize("rate", [1e-4, 0.3, 0.9999, 1 - 1e-5])
def test_the_rate_is_exact_though_sixteen_bits_are_drawn(rate: float) -> None:
    """Four standard errors of a million draws; 16 bits alone would be off by up to 1/131072."""
    kept = np.empty((1000, 1000), np.bool_)
    Streams.single(0, "dropout").keep(kept, [rate])
    assert abs(kept.mean() - (1 - rate)) < 4 * math.sqrt(rate * (1 - rate) / kept.size)
