"""(j) A sweep on one Dask worker, and on two of the same machine.

    python -m benchmarks.cluster [--rounds 3]

Forty trials keep one worker of one thread busy for about a minute. Each side has a scheduler and its workers up before
the clock starts; it stops when `nnctl sweep` has ended, start-up and the writing of all runs included. A round takes
two minutes, so `make bench` leaves this part out. It needs two free cores, and the extra dask.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.children import environment, nnctl
from benchmarks.command import Options, run_alone
from benchmarks.machine import OtherWork
from benchmarks.report import Mark, Table, number
from benchmarks.rounds import ROOT

TRIALS = 40
WORDS = (
    str(ROOT / "configs/breast_cancer.yaml"),
    "optimizer.lr=log(1e-4,1e-2)",
    "model.hidden=[64,64]",
    "early_stopping=none",
    "train.epochs=6000",
    "train.eval_every=20",
    "--trials",
    str(TRIALS),
    "--json",
)
MOST_ROUNDS = 9
MOST = 0.65
PATIENCE = 30.0  # seconds


def cluster_tables(options: Options) -> list[Table]:
    """The table of a sweep on one worker and on two."""
    table = Table(
        f"nnctl sweep --engine dask: {TRIALS} trials of 30-64-64-1, 6,000 epochs, seconds of the clock",
        ["", "1 worker", "2 workers", "of one's", "cores of others"],
        notes=["The sides take turns. Each round has workers of its own, which have trained nothing before."],
    )
    quiet, ratios = [], []
    for place in range(min(options.rounds, MOST_ROUNDS)):
        others = OtherWork()
        one, two = (seconds(workers) for workers in (1, 2))
        ratios.append(two / one)
        if not others.unclear:
            quiet.append(two / one)
        taken = "" if others.cores is None else f"{others.cores:.2f}"
        table.rows.append([f"round {place + 1}", number(one), number(two), f"{two / one:.2f}", taken])
        options.tell(" ".join(table.rows[-1]))
    what = f"wall time on two workers against one, median of {len(quiet)} quiet rounds of {len(ratios)}"
    unclear = "" if quiet else "other processes left fewer than two cores in all rounds"
    table.marks = [Mark(what, statistics.median(quiet or ratios), MOST, unclear=unclear)]
    return [table]


def seconds(workers: int) -> float:
    """How long the sweep takes on so many workers."""
    with tempfile.TemporaryDirectory() as name, cluster(Path(name), workers) as address:
        command = [*nnctl(), "sweep", *WORDS, "--runs-dir", f"{name}/runs", "--engine", "dask", "--scheduler", address]
        began = time.perf_counter()
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
        taken = time.perf_counter() - began
        assert done.returncode == 0, done.stderr
        statuses = [trial["status"] for trial in json.loads(done.stdout)["trials"]]
        assert statuses == ["completed"] * TRIALS, statuses
        return taken


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[str]:
    """A scheduler and so many workers of one thread; the scheduler's address."""
    file, log = folder / "scheduler.json", folder / "log"
    dask = [sys.executable, "-m", "dask"]
    words = [
        [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file)]
    ]
    own = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(folder), "--scheduler-file", str(file)]
    words += [[*dask, "worker", *own]] * workers
    processes = []
    with log.open("wb") as told:
        try:
            for each in words:
                processes.append(subprocess.Popen(each, stdout=told, stderr=told, env=environment()))
                _wait(lambda: file.exists() and file.read_text())
            _wait(lambda: log.read_text().count("Registered to") == workers)
            yield json.loads(file.read_text())["address"]
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait()


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "the cluster does not come up"
        time.sleep(0.05)


if __name__ == "__main__":
    run_alone("benchmarks.cluster", __doc__, cluster_tables)
