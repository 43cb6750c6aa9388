"""One layer alone: given inputs and output gradients in, its outputs, input gradient, and all else out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnctl.component import section
from nnctl.layers import Array, Layer
from nnctl.layers.flatten import Flatten
from nnctl.layers.scale import Scale
from nnctl.losses import Loss
from nnctl.network.members import Streams, stream
from nnctl.network.network import Network, build, stack
from nnctl.network.workspace import Workspace


@section
class Given(Loss):
    """A loss whose gradient is the target."""

    def forward(self, s: Any) -> None:
        s.losses.fill(0)

    def backward(self, s: Any) -> None:
        np.copyto(s.dy, s.t)


@dataclass
class Run:
    """What a pass through the layer gives, and the arrays behind it by name."""

    y: Array
    dx: Array | None
    theta: dict[str, Array]
    grad: dict[str, Array]
    stats: dict[str, Array]


def alone(layer: Layer, shape: tuple[int, ...]) -> Network:
    """The layer, and behind it what changes no number: the axes of a row as one, and a factor of 1."""
    return build([("it", layer), ("flat", Flatten()), ("one", Scale())], shape)


def run(
    *layers: Layer,
    x: Any,
    dy: Any = 1.0,
    theta: dict[str, Any] | None = None,
    stats: dict[str, Any] | None = None,
    training: bool = True,
    dtype: Any = np.float64,
    passes: int = 1,
) -> Run:
    """Run the layer, or a stack of several, on x (B, *I), with the gradient dy of its outputs."""
    x = np.asarray(x, dtype)
    networks = [alone(layer, x.shape[1:]) for layer in layers]
    network = stack(networks) if len(networks) > 1 else networks[0]
    arena = network.arena(dtype)
    network.initialise(arena, [stream(0, "init")] * len(networks))
    for given, named in ((theta, arena.named(arena.theta)), (stats, arena.named_statistics())):
        for name, value in (given or {}).items():
            named[f"it.{name}"][...] = value
    streams = Streams([stream(seed, "dropout") for seed in range(len(networks))], network.members)
    space = Workspace(
        network, [Given()] * len(networks), arena, len(x), training=training, streams=streams, input_gradient=True
    )
    made = space.at(len(x))
    made.x[...] = x
    made.t[...] = np.broadcast_to(dy, x.shape).reshape(len(x), -1)
    for _ in range(passes):
        made.forward()
    y = made.scores.reshape(*network.members, *x.shape).copy()
    if training:
        made.backward()
    own = [
        {name[3:]: view for name, view in named.items() if name.startswith("it.")}
        for named in (arena.named(arena.theta), arena.named(arena.grad), arena.named_statistics())
    ]
    return Run(y, made.dx if training else None, *own)
