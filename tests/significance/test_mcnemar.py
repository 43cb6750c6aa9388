"""McNemar's test against enumeration, published tables and the binomial written out."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from nnctl.significance.mcnemar import EXACT_BELOW, McNemar, mcnemar


def by_enumeration(a: int, b: int) -> Fraction:
    """The share of all ways to hand out the rows that are as uneven, or more so."""
    rows = a + b
    ways = [sum(way) for way in itertools.product((0, 1), repeat=rows)]
    return Fraction(sum(abs(2 * way - rows) >= abs(a - b) for way in ways), len(ways))


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0), (3, 3), (2, 5), (0, 6), (9, 1), (1, 11), (6, 6)])
def test_few_rows_are_counted_out(a: int, b: int) -> None:
    assert McNemar(a, b).exact
    assert McNemar(a, b).p == pytest.approx(float(by_enumeration(a, b)), abs=1e-15)


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        # Binomial by hand: 2 (1 + 10) / 1024.
        (1, 9, 22 / 1024),
        # 2 (1 + 20 + 190 + 1140 + 4845 + 15504) / 2^20: the textbook sign test of 5 against 15.
        (5, 15, 2 * 21_700 / 2**20),
        # Agresti, Categorical Data Analysis, section 10.1 (approval ratings, 150 and 86 changed): z^2 corrected is
        # 63^2 / 236 = 16.818.
        (150, 86, math.erfc(math.sqrt(63**2 / 236 / 2))),
        (86, 150, 4.115e-05),
        # McNemar's table with 121 and 59 (Wikipedia): 34.35 without the correction, 61^2 / 180 = 20.672 with it.
        (121, 59, 5.45e-06),
        # At the critical value of chi-squared with one degree of freedom, 3.841459.
        (40, 40, 1.0),
    ],
)
def test_it_gives_the_published_probabilities(a: int, b: int, p: float) -> None:
    assert McNemar(a, b).p == pytest.approx(p, rel=2e-3)


def test_chi_squared_has_its_known_quantiles() -> None:
    for quantile, p in ((3.841459, 0.05), (6.634897, 0.01), (10.827566, 0.001)):
        assert math.erfc(math.sqrt(quantile / 2)) == pytest.approx(p, rel=1e-6)


def test_both_forms_meet_where_one_takes_over() -> None:
    for a in range(EXACT_BELOW + 1):
        b = EXACT_BELOW - a
        exact = min(1.0, 2 * sum(math.comb(a + b, k) for k in range(min(a, b) + 1)) / 2 ** (a + b))
        assert not McNemar(a, b).exact
        assert McNemar(a, b).p == pytest.approx(exact, abs=0.012)


def test_under_the_null_it_is_rejected_no_more_often_than_promised() -> None:
    rng = np.random.default_rng(0)
    for rows in (12, 24, 60, 400):
        draws = rng.binomial(rows, 0.5, size=4_000)
        assert np.mean([McNemar(int(a), rows - int(a)).p < 0.05 for a in draws]) < 0.06


def test_only_rows_that_the_two_judge_differently_count() -> None:
    a = np.array([True, True, False, False, True])
    b = np.array([True, False, True, False, False])
    found = mcnemar(a, b)
    assert (found.only_a, found.only_b, found.exact) == (2, 1, True)
    assert found.p == 1.0
