"""Values written out in the YAML."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer

# As deep as the deepest parameter, the kernel of conv2d: (height, width, inputs, filters).
Row = tuple[float, ...]
Matrix = tuple[Row, ...]
Numbers = Row | Matrix | tuple[Matrix, ...] | tuple[tuple[Matrix, ...], ...]


@component("values", examples=[{"values": [[0.1, -0.2], [0.3, 0.4], [0.5, 0.6]]}])
class Values(Initializer):
    """Explicit numbers, such as those of a textbook's worked example; W is written as I rows of O numbers.

    Raises: SpecError if the lists do not have the parameter's shape.
    """

    values: Numbers = option(help="The numbers, as lists nested like the parameter's axes.")

    def check(self, shape: tuple[int, ...]) -> None:
        given = _shape(self.values)
        if given is None:
            raise SpecError(Problem(f"the lists of numbers differ in length, the parameter has the shape {shape}"))
        if given != shape:
            raise SpecError(Problem(f"the numbers have the shape {given}, the parameter has the shape {shape}"))

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        self.check(shape)
        return np.array(self.values, dtype=np.float64)


def _shape(values: Any) -> tuple[int, ...] | None:
    """The shape of nested lists, None if they are ragged."""
    if not isinstance(values, list | tuple):
        return ()
    inner = {_shape(value) for value in values}
    if len(inner) > 1:
        return None
    deeper = inner.pop() if inner else ()
    return None if deeper is None else (len(values), *deeper)
