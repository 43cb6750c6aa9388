"""(c) Starting: `nnctl --help` beside a bare typer app, `check`, and a short training with a cold and a warm cache.

    python -m benchmarks.startup

Bytecode is compiled, as an installer leaves it. Seconds are those of the clock, the processes taking turns.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.children import environment, nnctl
from benchmarks.command import Options, run_alone
from benchmarks.process import SCRIPTS
from benchmarks.report import Mark, Table, times
from benchmarks.rounds import ROOT, Timed, command, in_turns, medians, ratios

EPOCHS = 1000
MOST_ROUNDS = 7
HELP, SHORT = 2.0, 0.6
CONFIG = ROOT / "configs" / "xor.yaml"
TYPER, NOTHING, PANDAS = "bare typer app --help", "python -c pass", "python -c 'import pandas'"
NUMPY, HELPED, LISTED = "python -c 'import numpy'", "nnctl --help", "nnctl list"
CHECK, COLD, WARM = "nnctl check configs/xor.yaml", "nnctl train, cold cache", "nnctl train, warm cache"
CANCER = "nnctl check configs/breast_cancer.yaml"


def startup_tables(options: Options) -> list[Table]:
    """The table of the starts."""
    with tempfile.TemporaryDirectory() as name:
        runs = Path(name) / "runs"
        train = [*nnctl(), "train", str(CONFIG), f"train.epochs={EPOCHS}", "-q", "--runs-dir", str(runs)]

        def run(*words: str, first: Callable[[], None] = lambda: None) -> Callable[[], Timed]:
            return lambda: command(*words, env=environment(), first=first)

        sides = {
            NOTHING: run(sys.executable, "-c", "pass"),
            TYPER: run(sys.executable, str(SCRIPTS / "typer_app.py"), "--help"),
            HELPED: run(*nnctl(), "--help"),
            LISTED: run(*nnctl(), "list"),
            NUMPY: run(sys.executable, "-c", "import numpy"),
            PANDAS: run(sys.executable, "-c", "import pandas"),
            CHECK: run(*nnctl(), "check", str(CONFIG)),
            CANCER: run(*nnctl(), "check", str(ROOT / "configs" / "breast_cancer.yaml")),
            COLD: run(*train, first=lambda: shutil.rmtree(runs, ignore_errors=True)),
            WARM: run(*train),
        }
        found = in_turns(sides, min(options.rounds, MOST_ROUNDS), timed=lambda side: side())
    table = Table(
        "Starting, milliseconds",
        ["", "clock", "processor", "of the bare typer app"],
        notes=[f"`nnctl train` is `nnctl train configs/xor.yaml train.epochs={EPOCHS} -q`."],
    )
    for side, taken in found.items():
        clock, cpu = medians(taken)
        table.rows.append([side, f"{1e3 * clock:.0f}", f"{1e3 * cpu:.0f}", times(ratios(taken, found[TYPER])[0])])
    importing = medians(found[PANDAS])[0] - medians(found[NUMPY])[0]
    table.marks = [
        Mark("nnctl --help against a bare typer app", ratios(found[HELPED], found[TYPER])[0], HELP),
        Mark("nnctl train configs/xor.yaml -q, warm cache", medians(found[WARM])[0], SHORT, unit="s"),
        Mark("the same, cold cache, less pandas' import", medians(found[COLD])[0] - importing, SHORT, unit="s"),
    ]
    return [table]


if __name__ == "__main__":
    run_alone("benchmarks.startup", __doc__, startup_tables)
