"""Drawing: numbers that depend on a seed and on words alone, and settings of which no two are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from nnctl.sweeps.space.space import Setting, Space


def uniform(seed: int, *words: object) -> float:
    """A number from 0 to 1, 1 itself left out, the same on every machine and for every version of every library.

    Source: the upper 53 bits of SHA-256, which nobody can tell from uniform ones.
    """
    return bits(seed, *words) / 2.0**53


def bits(seed: int, *words: object, count: int = 53) -> int:
    """So many random bits as a whole number."""
    text = "\n".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - count)


def at(space: Space, place: Iterable[float]) -> Setting:
    """The setting at a place in the unit cube, a side for each axis that varies."""
    return tuple(axis.at(u) for axis, u in zip(space.varied, place, strict=True))


def identity(setting: Setting) -> str:
    """What two settings have in common only if they are the same."""
    return repr([[value.text for value in row] for row in setting])


def distinct(settings: Iterable[Setting], count: int, known: Iterable[Setting] = ()) -> Iterator[Setting]:
    """The first so many settings that differ from each other and from the known ones."""
    seen = {identity(setting) for setting in known}
    left = count
    for setting in settings if count > 0 else ():
        if (name := identity(setting)) not in seen:
            seen.add(name)
            yield setting
            left -= 1
            if left <= 0:
                return
