"""The network: a chain of layers with computed shapes, and the segments of its flat vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from nnctl.errors import Problem, SpecError
from nnctl.layers import Inputs, Layer, Parameter, Plan, Shape
from nnctl.layers.identity import Identity
from nnctl.layers.weighted import Weighted
from nnctl.network.arena import Arena, Segment, lay_out
from nnctl.network.members import check_alike

NamedLayers = Sequence[tuple[str, Layer]]


@dataclass(frozen=True, slots=True)
class Node:
    """A layer at its place in the chain."""

    name: str  # its place in resolved.yaml: layers.0, layers.0.activation, output
    layer: Layer
    inputs: Inputs
    plan: Plan

    def parameter_names(self) -> dict[str, str]:
        return {name: f"{self.name}.{name}" for name in self.plan.parameters}

    @property
    def size(self) -> int:
        """The number of its parameters."""
        return sum(int(np.prod(parameter.shape)) for parameter in self.plan.parameters.values())


@dataclass(frozen=True, slots=True)
class Network:
    """A chain of layers for inputs of one shape, or a stack of K such chains (see ``stack``)."""

    nodes: tuple[Node, ...]
    segments: tuple[Segment, ...]
    statistics: tuple[Segment, ...]
    variants: tuple[tuple[Layer, ...], ...] = field(default=())  # the layers of each of K members; none: one network

    @property
    def output(self) -> Shape:
        """The shape of one row of scores."""
        return self.nodes[-1].plan.output

    @property
    def input(self) -> Shape:
        """The shape of one row of the input."""
        return self.nodes[0].inputs.shape

    @property
    def members(self) -> tuple[int, ...]:
        return (len(self.variants),) if self.variants else ()

    @property
    def parameters(self) -> int:
        """The number of parameters P of one member."""
        return self.segments[-1].stop if self.segments else 0

    def layers_of(self, place: int) -> list[Layer]:
        """The layer at that place in the chain, in every member."""
        return [layers[place] for layers in self.variants] or [self.nodes[place].layer]

    def arena(self, dtype: type | str = np.float32) -> Arena:
        """Fresh vectors for this network, all zero."""
        return Arena(self.segments, self.statistics, members=self.members, dtype=dtype)

    def initialise(self, arena: Arena, generators: Sequence[np.random.Generator]) -> None:
        """Draw the parameters, each member's from its own generator, and set the running statistics.

        Numbers are drawn in float64 and rounded to the arena's dtype, so that the same seed gives the same network.
        Raises SpecError if an initializer does not fit the shape of its parameter.
        """
        theta, stats = arena.named(arena.theta), arena.named_statistics()
        for place, node in enumerate(self.nodes):
            for name, statistic in node.plan.statistics.items():
                stats[f"{node.name}.{name}"][...] = statistic.fill
            for member, layer in enumerate(self.layers_of(place)):
                for name, parameter in layer.plan(node.inputs).parameters.items():
                    view = theta[f"{node.name}.{name}"]
                    (view[member] if self.members else view)[...] = _drawn(node, name, parameter, generators[member])


def build(layers: NamedLayers, input_shape: Shape) -> Network:
    """Compute the shapes along the chain.

    An activation that is an option of its layer becomes a link of the chain, directly behind it. Raises SpecError
    with the key of every layer that cannot take what the layer before it gives.
    """
    nodes = []
    inputs = Inputs(input_shape)
    for name, layer in _flat(layers):
        plan = layer.plan(inputs)
        nodes.append(Node(name, layer, inputs, plan))
        inputs = Inputs(plan.output)
    parameters = [
        (f"{node.name}.{name}", parameter.shape, parameter.decay)
        for node in nodes
        for name, parameter in node.plan.parameters.items()
    ]
    statistics = [
        (f"{node.name}.{name}", statistic.shape, False)
        for node in nodes
        for name, statistic in node.plan.statistics.items()
    ]
    if not parameters:
        raise SpecError(Problem("has no layer with parameters: there is nothing to learn", "model"))
    return Network(tuple(nodes), lay_out(parameters), lay_out(statistics))


def stack(networks: Sequence[Network]) -> Network:
    """K networks as one that runs them in a single pass. They may differ in options marked ``stack`` alone.

    Raises ValueError if they differ in anything else.
    """
    variants = tuple(tuple(node.layer for node in network.nodes) for network in networks)
    for layers in zip(*variants, strict=True):
        check_alike(layers)
    if len({network.input for network in networks}) > 1:
        raise ValueError("networks of one stack have the same input")
    return replace(networks[0], variants=variants)


def key_of(name: str) -> str:
    """The key in the YAML of a node's name: ``layers.0.activation`` -> ``model.layers[0].activation``."""
    return "model." + re.sub(r"\.(\d+)", r"[\1]", name)


def _flat(layers: NamedLayers) -> list[tuple[str, Layer]]:
    chain: list[tuple[str, Layer]] = []
    for name, layer in layers:
        chain.append((name, layer))
        if isinstance(layer, Weighted) and not isinstance(layer.activation, Identity):
            chain.append((f"{name}.activation", layer.activation))
    return chain


def _drawn(node: Node, name: str, parameter: Parameter, rng: np.random.Generator) -> np.ndarray:
    try:
        return parameter.init.draw(parameter.shape, rng, fan_in=parameter.fan_in, fan_out=parameter.fan_out)
    except SpecError as error:
        option = "bias_init" if name == "b" else "init"
        raise SpecError(replace(problem, key=f"{key_of(node.name)}.{option}") for problem in error.problems) from None
