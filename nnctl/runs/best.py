"""``nnctl runs best``: the run whose weights are the best by a metric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnctl.errors import Problem, SpecError
from nnctl.runs import listing
from nnctl.runs.listing import Summary
from nnctl.runs.ranking import Better, best_of, better_of, metric_of, with_value
from nnctl.runs.run_dir import RunDir
from nnctl.runs.selection import is_about, select
from nnctl.spec.problems import instead, shown

ENDED = ("completed", "early_stopped")


@dataclass(frozen=True, slots=True)
class Best:
    """The best run, what it is the best by, and among how many."""

    summary: Summary
    metric: str
    better: Better
    runs: int  # with a value of the metric
    left_out: dict[str, int]  # by status: those that have not ended as they should

    def as_json(self) -> dict[str, Any]:
        """What `runs best --json` prints: the run as `runs ls` shows it, and why it is this one."""
        value = self.summary.metrics[self.metric]
        why = {"metric": self.metric, "better": self.better, "value": value, "among": self.runs}
        return {"schema": "nnctl.best/1", **why, **listing.as_json([self.summary])["runs"][0]}


def best(
    runs_dir: Path, names: Sequence[str], metric: str | None = None, where: Sequence[str] = (), *, trials: bool = False
) -> Best:
    """The best of the runs of these names, of all names for none, among those for which every condition holds.

    Only runs that ended by themselves count, unless a condition names ``status``, and trials of sweeps if they are
    asked for; a sweep itself is no run.
    Raises: SpecError if there is none, or no run has the metric.
    """
    found = _of_names(listing.ls(runs_dir, trials=trials), names, runs_dir)
    runs = [each for each in found if not RunDir(Path(each.run)).is_sweep()]
    if found and not runs and not trials:
        raise SpecError("there are sweeps, and no run beside them; `--trials` finds the best of their trials")
    chosen = select(runs, where)
    asked = any(is_about(each, "status") for each in where)
    ended = [each for each in chosen if asked or each.status in ENDED]
    left_out = Counter(each.status for each in chosen if not asked and each.status not in ENDED)
    if not any(each.metrics for each in ended):
        raise SpecError(_none(runs_dir, names, where, chosen, left_out))
    wanted = metric_of(ended, metric)
    better = better_of(wanted)
    first = best_of(ended, wanted, better)
    if first is None:
        raise SpecError(Problem(f"{shown(wanted)} is not a finite number in any of these runs", key="--metric"))
    return Best(first, wanted, better, len(with_value(ended, wanted)), dict(left_out))


def _of_names(summaries: Sequence[Summary], names: Sequence[str], runs_dir: Path) -> list[Summary]:
    """The runs that have one of these names; a name may be written as its folder, ``runs/churn/``."""
    known = sorted({each.name for each in summaries})
    wanted = set()
    for name in names:
        path = Path(name)
        own = path.name if path.parent.resolve() == runs_dir.resolve() else name
        if own not in known:
            ending = instead(own, known) if known else "and there are no runs at all"
            raise SpecError(f"no run in {shown(str(runs_dir))} has the name {shown(name)}, {ending}")
        wanted.add(own)
    return [each for each in summaries if not wanted or each.name in wanted]


def _none(
    runs_dir: Path, names: Sequence[str], where: Sequence[str], chosen: Sequence[Summary], left_out: Counter[str]
) -> str:
    whose = f" of {', '.join(map(shown, names))}" if names else ""
    if not chosen:
        return f"no run{whose} in {shown(str(runs_dir))}" + (
            f" fits {' and '.join(map(shown, where))}" if where else ""
        )
    if not left_out:
        return f"no run{whose} has metrics; `nnctl runs ls` shows how they ended"
    how = ", ".join(f"{count} {status}" for status, count in left_out.items())
    return f"no run{whose} has ended with metrics yet ({how}); `--where status=...` asks for those too"
