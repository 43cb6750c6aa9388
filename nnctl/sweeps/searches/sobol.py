"""Sobol's sequence: settings that fill the space more evenly than independent draws."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counted

from nnctl.errors import Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.sweeps.searches.directions import DIRECTIONS
from nnctl.sweeps.searches.draws import at, bits, distinct
from nnctl.sweeps.space.space import Setting, Space

BITS = 32
MOST_AXES = len(DIRECTIONS) + 1


def sobol(space: Space, count: int, seed: int) -> Iterator[Setting]:
    """So many settings of the sequence, no setting twice; a side of the cube for each axis, in their order.

    A digital shift drawn from the seed is laid over it: still as even, and no longer beginning in a corner. The
    fullest evenness is that of the first 2, 4, 8, ... points.
    Source: Sobol 1967; Antonov and Saleev 1979 for the order; Joe and Kuo 2008 for the numbers; L'Ecuyer and Lemieux
    2002 for the shift.
    Raises: SpecError if there are more axes than direction numbers.
    """
    axes = space.varied
    if len(axes) > MOST_AXES:
        message = f"sobol takes at most {MOST_AXES} keys, these are {len(axes)}: draw with `--method random`"
        raise SpecError(Problem(message, place=COMMAND_LINE))
    shifts = [bits(seed, "sobol", axis, count=BITS) for axis in range(len(axes))]
    shifted = ([x ^ shift for x, shift in zip(point, shifts, strict=True)] for point in points(len(axes)))
    return distinct((at(space, (x / 2.0**BITS for x in point)) for point in shifted), count)


def points(dimensions: int) -> Iterator[list[int]]:
    """The points of the sequence, as whole numbers below 2 to the power of ``BITS``, until the bits are used up."""
    directions = [_directions(dimension) for dimension in range(dimensions)]
    point = [0] * dimensions
    for number in counted(1):
        yield [*point]
        lowest = (number & -number).bit_length() - 1  # the bit in which Gray codes of neighbours differ
        if lowest >= BITS:
            return
        point = [x ^ direction[lowest] for x, direction in zip(point, directions, strict=True)]


def _directions(dimension: int) -> list[int]:
    """The direction numbers v of a dimension, ``m`` shifted to the left end of the word."""
    if dimension == 0:
        return [1 << (BITS - 1 - bit) for bit in range(BITS)]
    a, m = DIRECTIONS[dimension - 1]
    degree = len(m)
    v = [each << (BITS - 1 - bit) for bit, each in enumerate(m)]
    for bit in range(degree, BITS):
        new = v[bit - degree] ^ (v[bit - degree] >> degree)
        for place in range(1, degree):
            if (a >> (degree - 1 - place)) & 1:
                new ^= v[bit - place]
        v.append(new)
    return v
