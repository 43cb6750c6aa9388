"""Members: K networks of one shape that are trained in one pass, along a leading axis.

A component holds one network's options. In a stack, the options marked ``stack`` differ between the K variants of
a component, and its slot holds them as arrays ready to broadcast.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnctl.component import Component, options
from nnctl.initializers import Initializer

Array = NDArray[Any]

DRAWS = 2**12  # of 64 bits at a time


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream of that name: adding a consumer under a new name moves none of the others."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=tuple(name.encode()))))


class Streams:
    """One random generator for every member; a single one for a single network.

    Those of a network whose batches are split hold one for each ``shard``, and only together have a state.
    """

    def __init__(self, generators: Sequence[np.random.Generator], members: tuple[int, ...] = ()) -> None:
        if len(generators) != (members[0] if members else 1):
            raise ValueError(f"{len(generators)} generators for members {members}")
        self.generators, self.members = list(generators), members

    @classmethod
    def single(cls, seed: int, name: str, shards: int = 1) -> Streams:
        """The stream of that name, and further ones for all shards but the first."""
        found = cls([stream(seed, name)])
        found.generators += [stream(seed, f"{name}.{place}") for place in range(1, shards)]
        return found

    def shard(self, place: int) -> Streams:
        """The stream of one shard."""
        return Streams([self.generators[place]])

    def random(self, out: Array) -> None:
        """Fill ``out`` (*K, ...) with uniform numbers from [0, 1), each member from its own generator."""
        for generator, part in zip(self.generators, out if self.members else (out,), strict=True):
            generator.random(out=part, dtype=part.dtype)

    def keep(self, out: Array, rates: Sequence[float]) -> None:
        """Fill ``out`` (*K, ...) of booleans: each is False with the probability of its member in ``rates``.

        A draw of 64 bits decides about four of them, which takes half the time of comparing numbers in [0, 1) with a
        rate. Where the 16 bits of one leave the matter open, a further number does: so the probability is exact.
        """
        for generator, part, rate in zip(self.generators, out if self.members else (out,), rates, strict=True):
            flat, draw = part.reshape(-1), generator.bit_generator.random_raw
            least, rest = divmod(rate * 65536, 1)
            for start in range(0, flat.size, 4 * DRAWS):
                kept = flat[start : start + 4 * DRAWS]
                bits = draw(-(-kept.size // 4)).view(np.uint16)[: kept.size]
                np.greater_equal(bits, int(least), kept)
                if rest:
                    open_ = np.flatnonzero(bits == int(least))
                    kept[open_] = generator.random(len(open_)) >= rest

    def normal(self, out: Array) -> None:
        """Fill ``out`` (*K, ...) with standard normal numbers, each member from its own generator."""
        for generator, part in zip(self.generators, out if self.members else (out,), strict=True):
            generator.standard_normal(out=part, dtype=part.dtype)

    def shuffle(self, order: Array) -> None:
        """Shuffle each row of ``order`` (*K, N) in place."""
        for generator, part in zip(self.generators, order if self.members else (order,), strict=True):
            generator.shuffle(part)

    @property
    def state(self) -> list[dict[str, Any]]:
        """The states of the generators: plain values that JSON can hold."""
        return [dict(generator.bit_generator.state) for generator in self.generators]

    @state.setter
    def state(self, states: Sequence[dict[str, Any]]) -> None:
        for generator, state in zip(self.generators, states, strict=True):
            generator.bit_generator.state = state


def stacked_options(variants: Sequence[Any], members: tuple[int, ...], axes: int, dtype: Any) -> SimpleNamespace:
    """The ``stack`` options of the variants of one component or section.

    For a single network each is 0-d; for a stack (K, 1, ...) with ``axes`` trailing ones. An option that is None in
    all variants stays None; where some have a number, None counts as the option's ``null``.
    Raises: ValueError if None counts as no number.
    """
    found = SimpleNamespace()
    for name, option in options(type(variants[0])).items():
        if not option.stack:
            continue
        values = [getattr(variant, name) for variant in variants]
        if all(value is None for value in values):
            setattr(found, name, None)
            continue
        if option.null is None and None in values:
            raise ValueError(f"{_called(variants[0])}.{name} is null for some members of a stack, a number for others")
        values = [option.null if value is None else value for value in values]
        with np.errstate(over="ignore"):  # what the dtype cannot hold is infinite, and shows in the first step
            array = np.array(values, dtype)
        setattr(found, name, array.reshape(len(values), *(1,) * axes) if members else array[0, ...])
    return found


def exact_options(variants: Sequence[Component], members: tuple[int, ...]) -> SimpleNamespace:
    """The same options in full precision: Python floats for one network, float64 (K, 1) for a stack."""
    if not members:
        return SimpleNamespace(**{name: getattr(variants[0], name) for name in stack_options(type(variants[0]))})
    return stacked_options(variants, members, 1, np.float64)


def stack_options(cls: type) -> list[str]:
    """The names of the options that may differ between members."""
    return [name for name, option in options(cls).items() if option.stack]


def check_alike(variants: Sequence[Any]) -> None:
    """Raise ValueError unless the components or sections are of one class and differ only in ``stack`` options."""
    first = variants[0]
    for variant in variants[1:]:
        if type(variant) is not type(first):
            raise ValueError(f"{_called(first)} and {_called(variant)} cannot share a stack")
        free = stack_options(type(first))
        for field in dataclasses.fields(first):
            one, other = getattr(first, field.name), getattr(variant, field.name)
            if isinstance(one, Initializer):
                continue  # each member has drawn its own weights
            if dataclasses.is_dataclass(one):
                check_alike([one, other])
            elif isinstance(one, tuple) and any(isinstance(item, Component | tuple) for item in one):
                continue  # the layers of a composite are compared as nodes of their own
            elif field.name not in free and one != other:
                raise ValueError(f"{_called(first)}.{field.name} differs inside a stack: {one!r}, {other!r}")


def common(value: Any) -> Any:
    """What the members of a stack have in common of a component, a section, or a collection of them; hashable."""
    if isinstance(value, Initializer):
        return None
    if isinstance(value, tuple):
        return tuple(common(item) for item in value)
    if isinstance(value, Mapping):
        return tuple(sorted((key, common(item)) for key, item in value.items()))
    if not dataclasses.is_dataclass(value):
        return value
    free = stack_options(type(value))
    fields = [field.name for field in dataclasses.fields(value)]
    return type(value), tuple((name, common(getattr(value, name))) for name in fields if name not in free)


def _called(value: Any) -> str:
    """The name of a component, or of another value's class."""
    return value.name if isinstance(value, Component) else type(value).__name__
