"""The power that makes a column most nearly normal."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nnctl.component import component
from nnctl.transforms import Scaler, State, Values
from nnctl.transforms.sample import Moments, Sample
from nnctl.transforms.standardize import Standardize

LARGEST = 300.0  # logarithm of the largest value that a power may reach: its square is still a number
WIDEST = 1e9  # power that is tried, for columns so near to 0 that any power is a straight line
DIGITS = 1e-7  # standard deviation over the largest power: below, rounding takes what the column tells apart
PRECISION = 1.5e-8  # of lambda; the likelihood, flat at its top, shows no more


@component("yeo_johnson")
class YeoJohnson(Scaler):
    """``((1 + x)^L - 1) / L`` for x >= 0, ``-((1 - x)^(2 - L) - 1) / (2 - L)`` below, then standardised.

    L has the largest likelihood of normal training rows among the powers that keep at least seven of a column's digits;
    L = 1 leaves a column as it is, L = 0 is a logarithm. A constant column becomes 0 everywhere. Of more than 2^20 rows
    the likelihood is that of 4096 at equal distances by rank; what is standardised are all.

    Source: Yeo and Johnson 2000; scikit-learn's ``PowerTransformer``, which also tries powers that leave no digits.
    """

    def fit(self, x: Sample) -> State:
        power = _likeliest(x) if x.low < x.high else 1.0
        return {"lambda": power, **Standardize().fit(x.mapped(lambda each: _raised(each, power)))}

    def apply(self, x: Values, state: State) -> Values:
        with np.errstate(over="ignore"):  # far beyond the training rows: inf, which the data is refused for
            return Standardize().apply(_raised(x, float(state["lambda"])), state)

    def invert(self, y: Values, state: State) -> Values:
        with np.errstate(over="ignore"):
            return _lowered(Standardize().invert(y, state), float(state["lambda"]))


def _raised(x: Values, power: float) -> Values:
    size = np.log1p(np.abs(x))
    return np.where(x < 0, -_grown(size, 2 - power), _grown(size, power))


def _grown(size: Values, power: float) -> Values:
    """``(exp(power size) - 1) / power``: no digits are lost where the power is small."""
    return np.expm1(power * size) / power if power else size


def _lowered(z: Values, power: float) -> Values:
    size = np.abs(z)
    return np.where(z < 0, -np.expm1(_shrunk(size, 2 - power)), np.expm1(_shrunk(size, power)))


def _shrunk(z: Values, power: float) -> Values:
    """The inverse of ``_grown``; a negative power has a bound that z, a prediction, is kept below."""
    return np.log1p(np.maximum(power * z, -1 + 2.0**-53)) / power if power else z


def _likeliest(sample: Sample) -> float:
    x = sample.values
    size = np.log1p(np.abs(x))
    weight = float(np.sum(np.copysign(size, x))) / len(x)
    least = min(DIGITS, _digits(x) / 10)

    def unlikely(power: float) -> float:
        """Minus the mean logarithm of the likelihood, which is convex in the power (Marchand et al. 2022)."""
        z = np.where(x < 0, -_grown(size, 2 - power), _grown(size, power))
        std = Moments.of(z).std
        if std <= least * float(np.abs(z).max()):
            return math.inf
        return math.log(std) - (power - 1) * weight

    low, high = -WIDEST, WIDEST
    for end, middle in ((sample.high, 0.0), (-sample.low, 2.0)):
        reach = LARGEST / max(float(np.log1p(max(end, 0.0))), LARGEST / WIDEST)
        low, high = max(low, middle - reach), min(high, middle + reach)
    return _minimum(unlikely, min(low, 1.0), 1.0, max(high, 1.0)) if math.isfinite(unlikely(1.0)) else 1.0


def _digits(x: Values) -> float:
    return Moments.of(x).std / float(np.abs(x).max())


def _minimum(f: Callable[[float], float], low: float, start: float, high: float) -> float:
    """Where f, convex and finite at ``start``, is least: parabolas through three points, else golden sections."""
    golden = (3 - math.sqrt(5)) / 2
    best = second = third = start  # by f, the least first
    f_best = f_second = f_third = f(start)
    step = before = 0.0  # the last step and the one before it
    while True:
        near = PRECISION * (1 + abs(best)) / 3
        middle = (low + high) / 2
        if abs(best - middle) <= 2 * near - (high - low) / 2:
            return best
        limit, before = before, step
        step = _parabola((best, f_best), (second, f_second), (third, f_third))
        # Also false if step is nan. A parabola must shrink faster than by halves, or it may creep.
        if not (low + 2 * near < best + step < high - 2 * near and abs(step) < abs(limit) / 2):
            before = high - best if best < middle else low - best
            step = golden * before
        tried = best + (step if abs(step) >= near else math.copysign(near, step))
        value = f(tried)
        if value <= f_best:
            low, high = (best, high) if tried >= best else (low, best)
            third, f_third, second, f_second, best, f_best = second, f_second, best, f_best, tried, value
            continue
        low, high = (low, tried) if tried >= best else (tried, high)
        if value <= f_second or second == best:
            third, f_third, second, f_second = second, f_second, tried, value
        elif value <= f_third or third in (best, second):
            third, f_third = tried, value


def _parabola(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    """The step from a to the extremum of the parabola through three points; nan if there is none."""
    r = (a[0] - b[0]) * (a[1] - c[1])
    q = (a[0] - c[0]) * (a[1] - b[1])
    if not math.isfinite(r) or not math.isfinite(q) or q == r:
        return math.nan
    return -((a[0] - c[0]) * q - (a[0] - b[0]) * r) / (2 * (q - r))
