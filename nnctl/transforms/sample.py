"""The sample: what a scaler or an imputer sees of a column."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nnctl.transforms.selection import Values, by_rank

Ranks = NDArray[np.int64]

KEPT = 2**20  # numbers that are held in memory
SHOWN = 2**12  # numbers that stand for more than those


class Sample:
    """The numbers of a column in the training rows, the missing ones left out.

    Up to 2^20 of them are kept. Of more, every property makes what passes over the blocks it needs, in memory that
    does not grow with their number. Both ways give the same: smallest and largest number, quantiles and median are
    exact, mean and deviation too but for the last digits.
    """

    def __init__(self, blocks: Callable[[], Iterable[Values]], *, kept: int = KEPT) -> None:
        """``blocks`` gives the numbers in arrays, nan where one is missing, and gives the same ones at every call."""
        self.count = self.missing = 0
        self.low, self.high = math.inf, -math.inf  # of no numbers
        self._blocks, self._kept = blocks, kept
        held: list[Values] = []
        for block in blocks():
            known = _known(block)
            self.missing += block.size - known.size
            if known.size:
                self.count += known.size
                self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
                if self.count <= kept:
                    held.append(known)
                else:
                    held.clear()
        self._held = held[0] if len(held) == 1 else np.concatenate([np.zeros(0), *held])

    @classmethod
    def of(cls, x: Values) -> Sample:
        """The sample of an array (N,)."""
        return cls(lambda: (x,), kept=max(KEPT, x.size))

    @property
    def whole(self) -> bool:
        """Whether the numbers are kept, and ``values`` are all of them."""
        return self.count <= self._kept

    def blocks(self) -> Iterator[Values]:
        """The numbers, as one array if they are kept."""
        if self.whole:
            yield self._held
        else:
            yield from map(_known, self._blocks()) if self.missing else self._blocks()

    def mapped(self, f: Callable[[Values], Values]) -> Sample:
        """The sample of the numbers that f makes of arrays of these."""
        return Sample(lambda: map(f, self.blocks()), kept=self._kept)

    @property
    def mean(self) -> float:
        return self._moments.mean

    @property
    def std(self) -> float:
        """The standard deviation of the population, divided by N; exactly 0 if all numbers are the same."""
        return self._moments.std

    @cached_property
    def median(self) -> float:
        """The number in the middle, or the mean of the two there."""
        if self.whole:
            return float(np.median(self._held))
        return float(np.median(self._ranked(np.array([(self.count - 1) // 2, self.count // 2]))))

    def quantiles(self, shares: Sequence[float] | Values) -> Values:
        """The numbers at shares (Q,), 0 to 1, of the ranks, interpolated linearly as ``np.quantile`` does."""
        if self.whole:
            found: Values = np.quantile(self._held, shares)
            return found
        rank = np.asarray(shares) * (self.count - 1)
        below = np.floor(rank)
        t = rank - below
        first = below.astype(np.int64)
        ends = self._ranked(np.concatenate([first, np.minimum(first + 1, self.count - 1)]))
        a, b = ends[: len(rank)], ends[len(rank) :]
        between: Values = np.where(t < 0.5, a + (b - a) * t, b - (b - a) * (1 - t))
        return between

    @cached_property
    def values(self) -> Values:
        """The numbers, if they are kept; else 4096 of them in ascending order, each the middle of equally many."""
        if self.whole:
            return self._held
        shown = min(self.count, SHOWN)
        return self._ranked((2 * np.arange(shown) + 1) * self.count // (2 * shown))

    @cached_property
    def _moments(self) -> Moments:
        found = Moments(self.low, self.high)
        for block in self.blocks():
            found.add(block)
        return found

    def _ranked(self, ranks: Ranks) -> Values:
        return by_rank(self.blocks, ranks)


class Moments:
    """Mean and standard deviation of numbers that come in blocks, once their range is known.

    They are moved to the middle of the range and scaled to -1 .. 1: no digits are lost to a large offset, and no square
    over- or underflows. In a block the mean is found first, and the deviations are from that.

    Source: Chan, Golub and LeVeque 1983 for the variance of blocks together.
    """

    def __init__(self, low: float, high: float) -> None:
        self._low = low
        self._middle, self._reach = low / 2 + high / 2, high / 2 - low / 2
        self._blocks: list[tuple[int, float, float]] = []  # how many numbers, mean and variance of them once scaled

    @classmethod
    def of(cls, x: Values) -> Moments:
        """The moments of an array (N,), N >= 1."""
        moments = cls(float(x.min()), float(x.max()))
        moments.add(x)
        return moments

    def add(self, x: Values) -> None:
        """Count another block in."""
        if not x.size or self._reach == 0:  # not asked of the deviation, which a rounded mean keeps from being zero
            return
        u = (x - self._middle) / self._reach
        mean = float(u.mean())
        u -= mean
        variance = float(np.mean(u * u)) - float(u.mean()) ** 2  # the second term is what rounding left in the mean
        self._blocks.append((x.size, mean, variance))

    @property
    def mean(self) -> float:
        return self._middle + self._reach * self._scaled_mean() if self._blocks else self._low

    @property
    def std(self) -> float:
        mean = self._scaled_mean()
        return self._reach * math.sqrt(math.fsum(w * (v + (m - mean) ** 2) for w, m, v in self._shares()))

    def _scaled_mean(self) -> float:
        return math.fsum(w * m for w, m, _ in self._shares())

    def _shares(self) -> Iterator[tuple[float, float, float]]:
        """The share of the numbers in each block, their mean and variance."""
        count = sum(size for size, _, _ in self._blocks)
        return ((size / count, mean, variance) for size, mean, variance in self._blocks)


def _known(x: Values) -> Values:
    missing = np.isnan(x)
    return x[~missing] if missing.any() else x
