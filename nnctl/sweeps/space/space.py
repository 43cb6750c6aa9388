"""The space of a sweep, and the trials that its settings are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nnctl.sweeps.space.axes import Axis, Range
from nnctl.sweeps.space.values import Row, Value
from nnctl.sweeps.trial import SEED, Trial

SPLIT_SEED = "data.split.seed"

Setting = tuple[Row, ...]  # a row of every axis that varies


@dataclass(frozen=True, slots=True)
class Space:
    """What is tried: the axes in the order they were written, and the seeds that every setting is trained with."""

    axes: tuple[Axis, ...]
    seeds: tuple[int, ...] = ()  # none: the seed of the config, or an axis of its own
    split_seed: int | None = None  # pinned, so that all trials see the same rows

    @property
    def varied(self) -> tuple[Axis, ...]:
        """The axes that are no overrides of all trials."""
        return tuple(axis for axis in self.axes if not axis.fixed)

    @property
    def params(self) -> tuple[str, ...]:
        """The varied keys, the seed last."""
        keys = [key for axis in self.varied for key in axis.keys if key != SEED]
        seeded = self.seeds or any(SEED in axis.keys for axis in self.varied)
        return (*keys, SEED) if seeded else tuple(keys)

    @property
    def fixed(self) -> tuple[str, ...]:
        """The overrides of all trials, as words."""
        return tuple(
            _word(key, value)
            for axis in self.axes
            if axis.fixed
            for key, value in zip(axis.keys, axis.at(0.0), strict=True)
        )

    @property
    def size(self) -> int | None:
        """How many settings there are, seeds not counted; None without end."""
        size = 1
        for axis in self.varied:
            if axis.size is None:
                return None
            size *= axis.size
        return size

    @property
    def is_listed(self) -> bool:
        """Whether every value is listed, none is drawn from a range."""
        return not any(isinstance(axis, Range) for axis in self.varied)

    @property
    def repeats(self) -> int:
        """How many trials a setting is."""
        return max(len(self.seeds), 1)

    def trials(self, place: int, setting: Setting) -> list[Trial]:
        """The trials of a setting, one for each seed; ``place`` counts the settings from 0."""
        start = place * self.repeats + 1
        if not self.seeds:
            return [self._trial(start, setting, None)]
        return [self._trial(start + at, setting, seed) for at, seed in enumerate(self.seeds)]

    def _trial(self, number: int, setting: Setting, seed: int | None) -> Trial:
        values = dict(self._values(setting))
        words = [_word(key, value) for key, value in values.items()]
        plain: dict[str, Any] = {key: values[key].plain for key in self.params if key in values}
        if seed is not None:
            words.append(f"{SEED}={seed}")
            plain[SEED] = seed
        if self.split_seed is not None:
            words.append(f"{SPLIT_SEED}={self.split_seed}")
        return Trial(number, plain, tuple(words))

    def _values(self, setting: Setting) -> Iterator[tuple[str, Value]]:
        """Every key that is written, in its order, and its value."""
        rows = iter(setting)
        for axis in self.axes:
            row = axis.at(0.0) if axis.fixed else next(rows)
            yield from zip(axis.keys, row, strict=True)

    def as_json(self) -> dict[str, Any]:
        """What identifies the space."""
        return {
            "fixed": list(self.fixed),
            "axes": [axis.as_json() for axis in self.varied],
            "seeds": list(self.seeds),
            "split_seed": self.split_seed,
        }


def _word(key: str, value: Value) -> str:
    return f"{key}={value.text}"
