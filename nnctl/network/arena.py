"""The vectors of a run: every parameter in one array, every gradient in another, running statistics in a third."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


LINE = 64  # bytes of a line of the cache


def aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """Zeros that begin where a line of the cache does, so that no wide load touches two lines.

    NumPy aligns to 16 bytes: there Adam takes a tenth longer on vectors that fit in the cache.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.zeros(size + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    found: Array = memory[start : start + size].view(dtype).reshape(shape)
    return found


@dataclass(frozen=True, slots=True)
class Segment:
    """A named stretch of a flat vector, and the shape that a layer sees it in."""

    name: str
    shape: tuple[int, ...]
    start: int
    decay: bool = False

    @property
    def stop(self) -> int:
        return self.start + math.prod(self.shape)

    def view(self, flat: Array) -> Array:
        """This segment of a vector ``(*K, P)``, reshaped to ``(*K, *shape)`` without a copy."""
        return flat[..., self.start : self.stop].reshape(*flat.shape[:-1], *self.shape)


def lay_out(items: Iterable[tuple[str, tuple[int, ...], bool]]) -> tuple[Segment, ...]:
    """Place named shapes one behind the other, those that decay first, so that weight decay is a slice."""
    segments = []
    start = 0
    for name, shape, decay in sorted(items, key=lambda item: not item[2]):
        segments.append(Segment(name, shape, start, decay))
        start = segments[-1].stop
    return tuple(segments)


class Arena:
    """The vectors that live for one run.

    Shapes: theta, grad (*K, P); stats (*K, S).  K members (none for a single network), P parameters, S statistics.
    ``decayed`` is the leading part of theta that weight decay applies to.
    """

    def __init__(
        self,
        parameters: tuple[Segment, ...],
        statistics: tuple[Segment, ...],
        *,
        members: tuple[int, ...] = (),
        dtype: Any = np.float32,
    ) -> None:
        self.parameters, self.statistics = parameters, statistics
        self.members, self.dtype = members, np.dtype(dtype)
        self.theta = self.vector()
        self.grad = self.vector()
        self.stats = np.zeros((*members, _length(statistics)), self.dtype)
        self.decayed = self.theta[..., : _length(tuple(part for part in parameters if part.decay))]

    def vector(self) -> Array:
        """A further vector of zeros, as long as theta."""
        return aligned((*self.members, _length(self.parameters)), self.dtype)

    def beside(self, theta: Array, stats: Array | None = None) -> Arena:
        """An arena with another theta, which shares the gradient and, unless others are given, the statistics."""
        other = copy.copy(self)
        other.theta, other.decayed = theta, theta[..., : self.decayed.shape[-1]]
        other.stats = self.stats if stats is None else stats
        return other

    def with_grad(self, grad: Array) -> Arena:
        """An arena with another gradient, which shares all else with this one."""
        other = copy.copy(self)
        other.grad = grad
        return other

    def join(self, stack: Arena, member: int) -> None:
        """Take what is here into a stack's vectors: from now on these are views of a member's rows."""
        for name in ("theta", "grad", "stats"):
            row = getattr(stack, name)[member]
            row[...] = getattr(self, name)
            setattr(self, name, row)
        self.decayed = self.theta[..., : self.decayed.shape[-1]]

    def leave(self) -> None:
        """Leave a stack, whose rows move on, with a copy of what is there now."""
        for name in ("theta", "grad", "stats"):
            setattr(self, name, getattr(self, name).copy())
        self.decayed = self.theta[..., : self.decayed.shape[-1]]

    def named(self, flat: Array) -> dict[str, Array]:
        """The views of theta, or of a vector like it, by parameter name."""
        return {part.name: part.view(flat) for part in self.parameters}

    def named_statistics(self) -> dict[str, Array]:
        """The views of the running statistics by name."""
        return {part.name: part.view(self.stats) for part in self.statistics}


def _length(segments: tuple[Segment, ...]) -> int:
    return max((part.stop for part in segments), default=0)
