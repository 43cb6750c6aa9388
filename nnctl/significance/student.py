"""Student's t distribution, and the paired test that is read off it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def upper_tail(t: float, freedom: int) -> float:
    """The probability that a draw from Student's t with so many degrees of freedom exceeds ``t``.

    With ``a = atan(t / sqrt(n))`` it is ``(1 - A) / 2``, where for even n
    ``A = sin a (1 + 1/2 cos^2 a + 1.3/(2.4) cos^4 a + ...)``, and for odd n
    ``A = 2/pi (a + sin a (cos a + 2/3 cos^3 a + 2.4/(3.5) cos^5 a + ...))``, both up to ``cos^(n-2) a``.
    Below 1e-15 it is not told from 0.
    Source: Abramowitz and Stegun 1964, 26.7.3 and 26.7.4.
    """
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    cosine = math.cos(angle)
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    inside = math.sin(angle) * total
    if odd:
        inside = 2 / math.pi * (angle + inside)
    return min(1.0, max(0.0, (1 - inside) / 2))


def paired_p(differences: Sequence[float]) -> float:
    """How likely a mean as high as this, or higher, is where the true mean is at most 0: the one-sided paired t test.

    nan of fewer than two differences, of which nobody can tell; of differences that are all the same it is 0 above 0.
    Source: Student 1908.
    """
    if len(differences) < 2:
        return math.nan
    mean, std = statistics.fmean(differences), statistics.stdev(differences)
    if not std:
        return 0.0 if mean > 0 else 0.5 if mean == 0 else 1.0
    return upper_tail(mean / std * math.sqrt(len(differences)), len(differences) - 1)
