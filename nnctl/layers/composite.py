"""What residual and concat have in common: chains of layers that run on the input of the layer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol, Self

from nnctl.component import section
from nnctl.errors import SpecError
from nnctl.layers import Array, Inputs, Layer

NamedLayers = Sequence[tuple[str, Layer]]


class Chain(Protocol):
    """A chain in the slot of its layer: ``s.chains``.

    ``forward`` reads x and leaves y. ``backward`` reads dy (write it before) and leaves the gradient of the chain's
    parameters and dx, which is None where the layer's own ``s.dx`` is.

    The chains of one layer share buffers: what one leaves in y (in evaluation) or dx is to be used before the
    next one runs.
    """

    y: Array
    dy: Array
    dx: Any

    def forward(self) -> None: ...
    def backward(self) -> None: ...


@section
class Composite(Layer):
    """A layer that owns lists of layers. Every list is a chain, and runs on the layer's own input."""

    def lists(self) -> dict[str, tuple[Layer, ...]]:
        """The lists by their names: ``layers``, ``branches.0``."""
        raise NotImplementedError

    def with_lists(self, lists: Sequence[tuple[Layer, ...]]) -> Self:
        """The same layer with other lists, in the same order."""
        raise NotImplementedError

    def chains(self, inputs: Inputs) -> list[NamedLayers]:
        """The chains for an input, every layer with its name inside this one: those of the lists, and what is added."""
        return [
            [(f"{name}.{place}", layer) for place, layer in enumerate(layers)] for name, layers in self.lists().items()
        ]


def output_of(chain: NamedLayers, inputs: Inputs) -> Inputs:
    """What a chain gives, as the input of what follows. Raises SpecError with the key of the layer that cannot fit."""
    for name, layer in chain:
        try:
            plan = layer.plan(inputs)
        except SpecError as error:
            raise error.within(bracketed(name)) from None
        inputs = Inputs(plan.output, plan.columns)
    return inputs


def bracketed(name: str) -> str:
    """A name as a key of the YAML: ``layers.0.activation`` -> ``layers[0].activation``."""
    return re.sub(r"\.(\d+)", r"[\1]", name)
