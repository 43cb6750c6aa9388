"""The order in which the layers of a chain run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnctl.layers import Inputs
from nnctl.network.network import Node


def in_order(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """A rectifier behind the max-pooling in front of which it stands, where it has a quarter of the numbers to do.

    The largest of some rectified numbers is the largest of them rectified: outputs and gradients keep their bits.
    """
    ordered = list(nodes)
    for place in range(1, len(ordered)):
        first, second = ordered[place - 1], ordered[place]
        if first.layer.rectifies and second.layer.takes_largest:
            inputs = Inputs(second.plan.output)
            ordered[place - 1] = second
            ordered[place] = replace(first, inputs=inputs, plan=first.layer.plan(inputs))
    return tuple(ordered)
