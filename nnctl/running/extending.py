"""What may change when a run goes on, and whether it can."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from nnctl.arguments import ARGUMENTS
from nnctl.errors import Place, Problem, SpecError
from nnctl.running.run import FINISHED
from nnctl.spec.flat import leaves
from nnctl.spec.overrides import COMMAND_LINE, assigned
from nnctl.spec.problems import shown, suggest
from nnctl.spec.reading import Spec
from nnctl.spec.schema import Experiment
from nnctl.training.job import Job

# The keys that may change when a run goes on, with all that is below them.
FREE = (
    "train.epochs",
    "train.max_time",
    "train.on_nan",
    "early_stopping",
    "optimizer.lr",
    "checkpoint",
    "data.path",  # of the same bytes
    "data.val_path",
    "data.test_path",
    "data.cache",
)
# Those of them that change nothing in what is learned.
HARMLESS = ("checkpoint", "data.path", "data.val_path", "data.test_path", "data.cache")
# What is known only after the data was read, or says nothing of what is learned.
UNCOMPARED = ("name", "data.format.delimiter")

Changes = Mapping[str, tuple[Any, Any]]


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The keys whose values differ, each with the value of then and of now; None where there is none."""
    old, new = dict(leaves(then)), dict(leaves(json.loads(json.dumps(now))))
    return {
        key: (old.get(key), new.get(key))
        for key in (*old, *(key for key in new if key not in old))
        if old.get(key) != new.get(key) and key not in UNCOMPARED
    }


def within(key: str, keys: tuple[str, ...]) -> bool:
    """Whether a key is one of these, or below one."""
    return any(key == each or key.startswith(f"{each}.") for each in keys)


def check_overrides(overrides: Sequence[str] | Mapping[str, Any] | None) -> None:
    """Raise SpecError with every key among the overrides that must stay as it is."""
    place = ARGUMENTS if isinstance(overrides, Mapping) else COMMAND_LINE
    problems = [
        Problem(_fixed(f" (did you mean `{meant}`?)" if (meant := suggest(key, FREE)) else ""), key, place)
        for key in assigned([overrides] if isinstance(overrides, str) else overrides or ())
        if not within(key, FREE) and not any(free.startswith(f"{key}.") for free in FREE)
    ]
    if problems:
        raise SpecError(problems)


def check_changes(changed: Changes, spec: Spec) -> None:
    """Raise SpecError with every key that must stay as it was."""
    problems = [
        Problem(_fixed(f", and was {shown(json.dumps(then))}"), key, spec.place(key))
        for key, (then, _) in changed.items()
        if not within(key, FREE)
    ]
    if problems:
        raise SpecError(problems)


def _fixed(more: str) -> str:
    return (
        f"cannot change when a run goes on{more}; allowed: {', '.join(FREE)}; or train a new run from its weights with "
        "`nnctl train --from`"
    )


def check_goes_on(
    about: Mapping[str, Any], meta: Mapping[str, Any], experiment: Experiment, changed: Changes, run: str
) -> bool:
    """Whether an end that was saved is undone by what has changed. Raises: SpecError if there is nothing to do."""
    status, stop, progress = about.get("status"), meta["stop"], meta["state"]["progress"]
    done, epochs = progress["epoch"], experiment.train.epochs
    if status == "diverged" and not any(within(key, ("optimizer.lr", "train.on_nan")) for key in changed):
        raise _refused(run, f"has diverged: {about.get('reason')}", f"optimizer.lr={_smaller(experiment)}")
    if stop is None:
        if epochs < done + (progress["batch"] > 0) or (epochs == done and "train.epochs" in changed):
            raise _refused(run, f"has {done} epochs behind it already", f"train.epochs={max(2 * done, done + 1)}")
        return False
    if status not in FINISHED and not changed:
        return False  # killed between its last save and its end
    if stop["status"] == "early_stopped" and not any(within(key, ("early_stopping",)) for key in changed):
        patience = 2 * getattr(experiment.early_stopping, "patience", 1)
        raise _refused(run, f"was stopped early: {stop['reason']}", f"early_stopping.patience={patience}")
    if stop["reason"] == "max_time" and "train.max_time" not in changed:
        raise _refused(run, "has used up its train.max_time", "train.max_time=none")
    if epochs <= done:
        raise _refused(run, f"is completed, all {done} epochs", f"train.epochs={2 * done}")
    return True


def schedule_note(job: Job, epochs: int, step: int) -> list[str]:
    """What is said where the schedule runs over the whole training, whose length has changed."""
    per, state = job.epoch_steps, job.schedule.start()
    old, new = epochs * per, job.epochs * per
    last = min(old, new)
    sample = range(step, last, max(1, (last - step) // 100)) if step < last else (step,)
    if all(job.schedule.at(each, old, per, state) == job.schedule.at(each, new, per, state) for each in sample):
        return []
    name = "warmup" if job.schedule.name == "constant" else f"schedule {job.schedule.name}"
    return [f"the {name} takes the new length of {job.epochs} epochs from here on; it began with {epochs}"]


def _refused(run: str, what: str, change: str) -> SpecError:
    return SpecError(Problem(f"{what}; to go on, write `nnctl resume {run} {change}`", place=Place(run)))


def _smaller(experiment: Experiment) -> str:
    lr = getattr(experiment.optimizer, "lr", None)
    return f"{lr / 10:g}" if isinstance(lr, float) else "0.001"
