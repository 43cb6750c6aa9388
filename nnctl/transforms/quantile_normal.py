"""Ranks as the scores of a normal distribution."""

from __future__ import annotations

import functools
import math

import numpy as np

from nnctl.component import component, option
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Sample

NEAREST = 1e-7  # to 0 and 1 that a share of the rows comes: scores end at -5.2 and 5.2


@component("quantile_normal", examples=[{}, {"quantiles": 10}])
class QuantileNormal(Scaler):
    """The normal score of a number's rank, ``Phi^-1(p)``: p is the share of the training rows below it.

    p is interpolated between quantiles of the training rows. The smallest and the largest number and those beyond get
    the end scores, -5.2 and 5.2, and no inverse leaves their range; other equal numbers share the middle of their
    ranks. A constant column becomes 0 everywhere.

    Source: scikit-learn's ``QuantileTransformer`` with normal output. Quantiles are taken of all training rows, not of
            10,000 drawn ones, and only the ends themselves are ends, not what is within 1e-7 of them.
    """

    quantiles: int = option(default=1000, ge=2, le=10_000, help="Most quantiles that are kept.")

    def fit(self, x: Sample) -> State:
        if x.low == x.high:
            return {"quantiles": [x.low]}
        if x.count <= self.quantiles:
            return {"quantiles": np.sort(x.values).tolist()}  # the quantiles themselves, to the last digit
        found = x.quantiles(np.linspace(0, 1, self.quantiles))
        return {"quantiles": np.maximum.accumulate(found).tolist()}  # interpolation may be off in the last digit

    def apply(self, x: Values, state: State) -> Values:
        q = np.array(state["quantiles"])
        if len(q) == 1:
            return np.where(np.isnan(x), x, 0.0)
        p = np.linspace(0, 1, len(q))
        # From the left and from the right: they differ where quantiles are equal.
        share = (np.interp(x, q, p) - np.interp(-x, -q[::-1], -p[::-1])) / 2
        share = np.where(x <= q[0], 0.0, np.where(x >= q[-1], 1.0, share))
        return _score(np.clip(share, NEAREST, 1 - NEAREST))

    def invert(self, y: Values, state: State) -> Values:
        q = np.array(state["quantiles"])
        if len(q) == 1:
            return np.where(np.isnan(y), y, q[0])
        share = _share(y)
        end = NEAREST * (1 + 1e-6)
        share = np.where(share < end, 0.0, np.where(share > 1 - end, 1.0, share))
        values: Values = np.interp(share, np.linspace(0, 1, len(q)), q)
        return values


# Wichura 1988, algorithm AS 241, PPND16: coefficients of numerators and denominators, highest powers first, near 1/2
# and in the tails.
_CENTRE_OVER = (
    2509.0809287301226727,
    33430.575583588128105,
    67265.770927008700853,
    45921.953931549871457,
    13731.693765509461125,
    1971.5909503065514427,
    133.14166789178437745,
    3.3871328727963666080,
)
_CENTRE_UNDER = (
    5226.4952788528545610,
    28729.085735721942674,
    39307.895800092710610,
    21213.794301586595867,
    5394.1960214247511077,
    687.18700749205790830,
    42.313330701600911252,
    1.0,
)
_TAIL_OVER = (
    7.7454501427834140764e-4,
    0.0227238449892691845833,
    0.24178072517745061177,
    1.27045825245236838258,
    3.64784832476320460504,
    5.7694972214606914055,
    4.6303378461565452959,
    1.42343711074968357734,
)
_TAIL_UNDER = (
    1.05075007164441684324e-9,
    5.475938084995344946e-4,
    0.0151986665636164571966,
    0.14810397642748007459,
    0.68976733498510000455,
    1.6763848301838038494,
    2.05319162663775882187,
    1.0,
)


def _score(p: Values) -> Values:
    """The standard normal's quantiles at p, 1e-10 < p < 1 - 1e-10, to the last bits; nan stays nan."""
    q = p - 0.5
    r = 0.180625 - np.minimum(q * q, 0.180625)
    centre = q * np.polyval(_CENTRE_OVER, r) / np.polyval(_CENTRE_UNDER, r)
    r = np.sqrt(-np.log(np.minimum(p, 1 - p))) - 1.6
    tail = np.copysign(np.polyval(_TAIL_OVER, r) / np.polyval(_TAIL_UNDER, r), q)
    return np.where(np.abs(q) <= 0.425, centre, tail)


_REACH = 6.0  # scores end before


def _share(y: Values) -> Values:
    """The standard normal's distribution function; beyond -6 and 6 its value there. nan stays nan."""
    z = np.minimum(np.abs(y), _REACH) / math.sqrt(2)
    t = 2 / (2 + z)
    tail = t * np.exp(_smooth()(t) - z * z) / 2
    return np.where(y > 0, 1 - tail, tail)


@functools.cache
def _smooth() -> np.polynomial.Chebyshev:
    """``log(erfc(z) exp(z^2) / t)``, ``t = 2 / (2 + z)``: so smooth in t that a polynomial has it to the last bits."""

    def exact(t: Values) -> Values:
        z = np.maximum(2 / t - 2, 0)
        tail = np.array([math.erfc(each) for each in z.tolist()])
        logarithm: Values = np.log(tail) + z * z - np.log(t)
        return logarithm

    return np.polynomial.Chebyshev.interpolate(exact, 22, domain=[2 / (2 + _REACH / math.sqrt(2)), 1])
