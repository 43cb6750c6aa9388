"""Where the time of a run went, as it is given back and printed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LayerTime:
    """The seconds of a layer in training, those of the layers inside it among them."""

    name: str  # its place in resolved.yaml
    type: str
    depth: int  # the number of layers that it lies inside
    forward: float
    backward: float


@dataclass(frozen=True, slots=True)
class Profile:
    """What a run has taken, in seconds.

    The parts add up to ``seconds``. ``layers`` and ``loss`` tell the ways of two of the parts apart; the matrix
    products of the layers, in training and in evaluations, lie inside several parts.
    """

    seconds: float
    parts: dict[str, float]
    layers: tuple[LayerTime, ...]  # in the order of the network, a composite before those inside it
    loss: tuple[float, float]  # forward, backward
    products: float

    def as_json(self) -> dict[str, Any]:
        """What `train --json` prints of it."""
        layers = [
            {"name": layer.name, "type": layer.type, "forward": layer.forward, "backward": layer.backward}
            for layer in self.layers
        ]
        return {"seconds": self.seconds, "parts": self.parts, "products": self.products, "layers": layers}
