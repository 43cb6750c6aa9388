"""Initializers draw the shape they are asked for, from the distribution of their paper."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnctl.component import registry
from nnctl.errors import SpecError
from nnctl.initializers import Initializer
from nnctl.initializers.identity import Identity
from nnctl.initializers.orthogonal import Orthogonal
from nnctl.initializers.truncated_normal import TruncatedNormal
from nnctl.initializers.values import Values
from nnctl.initializers.variance_scaling import VarianceScaling

# Values are written, not drawn; identity and orthogonal need two axes.
DRAWN = [cls for cls in registry.classes("initializers", Initializer) if cls not in (Values, Identity, Orthogonal)]
EXAMPLES = [cls(**example) for cls in DRAWN for example in cls.examples]
each_example = pytest.mark.parametrize("init", EXAMPLES, ids=repr)

# Fans of W (I, O) = (300, 200), the variance as in the papers.
VARIANCES = {
    "glorot_uniform": 2 / 500,
    "glorot_normal": 2 / 500,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
    "normal": 0.05**2,
    "uniform": 0.05**2 / 3,
}


def draw(init: Initializer, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return init.draw(shape, np.random.default_rng(seed), fan_in=shape[0], fan_out=shape[-1])


@each_example
@given(shape=st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple))
def test_every_shape_is_drawn_in_float64(init: Initializer, shape: tuple[int, ...]) -> None:
    values = draw(init, shape)
    assert values.shape == shape
    assert values.dtype == np.float64
    assert np.isfinite(values).all()


@each_example
def test_the_same_generator_draws_the_same_values(init: Initializer) -> None:
    np.testing.assert_array_equal(draw(init, (3, 4), seed=5), draw(init, (3, 4), seed=5))


@each_example
def test_a_new_array_is_drawn_each_time(init: Initializer) -> None:
    first = draw(init, (3, 4))
    first[...] = 7
    assert not np.array_equal(draw(init, (3, 4)), first)


@pytest.mark.parametrize("name", VARIANCES)
def test_the_variance_is_that_of_the_source(name: str) -> None:
    values = draw(registry.all("initializers", Initializer)[name](), (300, 200))
    # The sample variance of 60,000 values is off by 0.6 % (one standard deviation of a normal).
    assert values.var() == pytest.approx(VARIANCES[name], rel=0.03)
    assert values.mean() == pytest.approx(0, abs=5 * math.sqrt(VARIANCES[name] / values.size))


@pytest.mark.parametrize("name", [name for name in VARIANCES if "uniform" in name])
def test_uniform_values_fill_their_range_and_stay_in_it(name: str) -> None:
    values = draw(registry.all("initializers", Initializer)[name](), (300, 200))
    limit = math.sqrt(3 * VARIANCES[name])
    assert np.abs(values).max() <= limit
    assert values.min() < -0.999 * limit
    assert values.max() > 0.999 * limit


@pytest.mark.parametrize("name", [name for name in VARIANCES if "normal" in name])
def test_normal_values_are_not_truncated(name: str) -> None:
    values = draw(registry.all("initializers", Initializer)[name](), (300, 200))
    beyond = np.mean(np.abs(values) > 2 * math.sqrt(VARIANCES[name]))
    assert beyond == pytest.approx(math.erfc(math.sqrt(2)), rel=0.1)


@pytest.mark.parametrize("name", VARIANCES)
def test_a_kernel_is_drawn_by_its_fans(name: str) -> None:
    # 5 x 5 cells, 12 inputs, 8 filters: one unit reads 300 numbers, and one number is read by 200.
    init = registry.all("initializers", Initializer)[name]()
    values = init.draw((5, 5, 12, 8), np.random.default_rng(0), fan_in=300, fan_out=200)
    assert values.var() == pytest.approx(VARIANCES[name], rel=0.15)  # 2,400 values


def test_truncated_values_have_the_spread_that_the_cut_leaves() -> None:
    values = draw(TruncatedNormal(std=0.5), (300, 200))
    assert np.abs(values).max() <= 1
    assert np.abs(values).max() > 0.999
    assert values.std() == pytest.approx(0.8796256610342398 * 0.5, rel=0.01)  # scipy 1.17.1, truncnorm(-2, 2).std()
    assert values.mean() == pytest.approx(0, abs=5 * values.std() / math.sqrt(values.size))


SCALINGS = [
    ("fan_in", "truncated_normal", 3 / 300),
    ("fan_out", "untruncated_normal", 3 / 200),
    ("fan_avg", "uniform", 3 / 250),
    ("fan_avg", "truncated_normal", 3 / 250),
]


@pytest.mark.parametrize(("mode", "distribution", "variance"), SCALINGS)
def test_variance_scaling_divides_by_the_fans_of_its_mode(mode: str, distribution: str, variance: float) -> None:
    values = draw(VarianceScaling(scale=3.0, mode=mode, distribution=distribution), (300, 200))
    assert values.var() == pytest.approx(variance, rel=0.03)
    assert values.mean() == pytest.approx(0, abs=5 * math.sqrt(variance / values.size))
    limit = {"uniform": math.sqrt(3), "truncated_normal": 2 / 0.8796256610342398, "untruncated_normal": math.inf}
    assert np.abs(values).max() <= limit[distribution] * math.sqrt(variance)


@pytest.mark.parametrize(("mode", "factor", "name"), [("fan_in", 2, "he_uniform"), ("fan_avg", 1, "glorot_uniform")])
def test_variance_scaling_holds_the_others(mode: str, factor: float, name: str) -> None:
    scaled = VarianceScaling(scale=factor, mode=mode, distribution="uniform")
    np.testing.assert_allclose(
        draw(scaled, (30, 20)), draw(registry.all("initializers", Initializer)[name](), (30, 20))
    )


@given(shape=st.lists(st.integers(1, 5), min_size=2, max_size=4).map(tuple), seed=st.integers(0, 9))
def test_orthogonal_rows_or_columns_are_orthonormal(shape: tuple[int, ...], seed: int) -> None:
    matrix = draw(Orthogonal(gain=2.0), shape, seed).reshape(-1, shape[-1])
    small = matrix.T @ matrix if len(matrix) >= shape[-1] else matrix @ matrix.T
    np.testing.assert_allclose(small, 4 * np.eye(len(small)), atol=1e-13)


def test_orthogonal_matrices_are_drawn_evenly() -> None:
    # Without the turned signs LAPACK's Q leans to one side: the mean of its first entry is far from 0.
    drawn = np.array([draw(Orthogonal(), (3, 3), seed) for seed in range(2000)])
    assert np.abs(drawn.mean(axis=0)).max() < 5 / math.sqrt(3 * 2000)  # every entry has the variance 1 / 3
    np.testing.assert_allclose(drawn.var(axis=0), 1 / 3, rtol=0.1)
    assert np.mean(np.linalg.det(drawn)) == pytest.approx(0, abs=5 / math.sqrt(2000))  # turns and reflections alike


def test_identity_hands_the_input_on() -> None:
    np.testing.assert_array_equal(draw(Identity(), (3, 3)), np.eye(3))
    np.testing.assert_array_equal(draw(Identity(gain=2.0), (2, 3)), [[2, 0, 0], [0, 2, 0]])
    kernel = draw(Identity(), (3, 2, 2, 2))
    np.testing.assert_array_equal(kernel[1, 0], np.eye(2))
    assert kernel.sum() == 2


@pytest.mark.parametrize("init", [Identity(), Orthogonal()], ids=repr)
def test_a_bias_cannot_be_a_matrix(init: Initializer) -> None:
    with pytest.raises(SpecError, match=r"needs a matrix or a kernel, the parameter has the shape \(4,\)"):
        draw(init, (4,))


def test_zeros_ones_and_constant_hold_one_value() -> None:
    known = registry.all("initializers", Initializer)
    assert not draw(known["zeros"](), (2, 3)).any()
    assert (draw(known["ones"](), (2, 3)) == 1).all()
    np.testing.assert_array_equal(draw(known["constant"](value=0.5), (2, 3)), np.full((2, 3), 0.5))


@pytest.mark.parametrize("family", ["uniform", "normal"])
def test_other_tools_names_are_aliases(family: str) -> None:
    known = registry.all("initializers")
    assert known[f"xavier_{family}"] is known[f"glorot_{family}"]
    assert known[f"kaiming_{family}"] is known[f"he_{family}"]


@given(shape=st.lists(st.integers(1, 3), min_size=1, max_size=4).map(tuple))
def test_values_are_those_that_are_written(shape: tuple[int, ...]) -> None:
    written = np.arange(math.prod(shape)).reshape(shape)
    values = draw(Values(values=written.tolist()), shape)
    np.testing.assert_array_equal(values, written)
    assert values.dtype == np.float64


@pytest.mark.parametrize("written", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]], [], [[[1.0, 2.0], [3.0, 4.0]]]])
def test_values_of_another_shape_are_refused_with_both_shapes(written: list[object]) -> None:
    with pytest.raises(SpecError) as caught:
        draw(Values(values=written), (2, 2))
    assert str(np.array(written).shape) in str(caught.value)
    assert "(2, 2)" in str(caught.value)


@pytest.mark.parametrize("written", [[[1.0, 2.0], [3.0]], [[[1.0], [2.0]], [[1.0], [2.0, 3.0]]]])
def test_ragged_values_are_refused(written: list[object]) -> None:
    with pytest.raises(SpecError, match="differ in length"):
        draw(Values(values=written), (2, 2))
