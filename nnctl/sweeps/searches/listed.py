"""A search that knows all its trials from the beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nnctl.sweeps.search import NONE
from nnctl.sweeps.space.space import Setting, Space
from nnctl.sweeps.trial import Order, Outcome, Trial


class Listed:
    """Every trial is trained to its end, whatever came of the others."""

    def __init__(self, space: Space, settings: Iterable[Setting]) -> None:
        self._orders = [
            Order(trial) for place, setting in enumerate(settings) for trial in space.trials(place, setting)
        ]

    def orders(self, outcomes: Mapping[int, Outcome], begun: Mapping[int, Trial] = NONE) -> list[Order]:
        """All trials but those that have ended."""
        return [order for order in self._orders if order.trial.number not in outcomes]

    @property
    def total(self) -> int:
        """How many trials there are."""
        return len(self._orders)
