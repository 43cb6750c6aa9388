"""Student's t distribution and the paired test, against numbers of SciPy 1.16 (`scipy.stats.t.sf`, `ttest_rel`)."""

from __future__ import annotations

import math

import pytest

from nnctl.significance.seeds import QUANTILES
from nnctl.significance.student import paired_p, upper_tail

TAILS = {
    1: {-3.2: 0.9035887520207704, 0.7: 0.30559988778578523, 2.5: 0.12111894159084341, 12.0: 0.026464676059589878},
    2: {-3.2: 0.9573295603800236, 0.7: 0.2781965123164327, 2.5: 0.06480586011075541, 12.0: 0.00343646683857923},
    3: {-3.2: 0.975334078518652, 0.7: 0.2671634991523818, 2.5: 0.04385332350403278, 12.0: 0.0006225079003946681},
    4: {-3.2: 0.9835495946995305, 0.7: 0.2612500827967251, 2.5: 0.03338327240599407, 12.0: 0.0001382142742514865},
    7: {-3.2: 0.9924670943287554, 0.7: 0.2532587760978, 2.5: 0.020496109292876444, 12.0: 3.179155189092549e-06},
    30: {-3.2: 0.9983806991440234, 0.7: 0.24466022174983582, 2.5: 0.009057824534033344, 12.0: 2.7900927075996303e-13},
}


@pytest.mark.parametrize("freedom", TAILS)
def test_the_tails_are_those_of_scipy(freedom: int) -> None:
    assert upper_tail(0.0, freedom) == pytest.approx(0.5, abs=1e-15)
    for t, expected in TAILS[freedom].items():
        assert upper_tail(t, freedom) == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_tails_agree_with_the_table_of_quantiles() -> None:
    for freedom, quantile in enumerate(QUANTILES, 1):
        assert upper_tail(quantile, freedom) == pytest.approx(0.025, abs=3e-5)  # three decimals are printed


def test_the_paired_test_is_that_of_scipy() -> None:
    a, b = [0.31, 0.25, 0.4, 0.22, 0.35], [0.2, 0.21, 0.26, 0.19, 0.3]
    assert paired_p([x - y for x, y in zip(a, b, strict=True)]) == pytest.approx(0.01329236404426563, rel=1e-12)
    assert paired_p([0.5, 0.2]) == pytest.approx(0.12888105840915662, rel=1e-12)


def test_differences_without_noise_are_clear() -> None:
    assert paired_p([0.1, 0.1]) == 0
    assert paired_p([0.0, 0.0, 0.0]) == 0.5
    assert paired_p([-0.1, -0.1]) == 1
    assert math.isnan(paired_p([0.1]))
