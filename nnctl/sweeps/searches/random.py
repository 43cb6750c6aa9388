"""Random search."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as counted

from nnctl.sweeps.searches.draws import at, distinct, uniform
from nnctl.sweeps.space.space import Setting, Space


def random(space: Space, count: int, seed: int) -> Iterator[Setting]:
    """So many settings, each key drawn for itself, no setting twice.

    A draw depends on the seed, its number and its keys: more trials keep those that there were, and another key
    changes no draw of the others.
    Source: Bergstra and Bengio 2012.
    """
    return distinct(draws(space, seed), count)


def draws(space: Space, seed: int, *words: object) -> Iterator[Setting]:
    """Draws without end, also the same ones again."""
    names = [",".join(axis.keys) for axis in space.varied]
    return (at(space, (uniform(seed, "random", *words, number, name) for name in names)) for number in counted())
