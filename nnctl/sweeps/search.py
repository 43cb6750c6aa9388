"""The search: which trial comes next."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from nnctl.sweeps.trial import Order, Outcome, Trial

NONE: Mapping[int, Trial] = MappingProxyType({})


class Search(Protocol):
    """Decides by what is known, and by nothing else: asked again with the same outcomes, it gives the same orders.

    So a sweep that was killed goes on as if it had not been.
    """

    def orders(self, outcomes: Mapping[int, Outcome], begun: Mapping[int, Trial] = NONE) -> list[Order]:
        """What can be trained now, given all outcomes so far, and all trials that were begun, by their number.

        Orders that were given before may be given again: who asks knows what is done and what is running. Without
        orders, and with no trial running, the sweep is over.
        """
        ...

    @property
    def total(self) -> int:
        """How many trials there will be."""
        ...
