"""Runs side by side on stdout."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnctl.comparing import Comparison, Measured, Pair
from nnctl.console.grid import Grid
from nnctl.console.results import BLANK
from nnctl.console.tables import line, show
from nnctl.console.text import count, named, number
from nnctl.running.reproducing import Reproduced
from nnctl.runs.compare import Values

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def show_comparison(found: Comparison) -> None:
    """The settings and metrics in which runs differ, and what the differences are worth."""
    names = {run.run: _letter(place) for place, run in enumerate(found.runs)}
    header = list(names.values())
    show(*(line(f"{name}  {run.run}  {run.status}") for name, run in zip(header, found.runs, strict=True)))
    if found.config:
        settings = [[key, *map(_setting, values)] for key, values in found.config.items()]
        _show_grid(["setting", *header], settings, words=["setting", *header])
    else:
        show(BLANK, line("all settings are the same"))
    if found.metrics:
        _show_grid(
            ["metric", *header], [[name, *_marked(each)] for name, each in found.metrics.items()], words=["metric"]
        )
    for pair in found.pairs:
        show(BLANK, *map(line, _told(pair, names)))


def _show_grid(header: Sequence[str], rows: Sequence[Sequence[object]], words: Sequence[str]) -> None:
    show(BLANK, line(""))
    Grid(header, rows, words=words).show(len(header))


def _setting(value: Any) -> str:
    """A setting in full, as it would be written."""
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _letter(place: int) -> str:
    return LETTERS[place] if place < len(LETTERS) else str(place + 1)


def _marked(metric: Values) -> Iterator[str]:
    for place, value in enumerate(metric.values):
        yield f"{number(value)} {'*' if place in metric.best else ' '}"


def _told(pair: Pair, names: Mapping[str, str]) -> Iterator[str]:
    a, b = names[pair.a], names[pair.b]
    yield f"{b} against {a}" + (f", on the same {count(pair.rows, f'{pair.part} row')}:" if pair.rows else ":")
    for each in pair.measured:
        yield f"  {each.metric} {number(each.b)} against {number(each.a)}: {_signed(each.difference)}{_interval(each)}"
        if each.noise is not None:
            yield f"    {_noise(each)}"
    if pair.mcnemar is not None:
        test, how = pair.mcnemar, "exact" if pair.mcnemar.exact else "chi-squared"
        rows = f"{test.only_b:,} rows right in {b} alone, {test.only_a:,} in {a} alone"
        yield f"  McNemar: {rows}, p = {test.p:.3g} ({how})"
    yield from (f"  {note}" for note in pair.notes)


def _interval(measured: Measured) -> str:
    found = measured.interval
    if found is None or not math.isfinite(found.low):
        return ""
    ends = f", 95 % interval {_signed(found.low)} to {_signed(found.high)}"
    return f"{ends} ({'more' if found.clear else 'no more'} than the luck of the rows)"


def _noise(measured: Measured) -> str:
    noise = measured.noise
    assert noise is not None
    runs = " and ".join(map(str, noise.runs))
    if not noise.std:
        return f"{runs} repeated runs all have the same value"
    verdict = "no more" if noise.explains(measured.difference) else "more"
    times = number(noise.times(measured.difference))
    return f"{times} standard deviations of {runs} repeated runs ({verdict} than the luck of the seed)"


def _signed(value: Any) -> str:
    return f"{value:+.4g}"


def show_reproduced(found: Reproduced) -> None:
    """Whether a run that was trained once more is the same, else where it begins to differ."""
    same = f"the weights are identical to those of {found.original}"
    lines = [found.run.path, same if found.identical else f"the weights differ from those of {found.original}"]
    if found.first is not None:
        columns = ", ".join(map(named, found.first.columns)) or "only one of the runs has it"
        lines.append(f"the first epoch whose metrics differ: {found.first.epoch} ({columns})")
    elif not found.identical:
        lines.append("the metrics of no epoch differ")
    if not found.identical:
        lines += found.machine or ["versions, BLAS and instruction sets are those of the first run"]
    show(*map(line, lines))
