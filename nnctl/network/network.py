"""The network: a tree of layers with computed shapes, and the segments of its flat vectors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nnctl.errors import Problem, SpecError
from nnctl.layers import InputColumn, Inputs, Layer, Plan, Shape
from nnctl.layers.composite import Composite, NamedLayers, bracketed
from nnctl.layers.identity import Identity
from nnctl.layers.weighted import Weighted
from nnctl.network.arena import Arena, Segment, lay_out
from nnctl.network.members import check_alike


@dataclass(frozen=True, slots=True)
class Node:
    """A layer at its place in a chain; a composite has chains of nodes of its own."""

    name: str  # its place in resolved.yaml: layers.0, layers.0.activation, output
    layer: Layer
    inputs: Inputs
    plan: Plan
    chains: tuple[tuple[Node, ...], ...] = ()
    variants: tuple[Layer, ...] = ()  # the layer in each of K members; none: one network

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layer in every member; a single one for a single network."""
        return self.variants or (self.layer,)

    @property
    def size(self) -> int:
        """The number of its own parameters."""
        return sum(math.prod(parameter.shape) for parameter in self.plan.parameters.values())

    @property
    def learns(self) -> bool:
        """Whether it, or a layer inside it, has parameters."""
        return any(node.plan.parameters for node in walk((self,)))


@dataclass(frozen=True, slots=True)
class Network:
    """A chain of layers for inputs of one shape, or a stack of K such chains (see ``stack``)."""

    nodes: tuple[Node, ...]
    segments: tuple[Segment, ...]
    statistics: tuple[Segment, ...]

    def walk(self) -> Iterator[Node]:
        """Every node, a composite before those inside it."""
        return walk(self.nodes)

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
        variants = self.nodes[0].variants
        return (len(variants),) if variants else ()

    @property
    def parameters(self) -> int:
        """The number of parameters P of one member."""
        return self.segments[-1].stop if self.segments else 0

    def arena(self, dtype: type | str = np.float32) -> Arena:
        """Fresh vectors for this network, all zero."""
        return Arena(self.segments, self.statistics, members=self.members, dtype=dtype)

    def initialise(self, arena: Arena, generators: Sequence[np.random.Generator]) -> None:
        """Draw the parameters, each member's from its own generator, and set the running statistics.

        Numbers are drawn in float64 and rounded to the arena's dtype, so that the same seed gives the same network.
        """
        theta, stats = arena.named(arena.theta), arena.named_statistics()
        for node in self.walk():
            for name, statistic in node.plan.statistics.items():
                stats[f"{node.name}.{name}"][...] = statistic.fill
            for member, layer in enumerate(node.layers):
                for name, parameter in layer.plan(node.inputs).parameters.items():
                    view = theta[f"{node.name}.{name}"]
                    drawn = parameter.init.draw(
                        parameter.shape, generators[member], fan_in=parameter.fan_in, fan_out=parameter.fan_out
                    )
                    (view[member] if self.members else view)[...] = drawn


def build(layers: NamedLayers, input_shape: Shape, columns: Sequence[InputColumn] = ()) -> Network:
    """Compute the shapes along the chain, and along the chains inside it; ``columns`` are those of a feature matrix.

    An activation that is an option of its layer becomes a link of the chain, directly behind it. Raises SpecError
    with the key of the layer that cannot take what the layer before it gives, or of its initializer.
    """
    nodes = _chain(layers, Inputs(input_shape, tuple(columns)))
    parameters = [
        (f"{node.name}.{name}", parameter.shape, parameter.decay)
        for node in walk(nodes)
        for name, parameter in node.plan.parameters.items()
    ]
    statistics = [
        (f"{node.name}.{name}", statistic.shape, False)
        for node in walk(nodes)
        for name, statistic in node.plan.statistics.items()
    ]
    if not parameters:
        raise SpecError(Problem("has no layer with parameters: there is nothing to learn", "model"))
    return Network(nodes, lay_out(parameters), lay_out(statistics))


def walk(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes and all nodes inside them, a composite before its own."""
    for node in nodes:
        yield node
        for chain in node.chains:
            yield from walk(chain)


def stack(networks: Sequence[Network]) -> Network:
    """K networks as one that runs them in a single pass. They may differ in options marked ``stack`` alone.

    Raises ValueError if they differ in anything else.
    """
    if len({network.input for network in networks}) > 1:
        raise ValueError("networks of one stack have the same input")
    return replace(networks[0], nodes=_stacked([network.nodes for network in networks]))


def key_of(name: str) -> str:
    """The key in the YAML of a node's name: ``layers.0.activation`` -> ``model.layers[0].activation``."""
    return f"model.{bracketed(name)}"


def _chain(layers: NamedLayers, inputs: Inputs) -> tuple[Node, ...]:
    nodes = []
    for name, layer in _flat(layers):
        nodes.append(_node(name, layer, inputs))
        inputs = Inputs(nodes[-1].plan.output, nodes[-1].plan.columns)
    return tuple(nodes)


def _node(name: str, layer: Layer, inputs: Inputs) -> Node:
    try:
        plan = layer.plan(inputs)
    except SpecError as error:
        raise error.within(key_of(name)) from None
    _check_initializers(name, plan)
    if not isinstance(layer, Composite):
        return Node(name, layer, inputs, plan)
    chains = ([(f"{name}.{inner}", each) for inner, each in chain] for chain in layer.chains(inputs))
    return Node(name, layer, inputs, plan, tuple(_chain(chain, inputs) for chain in chains))


def _stacked(chains: Sequence[tuple[Node, ...]]) -> tuple[Node, ...]:
    """The nodes of one chain in every member, as one chain."""
    found = []
    for nodes in zip(*chains, strict=True):
        check_alike([node.layer for node in nodes])
        inner = tuple(_stacked(inside) for inside in zip(*(node.chains for node in nodes), strict=True))
        found.append(replace(nodes[0], variants=tuple(node.layer for node in nodes), chains=inner))
    return tuple(found)


def _flat(layers: NamedLayers) -> list[tuple[str, Layer]]:
    chain: list[tuple[str, Layer]] = []
    for name, layer in layers:
        chain.append((name, layer))
        if isinstance(layer, Weighted) and not isinstance(layer.activation, Identity):
            chain.append((f"{name}.activation", layer.activation))
    return chain


def _check_initializers(name: str, plan: Plan) -> None:
    for parameter_name, parameter in plan.parameters.items():
        try:
            parameter.init.check(parameter.shape)
        except SpecError as error:
            option = {"b": "bias_init", "R": "recurrent_init"}.get(parameter_name.partition("_")[0], "init")
            raise error.within(f"{key_of(name)}.{option}") from None
