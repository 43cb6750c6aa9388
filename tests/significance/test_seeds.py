"""The noise of seeds."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest

from nnctl.significance.seeds import SeedNoise, seed_noise


def test_one_repeated_configuration_has_its_standard_deviation() -> None:
    found = seed_noise([[0.9, 0.8, 0.85], [0.7]])
    assert found == SeedNoise(pytest.approx(statistics.stdev([0.9, 0.8, 0.85])), (3,))


def test_those_of_two_are_pooled() -> None:
    found = seed_noise([[1, 2, 3, 4], [10, 12]])
    assert found is not None
    assert found.runs == (4, 2)
    assert found.std == pytest.approx(math.sqrt((5 + 2) / 4))  # sums of squares 5 and 2, degrees of freedom 3 and 1


def test_without_repeats_there_is_none() -> None:
    assert seed_noise([[0.9], [0.8]]) is None
    assert seed_noise([[], []]) is None


def test_a_difference_is_told_in_its_units() -> None:
    noise = SeedNoise(0.1, (3,))
    assert noise.times(-0.25) == pytest.approx(2.5)
    assert noise.explains(0.60)  # 4.303 * sqrt(2) * 0.1 = 0.6085
    assert not noise.explains(-0.61)
    assert SeedNoise(0.0, (2,)).times(0.1) == math.inf
    assert SeedNoise(0.0, (2,)).explains(0.0)


@pytest.mark.parametrize("sizes", [(2, 1), (3, 1), (2, 2), (5, 1), (40, 1)])
def test_seeds_alone_are_beyond_it_in_at_most_one_case_of_twenty(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    beyond = 0
    for _ in range(4000):
        one, other = (rng.normal(size=size).tolist() for size in sizes)
        noise = seed_noise([one, other])
        assert noise is not None
        beyond += not noise.explains(one[0] - other[0])
    assert 0.01 < beyond / 4000 < 0.06
