"""All numbers of a row in one axis."""

from __future__ import annotations

import math

from nnctl.component import component
from nnctl.layers import Inputs, Plan
from nnctl.layers.view import View


@component("flatten")
class Flatten(View):
    """All numbers of a row in one axis, the last axis counting fastest: (7, 7, 64) as 3136.

    Shapes: x (*K, B, *I) -> y (*K, B, O);  O = the product of I
    """

    example_input = (2, 3)

    def plan(self, inputs: Inputs) -> Plan:
        return Plan((math.prod(inputs.shape),))
