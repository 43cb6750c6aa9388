"""The residual block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.initializers.glorot_uniform import GlorotUniform
from nnctl.layers import Inputs, Layer, Plan, Slot
from nnctl.layers.composite import Composite, NamedLayers, output_of
from nnctl.layers.dense import Dense


@component(
    "residual",
    examples=[
        {"layers": [{"type": "dense", "units": 5, "init": "lecun_normal", "activation": "tanh"}]},
        {"layers": [{"type": "dense", "units": 4, "init": "lecun_normal"}, "tanh"]},
        {"layers": ["tanh", {"type": "residual", "layers": ["tanh"]}]},
    ],
)
class Residual(Composite):
    """The input added to what some layers make of it, ``y = x + f(x)``; ``y = P x + f(x)`` when the widths differ.

    The projection P is a dense layer without bias on the last axis.
    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., O)
    Source: He et al. 2016; identity shortcuts, and projections where the dimensions increase (option B).
    """

    layers: tuple[Layer, ...] = option(help="The layers f.")
    projection: Literal["auto"] | None = option(
        default="auto", help="Dense layer on the input; auto: where the widths differ, null: never."
    )

    def lists(self) -> dict[str, tuple[Layer, ...]]:
        return {"layers": self.layers}

    def with_lists(self, lists: Sequence[tuple[Layer, ...]]) -> Self:
        return type(self)(layers=lists[0], projection=self.projection)

    def chains(self, inputs: Inputs) -> list[NamedLayers]:
        inner = super().chains(inputs)
        width = output_of(inner[0], inputs).shape[-1]
        if width == inputs.shape[-1] or self.projection is None:
            return inner
        return [*inner, [("projection", Dense(units=width, bias=False, init=GlorotUniform()))]]

    def plan(self, inputs: Inputs) -> Plan:
        shapes = [output_of(chain, inputs).shape for chain in self.chains(inputs)]
        shortcut = shapes[1] if len(shapes) > 1 else inputs.shape
        if shapes[0] != shortcut:
            raise SpecError(Problem(f"the layers give the shape {shapes[0]}, which cannot be added to {shortcut}"))
        return Plan(shapes[0])

    def forward(self, s: Slot) -> None:
        s.chains[0].forward()
        if len(s.chains) == 1:
            np.add(s.x, s.chains[0].y, s.y)
            return
        np.copyto(s.y, s.chains[0].y)
        s.chains[1].forward()
        np.add(s.y, s.chains[1].y, s.y)

    def backward(self, s: Slot) -> None:
        """``dx = dy + f'(x) dy``, or ``P dy`` in the place of the first dy."""
        np.copyto(s.chains[0].dy, s.dy)
        s.chains[0].backward()
        if s.dx is not None:
            np.copyto(s.dx, s.chains[0].dx)
        if len(s.chains) == 1:
            if s.dx is not None:
                np.add(s.dx, s.dy, s.dx)
            return
        np.copyto(s.chains[1].dy, s.dy)
        s.chains[1].backward()
        if s.dx is not None:
            np.add(s.dx, s.chains[1].dx, s.dx)
