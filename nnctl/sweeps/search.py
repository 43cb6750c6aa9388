"""The search: which trial comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from nnctl.sweeps.trial import Order, Outcome


class Search(Protocol):
    """Decides by what is known, and by nothing else: asked again with the same outcomes, it gives the same orders.

    So a sweep that was killed goes on as if it had not been.
    """

    def orders(self, outcomes: Mapping[int, Outcome]) -> list[Order]:
        """What can be trained now, given all outcomes so far by the number of the trial.

        Orders that were given before may be given again: who asks knows what is done and what is running. Without
        orders, and with no trial running, the sweep is over.
        """
        ...

    @property
    def total(self) -> int:
        """How many trials there will be."""
        ...
