"""``nnctl runs compare``: runs side by side, and whether their differences are more than luck."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from nnctl import pairing
from nnctl.errors import NnctlError, SpecError
from nnctl.pairing import USUAL, Judged
from nnctl.runs import atomic, listing
from nnctl.runs.compare import SPLIT_SEED, Repeats, Values, differing, metrics_of, repeats_of, settings_of, split_seed
from nnctl.runs.find import find_run, runs_folder
from nnctl.runs.listing import Summary
from nnctl.runs.places import from_here
from nnctl.runs.ranking import PARTS, metric_of
from nnctl.runs.run_dir import RunDir
from nnctl.significance.bootstrap import Interval
from nnctl.significance.mcnemar import McNemar
from nnctl.significance.seeds import SeedNoise, seed_noise

HELD_BACK = ("test", "val")  # parts that were not learned from; the first that both runs have
MORE_SEEDS = "1 2 3 4"


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of two runs: how far its difference may lie elsewhere on other rows, and how far seeds carry it."""

    metric: str  # with its part: val_accuracy
    a: float
    b: float
    interval: Interval | None
    noise: SeedNoise | None

    @property
    def difference(self) -> float:
        return self.b - self.a

    def as_json(self) -> dict[str, Any]:
        interval, noise = self.interval, self.noise
        found = {name: getattr(self, name) for name in ("metric", "a", "b", "difference")}
        found["interval"] = None if interval is None else [interval.low, interval.high]
        found["resamples"] = None if interval is None else interval.resamples
        found["noise"] = None
        if noise is not None:
            times, explained = noise.times(self.difference), noise.explains(self.difference)
            found["noise"] = {"std": noise.std, "runs": noise.runs, "times": times, "explained": explained}
        return found


@dataclass(frozen=True, slots=True)
class Pair:
    """The first run and another."""

    a: str
    b: str
    part: str | None  # whose metrics are compared
    rows: int  # that both were judged on; 0: none are the same
    measured: list[Measured] = field(default_factory=list)
    mcnemar: McNemar | None = None
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        test = self.mcnemar
        found: dict[str, Any] = {name: getattr(self, name) for name in ("a", "b", "part", "rows", "notes")}
        found["measured"] = [each.as_json() for each in self.measured]
        found["mcnemar"] = None if test is None else {**asdict(test), "p": test.p, "exact": test.exact}
        return found


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side, and the first with each of the others."""

    runs: list[Summary]
    config: dict[str, list[Any]]
    metrics: dict[str, Values]
    pairs: list[Pair]

    def as_json(self) -> dict[str, Any]:
        """What `runs compare --json` prints."""
        metrics = {name: {**asdict(each), "best": each.best} for name, each in self.metrics.items()}
        found = {"runs": listing.as_json(self.runs)["runs"], "config": self.config, "metrics": metrics}
        plain: dict[str, Any] = atomic.finite({**found, "pairs": [pair.as_json() for pair in self.pairs]})
        return {"schema": "nnctl.compare/1", **plain}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The metric to compare by; None where it is left open."""

    part: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class _One:
    """One of the runs."""

    run: RunDir
    summary: Summary
    repeats: Repeats
    judged: Callable[[str], Judged]  # by the part

    @property
    def path(self) -> str:
        return from_here(self.run.path)

    def has(self, part: str) -> bool:
        return any(name.startswith(f"{part}_") for name in self.summary.metrics)


def compare(
    references: Sequence[str | Path], metric: str | None = None, *, runs_dir: str | Path | None = None
) -> Comparison:
    """Compare runs; where the first and another have the same test (else validation) rows, on each of these rows.

    Raises: SpecError if these are not two runs or more, or none has the metric; RunError if one is damaged.
    """
    folder = runs_folder(runs_dir)
    found = [find_run(folder, str(each)) for each in references]
    runs = list({os.path.realpath(run.path): run for run in found}.values())
    if len(runs) < 2:
        raise SpecError("there is nothing to compare: name two different runs, or more")
    summaries = [listing.read(run) for run in runs]
    config = differing([settings_of(run) for run in runs])
    asked = _asked(summaries, metric)
    first = _One(runs[0], summaries[0], repeats_of(runs[0]), cache(partial(pairing.judged, runs[0])))
    others = zip(runs[1:], summaries[1:], strict=True)
    pairs = [
        _pair(first, _One(run, about, repeats_of(run), partial(pairing.judged, run)), asked) for run, about in others
    ]
    return Comparison(summaries, config, metrics_of(summaries), pairs)


def _asked(summaries: Sequence[Summary], metric: str | None) -> _Asked:
    if metric is None:
        return _Asked(None, None)
    part, _, name = metric_of(summaries, metric).partition("_")
    named = metric.startswith(tuple(f"{each}_" for each in PARTS))
    return _Asked(part if named or part not in HELD_BACK else None, name)


def _pair(a: _One, b: _One, asked: _Asked) -> Pair:
    parts = HELD_BACK if asked.part is None else (asked.part,)
    part = next((each for each in parts if a.has(each) and b.has(each)), None)
    if part is None:
        return Pair(a.path, b.path, None, 0, notes=[f"not both runs have metrics of their {' or '.join(parts)} rows"])
    notes: list[str] = []
    both: tuple[Judged, Judged] | None = None
    try:
        both = a.judged(part), b.judged(part)
        pairing.check_same_rows(*both, part)
    except NnctlError as error:
        notes.append(f"not compared row by row: {error.problems[0]}")
        both = None
    measured = []
    for name in _names(a, b, asked, part, both):
        try:
            found = _measured(a, b, name, part, both)
        except SpecError as error:
            notes.append(str(error))
            found = _measured(a, b, name, part, None)
        measured += [found] if found is not None else []
    notes += _about_seeds(a, b, measured)
    test = None if both is None else pairing.disagreement(*both)
    return Pair(a.path, b.path, part, len(both[0].rows) if both else 0, measured, test, notes)


def _names(a: _One, b: _One, asked: _Asked, part: str, both: tuple[Judged, Judged] | None) -> Sequence[str]:
    if asked.name is not None:
        return (asked.name,)
    if both is not None:
        return USUAL[both[0].model.target.task]
    usual = dict.fromkeys(name for names in USUAL.values() for name in names)
    return [name for name in usual if all(f"{part}_{name}" in each.summary.metrics for each in (a, b))] or ["loss"]


def _measured(a: _One, b: _One, name: str, part: str, both: tuple[Judged, Judged] | None) -> Measured | None:
    """A metric of both runs; None if one has no value of it. Raises: SpecError as `pairing.interval`."""
    metric = f"{part}_{name}"
    # Of two runs that repeat each other there is one group of repeats.
    groups = {tuple(sorted(run.id for run in each.repeats.runs)): each.repeats.runs for each in (a, b)}
    values = [[run.metrics.get(metric) for run in runs] for runs in groups.values()]
    noise = seed_noise([[each for each in found if each is not None] for found in values])
    if both is not None:
        return Measured(metric, *pairing.interval(*both, name), noise)
    ours, theirs = (each.summary.metrics.get(metric) for each in (a, b))
    return None if ours is None or theirs is None else Measured(metric, ours, theirs, None, noise)


def _about_seeds(a: _One, b: _One, measured: Sequence[Measured]) -> list[str]:
    if not any(each.noise for each in measured):
        drawn = split_seed(a.run)
        fixed = "" if drawn is None else f" {SPLIT_SEED}={drawn}"
        config = shlex.quote(from_here(a.run.resolved))
        command = f"for s in {MORE_SEEDS}; do nnctl train {config}{fixed} seed=$s; done"
        return [f"no run repeats one of these with another seed, to show what is luck; this makes some: {command}"]
    if not (a.repeats.same_rows and b.repeats.same_rows):
        return [f"the repeated runs hold back other rows, too, which adds to the noise; `{SPLIT_SEED}` fixes them"]
    return []
