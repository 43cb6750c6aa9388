"""Branches side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from nnctl.component import component, option
from nnctl.errors import Problem, SpecError
from nnctl.layers import Inputs, Layer, Plan, Slot
from nnctl.layers.composite import Composite, output_of

_DENSE = {"type": "dense", "units": 3, "init": "lecun_normal", "activation": "tanh"}


@component(
    "concat", examples=[{"branches": [[_DENSE], [{**_DENSE, "units": 2}, "tanh"]]}, {"branches": [[], [_DENSE]]}]
)
class Concat(Composite):
    """Branches that run on the same input, their outputs joined along the last axis; an empty branch passes it on.

    Shapes: x (*K, B, ..., I) -> y (*K, B, ..., O1 + O2 + ...)
    """

    branches: tuple[tuple[Layer, ...], ...] = option(help="A list of layers for each branch.")

    def lists(self) -> dict[str, tuple[Layer, ...]]:
        return {f"branches.{place}": layers for place, layers in enumerate(self.branches)}

    def with_lists(self, lists: Sequence[tuple[Layer, ...]]) -> Self:
        return type(self)(branches=tuple(lists))

    def plan(self, inputs: Inputs) -> Plan:
        if not self.branches:
            raise SpecError(Problem("needs at least one branch, got none", "branches"))
        ends = [output_of(chain, inputs) for chain in self.chains(inputs)]
        first, *others = ends
        for place, end in enumerate(others, start=1):
            if end.shape[:-1] != first.shape[:-1]:
                message = f"gives the shape {end.shape}, which cannot be joined to {first.shape} along the last axis"
                raise SpecError(Problem(message, f"branches[{place}]"))
        joined = sum(end.shape[-1] for end in ends)
        return Plan((*first.shape[:-1], joined))

    def bind(self, s: Slot) -> None:
        """Views of y and dy, one for each branch."""
        stops = np.cumsum([chain.y.shape[-1] for chain in s.chains]).tolist()
        parts = [slice(start, stop) for start, stop in zip([0, *stops], stops, strict=False)]
        s.ys = [s.y[..., part] for part in parts]
        s.dys = [s.dy[..., part] for part in parts] if s.training else []

    def forward(self, s: Slot) -> None:
        for chain, y in zip(s.chains, s.ys, strict=True):
            chain.forward()
            np.copyto(y, chain.y)

    def backward(self, s: Slot) -> None:
        """``dx`` is the sum of what the branches give."""
        for place, (chain, dy) in enumerate(zip(s.chains, s.dys, strict=True)):
            np.copyto(chain.dy, dy)
            chain.backward()
            if s.dx is None:
                continue
            if place == 0:
                np.copyto(s.dx, chain.dx)
            else:
                np.add(s.dx, chain.dx, s.dx)
