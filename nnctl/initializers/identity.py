"""The map that hands its input on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer


@component("identity", examples=[{}, {"gain": 0.5}])
class Identity(Initializer):
    """``gain`` where unit i meets input i, 0 elsewhere; of a convolution's kernel only in the cell at its centre.

    Raises: SpecError if the parameter has fewer than two axes: a bias maps nothing.
    Source: Le et al. 2015 for recurrent networks. Where inputs and units differ in number the rest is 0, as in
            PyTorch's ``eye_``, and ``dirac_`` for kernels. Keras takes matrices only.
    """

    gain: float = option(default=1.0, stack=True, help="Factor of the identity.")

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise SpecError(Problem(f"identity needs a matrix or a kernel, the parameter has the shape {shape}"))

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        self.check(shape)
        values = np.zeros(shape)
        centre = tuple((size - 1) // 2 for size in shape[:-2])  # of the two middle cells of an even kernel the first
        np.fill_diagonal(values[centre], self.gain)
        return values
