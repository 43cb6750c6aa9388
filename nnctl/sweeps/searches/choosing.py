"""The search of a method."""

from __future__ import annotations

from nnctl.errors import Problem, SpecError
from nnctl.spec.sweep import EarlyTerminate
from nnctl.sweeps.search import Search
from nnctl.sweeps.searches.grid import grid
from nnctl.sweeps.searches.listed import Listed
from nnctl.sweeps.searches.random import random
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
    """The search of a method over so many settings. Raises: SpecError if its package is missing."""
    if method == "grid":
        return Listed(space, grid(space))
    if method == "random":
        return Listed(space, random(space, count, seed))
    raise SpecError(Problem(f"{method} is not available yet, take grid or random", "--method"))
