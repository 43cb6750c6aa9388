"""trials.csv: a row for every trial, as pandas, DuckDB and a spreadsheet read it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterable, Sequence
from io import StringIO
from numbers import Integral, Real
from typing import Any

from nnctl.runs import atomic
from nnctl.sweeps.result import Tried

COLUMNS = ("trial", "run", "status", "epochs", "best_epoch", "seconds")


def table(trials: Iterable[Tried]) -> bytes:
    """The rows by the number of the trial: what became of it, every varied key as written, then the metrics.

    ``run`` is its folder as seen from the current one. What is not finite, null, or not known is an empty cell, a list
    or mapping is JSON in one cell, a number is the shortest text that reads back exactly.
    """
    rows = sorted(trials, key=lambda trial: trial.number)
    params = list(dict.fromkeys(name for trial in rows for name in trial.params))
    metrics = list(dict.fromkeys(name for trial in rows for name in trial.metrics))
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, *params, *metrics])
    for trial in rows:
        known = (trial.number, trial.path, trial.status, trial.epochs, trial.best_epoch, trial.seconds)
        writer.writerow([*_cells(known), *_found(trial.params, params), *_found(trial.metrics, metrics)])
    # A path that is no UTF-8 holds lone surrogates, which no reader of CSV would take as the bytes that they stand for.
    return text.getvalue().encode(errors="backslashreplace")


def _found(values: Any, names: Sequence[str]) -> list[str]:
    return _cells(values.get(name) for name in names)


def _cells(values: Iterable[Any]) -> list[str]:
    return [_cell(value) for value in values]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value)) if math.isfinite(value) else ""
    if isinstance(value, str):
        return value
    return json.dumps(atomic.finite(value), ensure_ascii=False)
