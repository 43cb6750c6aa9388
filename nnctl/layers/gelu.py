"""The Gaussian error linear unit, and the normal distribution function it needs."""

from __future__ import annotations

import functools
import math
from typing import Any, Literal

import numpy as np

from nnctl.component import component, option
from nnctl.layers import ROWS, Activation, Array, Scratch, Shape, Slot

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
CUBIC = 0.044715  # of the tanh form, Hendrycks and Gimpel 2016


@component("gelu", examples=[{}, {"approximate": "tanh"}])
class Gelu(Activation):
    """Gaussian error linear unit, ``y = x Phi(x)`` with Phi the standard normal distribution function.

    With ``approximate: tanh``, Phi(x) is ``(1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2``.
    Source: Hendrycks and Gimpel 2016.
    """

    approximate: Literal["tanh"] | None = option(
        default=None, help="Null for the exact function, tanh for the approximation of the paper."
    )

    overwrites_x = False
    reads = frozenset({"x"})
    weights = "he_normal"

    def scratch(self, shape: Shape) -> dict[str, Scratch]:
        return {name: Scratch((ROWS, *shape)) for name in ("Phi", "t", "u")}

    def bind(self, s: Slot) -> None:
        s.half, s.cubic = s.constant(0.5), s.constant(CUBIC)
        s.root, s.three_cubic = s.constant(SQRT_2_OVER_PI), s.constant(3 * CUBIC)
        s.minus_half, s.density = s.constant(-0.5), s.constant(1 / math.sqrt(2 * math.pi))
        s.coefficients = [s.constant(c) for c in _tail_coefficients(s.dtype)]
        s.scale, s.reach = s.constant(1 / math.sqrt(2)), s.constant(_REACH)
        s.two, s.slope, s.offset = s.constant(2), s.constant(2 / (1 - _SHORTEST)), s.constant(_offset())

    def forward(self, s: Slot) -> None:
        if self.approximate:
            _tanh_form(s)
        else:
            _normal_distribution(s)
        np.multiply(s.x, s.Phi, s.y)

    def backward(self, s: Slot) -> None:
        """``dx = dy (Phi(x) + x Phi'(x))``."""
        np.multiply(s.x, s.x, s.t)
        if self.approximate:  # Phi' = 2 Phi (1 - Phi) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)
            np.multiply(s.t, s.three_cubic, s.t)
            np.add(s.t, s.one, s.t)
            np.multiply(s.t, s.root, s.t)
            np.subtract(s.one, s.Phi, s.u)
            np.multiply(s.u, s.Phi, s.u)
            np.multiply(s.u, s.two, s.u)
            np.multiply(s.t, s.u, s.t)
        else:  # Phi' = exp(-x^2 / 2) / sqrt(2 pi)
            np.multiply(s.t, s.minus_half, s.t)
            np.exp(s.t, s.t)
            np.multiply(s.t, s.density, s.t)
        np.multiply(s.t, s.x, s.t)
        np.add(s.t, s.Phi, s.t)
        np.multiply(s.dy, s.t, s.dx)


def _tanh_form(s: Slot) -> None:
    """Write the tanh approximation of Phi(x) to ``s.Phi``."""
    np.multiply(s.x, s.x, s.t)
    np.multiply(s.t, s.cubic, s.t)
    np.add(s.t, s.one, s.t)
    np.multiply(s.t, s.x, s.t)
    np.multiply(s.t, s.root, s.t)
    np.tanh(s.t, s.t)
    np.multiply(s.t, s.half, s.t)
    np.add(s.t, s.half, s.Phi)


# NumPy has no error function. With z = |x| / sqrt(2) and t = 2 / (2 + z), the logarithm of erfc(z) exp(z^2) / t is so
# smooth in t that a short polynomial gives it to the last bits: Phi(-|x|) = t exp(polynomial(t) - z^2) / 2.
_REACH = 26.0  # erfc(26) is about 1e-295; beyond it, Phi is 0 in any dtype that we use
_SHORTEST = 2 / (2 + _REACH)  # the smallest t


def _offset() -> float:
    return (1 + _SHORTEST) / (1 - _SHORTEST)


@functools.cache
def _tail_coefficients(dtype: np.dtype[Any]) -> tuple[float, ...]:
    """Polynomial coefficients, highest first, in u = (2 t - (1 + t0)) / (1 - t0) from -1 to 1."""
    degree = 12 if np.finfo(dtype).eps > 1e-10 else 30

    def smooth(u: Array) -> Array:
        values = []
        for t in ((u * (1 - _SHORTEST) + 1 + _SHORTEST) / 2).tolist():
            z = max(2 / t - 2, 0.0)
            values.append(math.log(math.erfc(z)) + z * z - math.log(t))
        return np.array(values)

    chebyshev = np.polynomial.Chebyshev.interpolate(smooth, degree)
    powers = chebyshev.convert(kind=np.polynomial.Polynomial).coef
    return tuple(powers[::-1].tolist())


def _normal_distribution(s: Slot) -> None:
    """Write Phi(x) to ``s.Phi``: the tail Phi(-|x|) by the polynomial above, then 1 minus it where x > 0."""
    z, t, tail = s.u, s.t, s.Phi
    np.abs(s.x, z)
    np.multiply(z, s.scale, z)
    np.minimum(z, s.reach, out=z)
    np.add(z, s.two, t)
    np.divide(s.two, t, t)  # t = 2 / (2 + z)
    np.multiply(z, z, z)
    np.multiply(t, s.slope, tail)
    np.subtract(tail, s.offset, tail)  # u, from -1 to 1
    np.multiply(t, s.half, t)
    _horner(s.coefficients, tail, s.y)
    np.subtract(s.y, z, s.y)
    np.exp(s.y, s.y)
    np.multiply(s.y, t, tail)
    # sign(x) (1/2 - tail) + 1/2 is 1 - tail for x > 0 and tail for x < 0
    np.sign(s.x, z)
    np.subtract(s.half, tail, t)
    np.multiply(t, z, t)
    np.add(t, s.half, tail)


def _horner(coefficients: list[Array], u: Array, out: Array) -> None:
    out.fill(coefficients[0])
    for coefficient in coefficients[1:]:
        np.multiply(out, u, out)
        np.add(out, coefficient, out)
