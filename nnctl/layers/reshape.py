"""Another shape of the same numbers."""

from __future__ import annotations

import math

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.layers import Inputs, Plan
from nnctl.layers.view import View


@component("reshape", examples=[{"shape": [3, 2]}, {"shape": [6]}])
class Reshape(View):
    """The numbers of a row in another shape, the last axis counting fastest: 784 pixels as (28, 28, 1).

    Shapes: x (*K, B, *I) -> y (*K, B, *shape)
    """

    shape: tuple[int, ...] = option(ge=1, help="Sizes of the axes of a row; as many numbers in all as before.")

    example_input = (6,)

    def plan(self, inputs: Inputs) -> Plan:
        given, wanted = math.prod(inputs.shape), math.prod(self.shape)
        if given != wanted or not self.shape:
            message = f"needs a product of {given}, for inputs of the shape {inputs.shape}, got {list(self.shape)}"
            raise SpecError(Problem(f"{message}, which is {wanted}", "shape"))
        return Plan(self.shape)
