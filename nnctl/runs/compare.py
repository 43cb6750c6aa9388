"""What differs between runs by their files alone: settings, metrics, and which runs repeat another."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nnctl.errors import NnctlError, Place, Problem, RunError
from nnctl.runs import atomic, listing
from nnctl.runs.best import ENDED
from nnctl.runs.folders import runs_of_name
from nnctl.runs.listing import Summary
from nnctl.runs.ranking import Better, better_of, nan_if_none
from nnctl.runs.run_dir import RunDir

MAX_RESOLVED = 2**20  # bytes, as of any config
SPLIT_SEED = "data.split.seed"
_SEED = re.compile(rb"^ *seed: (?:[0-9]+|null)$", re.MULTILINE)

Settings = dict[str, Any]


def settings_of(run: RunDir) -> Settings:
    """Every value of a run's resolved.yaml under its dotted key. Raises: RunError if it is missing or damaged."""
    from nnctl.spec.files import parse_bytes  # brings PyYAML
    from nnctl.spec.flat import leaves
    from nnctl.spec.nodes import plain

    try:
        return dict(leaves(plain(parse_bytes(_resolved(run), str(run.resolved)))))
    except RunError:
        raise
    except NnctlError as error:
        message = f"is damaged: {error.problems[0].message}"
        raise RunError(Problem(message, place=Place(str(run.resolved)))) from error


def differing(settings: Sequence[Settings]) -> dict[str, list[Any]]:
    """The keys whose values are not all the same, with those of each run; None for one that has no such key."""
    names = dict.fromkeys(name for each in settings for name in each)
    values = {name: [each.get(name) for each in settings] for name in names}
    # Compared as text: 1 and 1.0 and true are different settings.
    return {name: found for name, found in values.items() if len(set(map(repr, found))) > 1}


@dataclass(frozen=True, slots=True)
class Values:
    """One metric of several runs."""

    better: Better | None  # None: nobody here knows, as of a plug-in that is not installed
    values: list[float | None]

    @property
    def best(self) -> list[int]:
        """The places of the best ones; none where all are equal, or nobody knows."""
        finite = [value for value in map(nan_if_none, self.values) if math.isfinite(value)]
        if self.better is None or len(set(finite)) < 2:
            return []
        wanted = min(finite) if self.better == "lower" else max(finite)
        return [place for place, value in enumerate(self.values) if value == wanted]


def metrics_of(summaries: Sequence[Summary]) -> dict[str, Values]:
    """Every metric that one of the runs has."""
    names = dict.fromkeys(name for each in summaries for name in each.metrics)
    return {name: Values(_better(name), [each.metrics.get(name) for each in summaries]) for name in names}


def _better(name: str) -> Better | None:
    try:
        return better_of(name)
    except NnctlError:
        return None


@dataclass(frozen=True, slots=True)
class Repeats:
    """The ended runs of a configuration, the run itself among them, that differ in their seed alone."""

    runs: list[Summary]
    same_rows: bool  # whether the same rows are held back in all of them


def repeats_of(run: RunDir) -> Repeats:
    """The runs of the same name that repeat this one, one for each seed; those on the same rows, if there are any."""
    own = _alike(run)
    found = [each for each in runs_of_name(run.path.parent) if own is not None and _alike(each) == own]
    same: dict[Any, Summary] = {}
    moved: dict[Any, Summary] = {}
    for each in sorted(found, key=lambda each: (each.path.name != run.path.name, each.path.name)):
        summary = listing.describe(each)
        if summary.status in ENDED and summary.metrics:
            kept = same if split_seed(each) == split_seed(run) else moved
            kept.setdefault(summary.seed, summary)  # the same seed once more is the same run once more: no noise at all
    if len(same) > 1 or not moved:
        return Repeats(list(same.values()), same_rows=True)
    return Repeats(list({**moved, **same}.values()), same_rows=False)


def _alike(run: RunDir) -> tuple[Any, ...] | None:
    """What repeated runs have in common: the config but for seeds, data, version, origin, and no change on the way."""
    try:
        about = run.read_run_json()
        settings = _SEED.sub(b"", _resolved(run))
    except RunError:
        return None
    versions = about.get("versions")
    version = versions.get("nnctl") if isinstance(versions, dict) else None
    return settings, about.get("data_sha256"), version, about.get("from"), about.get("changed")


def split_seed(run: RunDir) -> Any:
    """The seed that the rows are drawn by: its own, else the root seed; None where none is drawn."""
    settings = settings_of(run)
    if SPLIT_SEED not in settings:
        return None
    own = settings[SPLIT_SEED]
    return settings.get("seed") if own is None else own


def _resolved(run: RunDir) -> bytes:
    place = Place(str(run.resolved))
    try:
        with atomic.open_regular(run.resolved) as file:
            data = file.read(min(os.fstat(file.fileno()).st_size, MAX_RESOLVED) + 1)
    except OSError as error:
        raise RunError(Problem(f"cannot be read: {atomic.reason(error)}", place=place)) from error
    if len(data) > MAX_RESOLVED:
        raise RunError(Problem("is damaged: it is far larger than any that nnctl writes", place=place))
    return data
