"""Which buffer each activation and each gradient lies in, and the memory behind the buffers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.layers import ROWS, Shape
from nnctl.network.arena import aligned
from nnctl.network.network import Node

Array = NDArray[Any]


def output_buffers(nodes: Sequence[Node], level: int, *, training: bool) -> list[str]:
    """The buffer of the output of every node of a chain, so many composites deep.

    In training an output gets a buffer of its own, unless its layer may overwrite its input and nobody's backward
    reads that. In evaluation two buffers of the level take turns.
    """
    names: list[str] = []
    for place, node in enumerate(nodes):
        if place and node.layer.overwrites_x:
            unread = "x" not in node.plan.reads and "y" not in nodes[place - 1].plan.reads
            if unread or not training:
                names.append(names[-1])
                continue
        names.append(f"{node.name}.y" if training else _turn("y", level, names))
    return names


def gradient_buffers(nodes: Sequence[Node], level: int) -> list[str]:
    """The buffer of the gradient of every node's input, and as the last one of the chain's output.

    Two buffers of the level take turns.
    """
    names = [f"g0.{level}"]
    for node in reversed(nodes):
        names.append(names[-1] if node.layer.overwrites_dy else _turn("g", level, names))
    return names[::-1]


def _turn(kind: str, level: int, taken: Sequence[str]) -> str:
    """The one of a level's two buffers that was not the last one."""
    first, second = f"{kind}0.{level}", f"{kind}1.{level}"
    return second if taken and taken[-1] == first else first


class Memory:
    """Named stretches of memory, each as large as the largest array that is carved out of it.

    Shapes are those of one member, with ``ROWS`` for the batch axis; every array gets the member axes in front.
    """

    def __init__(self, members: tuple[int, ...], rows: int, dtype: np.dtype[Any]) -> None:
        self.members, self.rows, self.dtype = members, rows, dtype
        self._planned: dict[str, tuple[int, np.dtype[Any], float | None]] = {}  # elements, dtype, fill
        self.flat: dict[str, Array] = {}

    def reserve(self, name: str, shapes: Iterable[Shape], dtype: Any = None, fill: float | None = None) -> None:
        """Plan a stretch for the largest of the shapes at the full number of rows."""
        size = max(self._elements(shape, self.rows) for shape in shapes)
        self._planned[name] = (size, np.dtype(dtype or self.dtype), fill)

    @property
    def bytes(self) -> int:
        """The size of all stretches."""
        return sum(size * dtype.itemsize for size, dtype, _ in self._planned.values())

    def carve(self, name: str, shape: Shape, rows: int) -> Array:
        """A contiguous array for so many rows at the start of the stretch, which the first call allocates."""
        if name not in self.flat:
            size, dtype, fill = self._planned[name]
            self.flat[name] = aligned((size,), dtype)
            if fill is not None:
                self.flat[name].fill(fill)
        axes = (rows if axis == ROWS else axis for axis in shape)
        return self.flat[name][: self._elements(shape, rows)].reshape(*self.members, *axes)

    def _elements(self, shape: Shape, rows: int) -> int:
        return math.prod(self.members) * math.prod(rows if axis == ROWS else axis for axis in shape)
