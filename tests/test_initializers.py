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
from nnctl.initializers.values import Values

DRAWN = [cls for cls in registry.classes("initializers", Initializer) if cls is not Values]
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


def test_zeros_and_constant_hold_one_value() -> None:
    known = registry.all("initializers", Initializer)
    assert not draw(known["zeros"](), (2, 3)).any()
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
