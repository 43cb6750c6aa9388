"""(e) Inference: `nnctl predict` of a large table, rows a second, beside the script that one writes instead.

    python -m benchmarks.predicting

Both read the CSV, run a network 28-64-64-1 that was trained and kept before, and write the table with the prediction
and the probability of each class behind its columns.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.children import environment, has, nnctl
from benchmarks.command import Options, run_alone
from benchmarks.generated import NUMBERS, Dress, write_table
from benchmarks.process import SCRIPTS
from benchmarks.report import Table, times
from benchmarks.rounds import Timed, command, in_turns, medians, ratios

ROWS, FEW = 300_000, 20_000
MOST_ROUNDS = 2
SKLEARN = "pandas and scikit-learn"


def predict_tables(options: Options) -> list[Table]:
    """The table of predictions."""
    made = Table(
        f"Predictions for a CSV of {ROWS:,} x {NUMBERS + 1}, whole processes",
        ["", "seconds", "cpu", "rows a second", ""],
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, few, config = folder / "table.csv", folder / "few.csv", folder / "few.yaml"
        write_table(table, ROWS, Dress(), texts=0)
        write_table(few, FEW, Dress(), texts=0)
        config.write_text(
            f"data: {{path: {few}, target: y}}\nmodel: {{hidden: [64, 64]}}\ntrain: {{epochs: 1, batch_size: 4096}}\n"
        )
        runs = ["--runs-dir", str(folder / "runs")]
        subprocess.run(
            [*nnctl(), "train", str(config), "-q", *runs], check=True, capture_output=True, env=environment()
        )
        own = [*nnctl(), "predict", "few/latest", str(table), "--proba", *runs, "-o", str(folder / "own.csv")]
        sides: dict[str, Callable[[], Timed]] = {"nnctl predict --proba": lambda: command(*own, env=environment())}
        if has(options.peers, "sklearn") and has(options.peers, "pandas"):
            script = [str(options.peers), "-W", "ignore", str(SCRIPTS / "sklearn_predict.py"), str(folder / "model")]
            subprocess.run([*script, str(few), "fit"], check=True, env=environment())
            peer = [*script, str(table), str(folder / "peer.csv")]
            sides[SKLEARN] = lambda: command(*peer, env=environment())
        found = in_turns(sides, min(options.rounds, MOST_ROUNDS), timed=lambda side: side())
    for side, taken in found.items():
        clock, cpu = medians(taken)
        against = times(ratios(taken, found[SKLEARN])[0]) if SKLEARN in found else ""
        made.rows.append([side, f"{clock:.2f}", f"{cpu:.2f}", f"{ROWS / clock:,.0f}", against])
    return [made]


if __name__ == "__main__":
    run_alone("benchmarks.predicting", __doc__, predict_tables)
