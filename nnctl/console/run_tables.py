"""Runs as tables: a list of them, one of them, or all that is known as CSV."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from io import StringIO
from typing import TYPE_CHECKING, Any

from nnctl.console import output
from nnctl.console.grid import Grid
from nnctl.console.results import BLANK, by_part
from nnctl.console.tables import line, pairs, show
from nnctl.console.text import clean, duration
from nnctl.runs.listing import Summary, differing_columns, value

if TYPE_CHECKING:
    from nnctl.sweeps.result import Sweep

ALWAYS = ("run", "status")
FIELDS = tuple(each.name for each in fields(Summary) if each.name not in ("overrides", "metrics"))
# What a run is judged by, where it has it: the rows it has not learned from come first.
PARTS = ("test_", "val_", "train_")


def show_runs(runs: Sequence[Summary], asked: Sequence[str] = ()) -> None:
    """A row for each run: how it ended, the settings in which the runs differ, its metrics, and what was asked for."""
    differing = [name for name in differing_columns(runs) if name != "name"]
    if any(run.trials is not None for run in runs):
        differing = ["trials", *differing]
    names = list(dict.fromkeys((*ALWAYS, *asked, *differing, *_metrics(runs))))
    rows = [[_cell(value(run, name)) for name in names] for run in runs]
    grid = Grid(names, rows, words=[name for name in names if name in ALWAYS or _holds_words(runs, name)])
    shown = max(grid.room(), len(ALWAYS))
    grid.show(shown)
    if shown < len(names):
        output.note(f"not shown, for want of width: {', '.join(names[shown:])}; see --csv or --json")


def show_summary(summary: Summary, about: Mapping[str, Any]) -> None:
    """One run: what it was, how it ended, its metrics by part."""
    values = {
        "status": f"{summary.status} ({summary.reason})" if summary.reason else summary.status,
        "started": summary.started,
        "took": None if summary.seconds is None else duration(summary.seconds),
        "epochs": summary.epochs,
        "best epoch": summary.best_epoch,
        "parameters": summary.parameters,
        "rows": ", ".join(f"{rows:,} {part}" for part, rows in (about.get("rows") or {}).items() if rows),
        "seed": summary.seed,
        "overrides": " ".join(f"{key}={_cell(each)}" for key, each in summary.overrides.items()) or None,
        "weights sha256": about.get("weights_sha256"),
    }
    known = pairs((name, each) for name, each in values.items() if each is not None)
    metrics = [BLANK, by_part(summary.metrics)] if summary.metrics else []
    show(line(summary.run, "bold"), known, *metrics)


def show_sweep_summary(summary: Summary, sweep: Sweep) -> None:
    """What a sweep was, and how its trials ended; its result comes below."""
    ended = Counter(trial.status for trial in sweep.trials)
    values = {
        "status": f"{summary.status} ({summary.reason})" if summary.reason else summary.status,
        "started": summary.started,
        "took": None if summary.seconds is None else duration(summary.seconds),
        "trials": ", ".join(f"{often:,} {status.replace('_', ' ')}" for status, often in ended.items()),
        "metric": f"{sweep.goal} {sweep.metric}",
    }
    show(line(summary.run, "bold"), pairs((name, each) for name, each in values.items() if each is not None), BLANK)
    output.write("")


def write_csv(runs: Sequence[Summary]) -> None:
    """Everything that is known of the runs as CSV: fields, overridden keys, metrics."""
    overrides = (name for run in runs for name in run.overrides)
    metrics = (name for run in runs for name in run.metrics)
    names = list(dict.fromkeys((*FIELDS, *overrides, *metrics)))
    with output.stdout() as stream:
        # A terminal obeys what a file only holds.
        shown = clean if stream.isatty() else str
        stream.write(_record(map(shown, names)))
        for run in runs:
            cells = (_cell(value(run, name)) for name in names)
            stream.write(_record("" if cell is None else shown(cell) for cell in cells))


def _record(cells: Iterable[str]) -> str:
    """A line of CSV."""
    record = StringIO()
    # With a bare \n as its line end, the csv module of Python 3.11 leaves a cell with a \r in it without quotes.
    csv.writer(record, lineterminator="\r\n").writerow(cells)
    return record.getvalue().removesuffix("\r\n") + "\n"


def _metrics(runs: Sequence[Summary]) -> list[str]:
    """The metrics of the two parts that say most about the runs."""
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    parts = [part for part in PARTS if any(name.startswith(part) for name in names)][:2]
    return [name for part in parts for name in names if name.startswith(part)]


def _holds_words(runs: Sequence[Summary], name: str) -> bool:
    return any(isinstance(value(run, name), str) for run in runs)


def _cell(found: Any) -> Any:
    """A value as a cell holds it: an overridden key may be a list or a mapping."""
    return json.dumps(found, ensure_ascii=False) if isinstance(found, list | dict | bool) else found
