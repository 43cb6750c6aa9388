"""(i) Successive halving beside the whole grid: what it finds, and how many epochs it trains for that.

    python -m benchmarks.searches [--only wine,breast_cancer,auto_mpg]

Both try the same 27 settings with three seeds each, as `nnctl sweep` does it: trials that wait, are left, or go on
from their saves. What halving has chosen is judged by what the grid knows of that setting, trained to its end.
That TPE finds better than random search in as many trials is shown in tests/sweeps/test_searches.py.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nnctl
from benchmarks.command import Options, run_alone
from benchmarks.report import Mark, Table, number
from benchmarks.rounds import ROOT
from nnctl.sweeps.result import Sweep

TABLES = ("wine", "breast_cancer", "auto_mpg")
EPOCHS, SEEDS = 81, 3
WORDS = (
    "optimizer.lr=1e-4,3e-4,1e-3,2e-3,4e-3,8e-3,1.6e-2,3e-2,1e-1",
    "model.hidden=[8],[32],[64, 64]",
    "early_stopping=none",
    f"train.epochs={EPOCHS}",
)
MOST = 0.4

Setting = tuple[tuple[str, str], ...]


def search_tables(options: Options) -> list[Table]:
    """The table of searches."""
    table = Table(
        f"Successive halving beside the grid: 27 settings, {SEEDS} seeds, {EPOCHS} epochs",
        ["", "epochs", "of the grid's", "rank of its choice", "val_loss of its choice", "of the best", "sd over seeds"],
    )
    with tempfile.TemporaryDirectory() as name:
        for each in filter(options.wants, TABLES):
            config = ROOT / "configs" / f"{each}.yaml"
            grid, halving = (
                nnctl.sweep(config, WORDS, method=method, seeds=SEEDS, name=f"{each}-{method}", runs_dir=Path(name))
                for method in ("grid", "halving")
            )
            _add(table, each, grid, halving)
            options.tell(table.text())
    return [table]


def _add(table: Table, name: str, grid: Sweep, halving: Sweep) -> None:
    whole, found = settings_of(grid), settings_of(halving)
    ended = {setting: values for setting, values in found.items() if longest(halving, setting) == EPOCHS}
    chosen = min(ended, key=lambda setting: statistics.fmean(ended[setting]))
    ranked = sorted(whole, key=lambda setting: statistics.fmean(whole[setting]))
    share = sum(trial.epochs for trial in halving.trials) / sum(trial.epochs for trial in grid.trials)
    own, best = statistics.fmean(whole[chosen]), statistics.fmean(whole[ranked[0]])
    noise = math.hypot(*(statistics.stdev(whole[setting]) for setting in (chosen, ranked[0])))
    epochs = sum(trial.epochs for trial in halving.trials)
    rank = f"{1 + ranked.index(chosen)} of {len(ranked)}"
    cells = [f"{epochs:,}", f"{share:.0%}", rank, number(own), number(best), number(noise)]
    table.rows.append([name, *cells])
    table.marks += [
        Mark(f"{name}: epochs of halving against the grid's", share, MOST),
        Mark(
            f"{name}: what halving's choice is worse by, in deviations over seeds", (own - best) / noise, 1.0, unit="sd"
        ),
    ]


def settings_of(sweep: Sweep) -> dict[Setting, list[float]]:
    """The values of val_loss by setting, over the seeds."""
    found: dict[Setting, list[float]] = {}
    for trial in sweep.trials:
        found.setdefault(setting_of(trial.params), []).append(trial.metrics["val_loss"])
    return found


def longest(sweep: Sweep, setting: Setting) -> int:
    """The most epochs that a trial of a setting was trained for."""
    return max(trial.epochs for trial in sweep.trials if setting_of(trial.params) == setting)


def setting_of(params: Mapping[str, Any]) -> Setting:
    """A setting by which trials of several seeds are told to be the same."""
    return tuple((name, str(value)) for name, value in params.items() if name != "seed")


if __name__ == "__main__":
    run_alone("benchmarks.searches", __doc__, search_tables)
