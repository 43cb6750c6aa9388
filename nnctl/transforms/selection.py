"""Selection: numbers by their rank among more of them than fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Array = NDArray[Any]

BITS = 16  # two to this power are the counters
COLLECTED = 2**18  # numbers that are sorted at once

_SIGN = np.int64(-(2**63))
_REST = np.int64(2**63 - 1)


def by_rank(blocks: Callable[[], Iterable[Values]], ranks: Array) -> Values:
    """The numbers (R,) at some ranks (R,), counted from 0 in ascending order, of the finite numbers in all blocks.

    They are exact, whatever the numbers and their order; -0 counts as 0. Each pass counts the numbers in 2^16
    intervals, and the next one looks only into those that hold a wanted rank, until at most 2^18 numbers are left and
    sorted. The intervals are of equally many bits of the numbers: a rank or two take at most 4 passes more than the one
    that finds the smallest and the largest number, a thousand quantiles at most 13, usual columns 1 or 2.

    Source: Munro and Paterson 1980, selection in several passes; counters in place of their samples, as in radix sort.
    """
    search = _Search(blocks, np.asarray(ranks, np.int64))
    while search.bits and search.rows > COLLECTED:
        search.refine()
    return search.values()


@dataclass(slots=True)
class _Axis:
    """Finite numbers as whole ones from 0 on, in the same order and with as few bits as they need."""

    low: np.int64
    high: np.int64
    unused: np.uint64  # bits at the end that are 0 in all numbers: many, where they have few digits

    @classmethod
    def of(cls, blocks: Iterable[Values]) -> tuple[_Axis, int]:
        """The axis for some numbers, and how many there are."""
        low, high, used, rows = _REST, _SIGN, np.int64(0), 0
        for x in blocks:
            if x.size:
                keys = _keys(x)
                low, high = min(low, keys.min()), max(high, keys.max())
                used |= np.bitwise_or.reduce(keys)  # of a key and its negative the last bit that is set is the same
                rows += x.size
        unused = (int(used) & -int(used)).bit_length() - 1 if used else 0
        return cls(low, high, np.uint64(unused)), rows

    @property
    def bits(self) -> int:
        return (int(self.high) - int(self.low) >> int(self.unused)).bit_length()

    def places(self, x: Values) -> NDArray[np.uint64]:
        keys = _keys(x)
        keys -= self.low  # may wrap around, and is right as a number without sign
        places = keys.view(np.uint64)
        places >>= self.unused
        return places

    def numbers(self, places: NDArray[np.uint64]) -> Values:
        keys = (places << self.unused).view(np.int64) + self.low
        sign = keys >> 63
        bits: NDArray[np.int64] = (keys ^ sign) - sign | sign & _SIGN
        return bits.view(np.float64)


def _keys(x: Values) -> NDArray[np.int64]:
    """Whole numbers in the order of finite numbers; that of -x is minus that of x."""
    bits = np.ascontiguousarray(x).view(np.int64)
    sign = bits >> 63
    keys = bits & _REST
    keys ^= sign
    keys -= sign
    return keys


class _Search:
    """The intervals of an axis in which the wanted ranks are, each ``2^bits`` long."""

    def __init__(self, blocks: Callable[[], Iterable[Values]], ranks: NDArray[np.int64]) -> None:
        self._blocks = blocks
        self._axis, self.rows = _Axis.of(blocks())  # rows: those within the intervals
        self._ranks = ranks  # among those
        self._starts = np.zeros(1, np.uint64)
        self._of_rank = np.zeros(len(ranks), np.int64)  # the interval of each rank
        self.bits = self._axis.bits

    def refine(self) -> None:
        """Cut the intervals, and keep the pieces that hold a wanted rank."""
        cut = min(self.bits, max(1, BITS - (len(self._starts) - 1).bit_length()))
        left = self.bits - cut
        counts = np.zeros(len(self._starts) << cut, np.int64)
        for interval, place in self._inside():
            piece = (interval << cut) + (place >> np.uint64(left)).view(np.int64)
            counts += np.bincount(piece, minlength=len(counts))
        ends = np.cumsum(counts)
        wanted, self._of_rank = np.unique(np.searchsorted(ends, self._ranks, side="right"), return_inverse=True)
        kept = counts[wanted]
        skipped = (ends[wanted] - kept) - (np.cumsum(kept) - kept)
        self._ranks = self._ranks - skipped[self._of_rank]
        within = (wanted & (1 << cut) - 1).astype(np.uint64)
        self._starts = self._starts[wanted >> cut] + (within << np.uint64(left))
        self.rows, self.bits = int(kept.sum()), left

    def values(self) -> Values:
        """The numbers at the ranks, once an interval is one number, or few are left."""
        if not self.bits:
            return self._axis.numbers(self._starts[self._of_rank])
        found = [self._starts[interval] + place for interval, place in self._inside()]
        return self._axis.numbers(np.sort(np.concatenate(found))[self._ranks])

    def _inside(self) -> Iterable[tuple[NDArray[np.int64], NDArray[np.uint64]]]:
        """Block by block the interval of each number that is in one, and its place in there."""
        for x in self._blocks():
            place = self._axis.places(x)
            if self.bits == self._axis.bits:
                yield np.zeros(len(place), np.int64), place
                continue
            place.sort()  # in ascending order their intervals are found several times faster
            interval = np.maximum(np.searchsorted(self._starts, place, side="right") - 1, 0)
            place -= self._starts[interval]  # wraps around before the first interval: far beyond its end
            inside = place >> np.uint64(self.bits) == 0
            yield interval[inside], place[inside]
