"""The search of a method."""

from __future__ import annotations

from nnctl.spec.sweep import EarlyTerminate
from nnctl.sweeps.search import Search
from nnctl.sweeps.searches.grid import grid
from nnctl.sweeps.searches.halving import Halving, rungs
from nnctl.sweeps.searches.listed import Listed
from nnctl.sweeps.searches.random import random
from nnctl.sweeps.searches.sobol import sobol
from nnctl.sweeps.searches.tpe import Tpe
from nnctl.sweeps.space.space import Space
from nnctl.sweeps.trial import Goal


def search(
    space: Space,
    method: str,
    count: int,
    early: EarlyTerminate,
    eval_every: int,
    *,
    epochs: int,
    seed: int,
    goal: Goal,
) -> Search:
    """The search of a method over so many settings. Raises: SpecError if it cannot search there."""
    if method == "grid":
        return Listed(space, grid(space))
    if method == "random":
        return Listed(space, random(space, count, seed))
    if method == "sobol":
        return Listed(space, sobol(space, count, seed))
    if method == "tpe":
        return Tpe(space, count, seed, goal)
    settings = grid(space) if count == space.size and space.is_listed else random(space, count, seed)
    return Halving(space, settings, rungs(epochs, count, early, eval_every), early.eta, goal)
