"""Matrices that keep lengths."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.initializers import Initializer


@component("orthogonal", examples=[{}, {"gain": 1.5}])
class Orthogonal(Initializer):
    """``gain`` times a random matrix with orthonormal columns, or rows where it has more columns than rows.

    Of a parameter with more than two axes all but the last make the rows: a kernel is the matrix that its patches are
    multiplied by. The matrix is the Q of a normal matrix's QR decomposition, its columns turned by the signs of R's
    diagonal: only so it is drawn evenly from all of them.

    Raises: SpecError if the parameter has fewer than two axes.
    Source: Saxe et al. 2014; Mezzadri 2007 for the signs. Keras takes the same rows; PyTorch's kernels begin with the
            filters, and it takes the first axis against the rest: the same matrix, transposed.
    """

    gain: float = option(default=1.0, stack=True, help="Factor of the matrix.")

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise SpecError(Problem(f"orthogonal needs a matrix or a kernel, the parameter has the shape {shape}"))

    def draw(
        self, shape: tuple[int, ...], rng: np.random.Generator, *, fan_in: int, fan_out: int
    ) -> NDArray[np.float64]:
        self.check(shape)
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.where(np.diagonal(r) < 0, -self.gain, self.gain)
        return np.ascontiguousarray(q if rows >= columns else q.T).reshape(shape)
