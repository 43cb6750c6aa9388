"""Every initializer draws from the distribution of PyTorch's, or makes its values: tests/reference/README.md."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference.comparison import assert_agrees, component, params
from tests.reference.records import Record, load

RECORDS = load("initializers")


@pytest.mark.parametrize("record", params(RECORDS))
def test_initializer_agrees_with_its_record(record: Record) -> None:
    shape = tuple(record["shape"])
    rng = np.random.default_rng(0)
    values = component("initializers", record).draw(shape, rng, fan_in=shape[0], fan_out=shape[1])
    if "values" in record:
        assert_agrees(values, record["values"], 0.0, "the values")
    elif "gram" in record:
        gram = values.T @ values if shape[0] >= shape[1] else values @ values.T
        assert_agrees(gram, record["gram"], 1e-10, "the product with its transpose")
    else:
        assert_drawn(values.ravel(), record)


def assert_drawn(values: np.ndarray, record: Record) -> None:
    """Of n values the mean is off by std / sqrt(n), the deviation by a share of at most 1 / sqrt(2 n), the
    distribution function by 1 / sqrt(n) (Kolmogorov): five, five and two times that is allowed. The largest value
    lies within a share 20 / n of the limit (but for one case in e^20), which a normal does not have."""
    count, std, limit = len(values), record["std"], record["limit"]
    assert abs(values.mean()) < 5 * std / math.sqrt(count)
    assert abs(values.std() / std - 1) < 5 / math.sqrt(2 * count)
    if limit is not None:
        assert np.abs(values).max() <= limit
    ordered = np.sort(values)
    expected = np.array([below(x / std, record["distribution"], limit and limit / std) for x in ordered])
    assert np.abs(np.arange(count) / count - expected).max() < 2 / math.sqrt(count)


def below(x: float, distribution: str, limit: float | None) -> float:
    """The share of values below x, of a distribution with the deviation 1."""
    if distribution == "uniform":
        return (x + limit) / (2 * limit)
    if distribution == "normal":
        return math.erfc(-x / math.sqrt(2)) / 2
    scaled = 2 * x / limit  # cut off at two deviations of the normal
    return (math.erf(scaled / math.sqrt(2)) + math.erf(math.sqrt(2))) / (2 * math.erf(math.sqrt(2)))
