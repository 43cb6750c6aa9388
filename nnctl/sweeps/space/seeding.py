"""The seeds of a sweep: every setting may be trained with several, all of them on the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnctl.errors import Problem, SpecError
from nnctl.spec.overrides import COMMAND_LINE
from nnctl.spec.schema import Experiment
from nnctl.sweeps.space.axes import Axis, Choices
from nnctl.sweeps.space.space import SPLIT_SEED, Space
from nnctl.sweeps.trial import SEED


def seeded(axes: Sequence[Axis], experiments: Sequence[Experiment], seeds: int | None, root: int) -> Space:
    """The space of the axes. A list of seeds is no axis but repeats every setting, as `--seeds` does.

    ``root`` is the seed of the config, with which all trials split their rows where seeds vary.
    Raises: SpecError if the seeds are given twice, or some splits need a seed that others cannot have.
    """
    listed = [axis for axis in axes if axis.keys == (SEED,) and isinstance(axis, Choices) and not axis.fixed]
    varied = [axis for axis in axes if SEED in axis.keys and not axis.fixed]
    if seeds is not None and varied:
        raise SpecError(Problem("the seeds are given already, by `seed`: leave out one", "--seeds", COMMAND_LINE))
    repeated: tuple[int, ...] = ()
    if seeds is not None:
        repeated = tuple(range(root, root + seeds))
    elif listed:
        repeated = tuple(row[0].plain for row in listed[0].rows)
    others = [axis for axis in axes if not (repeated and axis.keys == (SEED,))]
    return Space(tuple(others), repeated, _pinned(axes, experiments, root) if seeds or varied else None)


def _pinned(axes: Sequence[Axis], experiments: Sequence[Experiment], root: int) -> int | None:
    """The seed that all splits get; None where they have one already, or draw nothing."""
    if any(SPLIT_SEED in axis.keys for axis in axes):
        return None
    needed = {_is_unseeded(experiment.data.split) for experiment in experiments}
    if needed == {True, False}:
        message = (
            "some of these splits draw rows and others do not, while the seed varies too: write a seed into those that "
            "do, as in `{type: random, seed: 0}`, so that all trials see the same rows"
        )
        raise SpecError(Problem(message, "data.split", COMMAND_LINE))
    return root if needed == {True} else None


def _is_unseeded(split: Any) -> bool:
    return getattr(split, "seed", 0) is None
