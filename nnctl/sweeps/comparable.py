"""Whether the trials of a sweep can be compared by what decides: a loss is another quantity where its terms differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nnctl.spec.problems import shown
from nnctl.sweeps.checking import Checked

# What a loss is measured by.
QUANTITIES: dict[str, Callable[[Checked], Any]] = {
    "loss": lambda each: each.prepared.loss,
    "data.target_scale": lambda each: each.prepared.experiment.data.target_scale,
}
# What decides which rows are judged.
ROWS: dict[str, Callable[[Checked], Any]] = {
    "data.path": lambda each: each.experiment.data.path,
    "data.val_path": lambda each: each.experiment.data.val_path,
    "data.split": lambda each: each.prepared.experiment.data.split,
}


def doubts(checked: Sequence[Checked], metric: str, params: Sequence[str], total: int) -> list[str]:
    """What is to be heeded when trials are compared by a metric; of those that are not known yet, their keys tell."""
    unknown = params if total > len(checked) else ()
    found = []
    part, _, name = metric.partition("_")
    quantities = _varied(QUANTITIES, checked, unknown) if name == "loss" else []
    if quantities:
        known = [[each.name for each in trial.prepared.job.metrics] for trial in checked]
        common = [each for each in known[0] if all(each in others for others in known)]
        named = f"`{part}_{common[0]}`" if common else "one that `metrics` names"
        found.append(
            f"warning: trials differ in {_named(quantities)}, and `{metric}` is another quantity in each: let another "
            f"metric decide, such as {named}, as `sweep.metric.name` in the config"
        )
    rows = _varied(ROWS, checked, unknown)
    if rows:
        found.append(
            f"warning: trials differ in {_named(rows)}, and are judged on different rows: a better `{metric}` may come "
            "from the rows alone"
        )
    return found


def _named(keys: Sequence[str]) -> str:
    return " and ".join(map(shown, keys))


def _varied(
    terms: dict[str, Callable[[Checked], Any]], checked: Sequence[Checked], unknown: Sequence[str]
) -> list[str]:
    """The keys of which the values differ among the trials, or will."""
    return [
        key
        for key, term in terms.items()
        if any(term(each) != term(checked[0]) for each in checked)
        or any(param == key or param.startswith(f"{key}.") for param in unknown)
    ]
