"""Grid search: every combination."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from nnctl.sweeps.space.axes import Choices
from nnctl.sweeps.space.space import Setting, Space


def grid(space: Space) -> Iterator[Setting]:
    """All combinations of lists, the last key fastest."""
    return product(*(axis.rows for axis in space.varied if isinstance(axis, Choices)))
