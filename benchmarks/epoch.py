"""(a) Whole epochs as `nnctl train` runs them, beside the bare steps, and what of them is no arithmetic; one thread.

    python -m benchmarks.epoch --only xor,breast_cancer

An epoch here is all of it: shuffled and gathered batches, the check of every loss and gradient, validation with its
metrics, early stopping, a copy of the best weights, the row of metrics.csv, saves by the clock, and the display of a
terminal, drawn ten times a second at most. The bare steps are the bare loop's for as many batches, on buffers that are
filled already. The tables show the seconds of the clock, and ratios of both; the marks are judged on the processor's,
as those of the step are.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from threadpoolctl import threadpool_limits

from benchmarks.bare import BareLoop
from benchmarks.command import Options, run_alone
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import ROOT, Timed, medians, ratios, timed
from benchmarks.workloads import LR, MOST_STEPS, Workload
from nnctl.console.live import Live
from nnctl.console.progress import Display, Plain
from nnctl.experiment import open_experiment
from nnctl.network.members import stream
from nnctl.preparing.preparation import Prepared
from nnctl.running.beginning import training
from nnctl.running.loop import Started
from nnctl.training.trainer import Epoch, Trainer

WHOLE_AGAINST_BARE = {"xor": 1.6, "breast_cancer": 0.9}
REST = {"breast_cancer": 10, "mnist": 3}  # percent
NONSENSE = -2  # percent: a rest below it is no measurement
MOST_ROUNDS = 5
PIXELS = 6000, 784, 10  # rows, columns, classes


@dataclass(frozen=True)
class Trained:
    """A network and the table that it is trained on; a round is so many epochs, about a second."""

    workload: Workload
    data: str  # the section of the config
    batch_size: str
    epochs: int

    def config(self, folder: Path) -> Path:
        """Its config, written there."""
        path = folder / f"{self.workload.name}.yaml"
        path.write_text(
            f"data: {self.data}\nmodel: {{hidden: {list(self.workload.sizes[1:-1])}}}\n"
            f"optimizer: {{type: adam, lr: {LR}}}\n"
            f"train: {{epochs: {self.epochs}, batch_size: {self.batch_size}, threads: 1}}\n"
            "early_stopping: {type: patience, patience: 1000000}\n"
        )
        return path


def cases(folder: Path) -> list[Trained]:
    xor, cancer = ROOT / "data" / "xor.csv", ROOT / "data" / "breast_cancer.csv"
    return [
        Trained(
            Workload("xor", (2, 8, 1), 4, 20), f"{{path: {xor}, val_path: {xor}, target: y}}", "full", epochs=10_000
        ),
        Trained(
            Workload("breast_cancer", (30, 64, 64, 1), 32, 60),
            f"{{path: {cancer}, target: diagnosis, split: {{val: 0.2}}}}",
            "32",
            epochs=1000,
        ),
        Trained(
            Workload("mnist", (784, 128, 10), 128, 750),
            f"{{path: {folder / 'pixels.csv'}, target: digit, split: {{val: 0.2}}}}",
            "128",
            epochs=40,
        ),
    ]


def epoch_tables(options: Options) -> list[Table]:
    """Whole epochs beside bare steps, and beside the arithmetic in them."""
    whole = Table(
        "A whole epoch of `nnctl train`, microseconds on one thread",
        ["sizes, batch", "bare steps", "nnctl, bar", "nnctl, lines", "bar / bare", "lines / bare", "bar / bare, cpu"],
        notes=[
            "With validation, early stopping, metrics row, saves, and a terminal's bar or a line for each epoch. "
            "The marks are judged on processor time."
        ],
    )
    rest = Table(
        "What of an epoch is not forward, backward, optimizer and gather",
        ["sizes, batch", "epoch", "arithmetic", "the rest", "the rest, cpu", "with validation's forward, cpu"],
        notes=[
            "Arithmetic: batches shuffled, gathered, passed forward and backward, Adam, and the validation rows passed "
            "forward: a forward like any other, and the marks count it as one; the last column counts it as rest. "
            "The value of the loss and the check of what is finite are rest. The marks are judged on processor time."
        ],
    )
    with tempfile.TemporaryDirectory() as name, threadpool_limits(1):
        folder = Path(name)
        for case in cases(folder):
            if options.wants(case.workload.name):
                _measure(case, folder, min(options.rounds, MOST_ROUNDS), whole, rest)
                options.tell(whole.text() + rest.text())
    return [whole, rest]


def _measure(case: Trained, folder: Path, rounds: int, whole: Table, rest: Table) -> None:
    """Add the rows and marks of a case to both tables."""
    name = case.workload.name
    if name == "mnist":
        _write_pixels(folder / "pixels.csv")
    config, runs = case.config(folder), folder / "runs"
    prepared = open_experiment(config).prepared
    sides: dict[str, Callable[[], Timed]] = {
        "bare": lambda: bare_epoch(case, len(prepared.job.train)),
        "bar": lambda: whole_epoch(config, runs, bar),
        "lines": lambda: whole_epoch(config, runs, Plain),
        "arithmetic": lambda: arithmetic(prepared, case.epochs // 4, validation=True),
        "without validation": lambda: arithmetic(prepared, case.epochs // 4, validation=False),
    }
    found: dict[str, list[Timed]] = {side: [] for side in sides}
    for place in range(rounds + 1):  # the first one warms up
        for side, measured in sides.items():
            seconds = measured()
            if place:
                found[side].append(seconds)
    _add_whole(whole, case.workload, found)
    _add_rest(rest, case.workload, found)


def _add_whole(table: Table, workload: Workload, found: dict[str, list[Timed]]) -> None:
    cells = [number(1e6 * medians(found[side])[0]) for side in ("bare", "bar", "lines")]
    bar, lines = (ratios(found[side], found["bare"]) for side in ("bar", "lines"))
    table.rows.append([workload.title, *cells, times(bar[0]), times(lines[0]), times(bar[1])])
    if workload.name in WHOLE_AGAINST_BARE:
        what = f"{workload.name}: whole epoch against the bare steps, processor time"
        table.marks.append(Mark(what, bar[1], WHOLE_AGAINST_BARE[workload.name]))


def _add_rest(table: Table, workload: Workload, found: dict[str, list[Timed]]) -> None:
    share = [100 * (1 - each) for each in ratios(found["arithmetic"], found["bar"])]
    strict = 100 * (1 - ratios(found["without validation"], found["bar"])[1])
    cells = [number(1e6 * medians(found[side])[0]) for side in ("bar", "arithmetic")]
    table.rows.append([workload.title, *cells, *(f"{each:.1f} %" for each in (*share, strict))])
    if workload.name in REST:
        table.marks.append(rest_mark(workload.name, share[1]))


def rest_mark(name: str, percent: float) -> Mark:
    """The mark of the rest of an epoch, validation's forward counted as forward."""
    what = f"{name}: the rest of an epoch, processor time, validation's forward counted as forward"
    unclear = "the parts took longer than the whole" if percent < NONSENSE else ""
    return Mark(what, percent, REST[name], unit="%", unclear=unclear)


def bare_epoch(case: Trained, rows: int) -> Timed:
    """The seconds of the bare loop's steps for so many rows, the last batch short."""
    workload = case.workload
    full, left = divmod(rows, workload.batch)
    clock = cpu = 0.0
    for count, batch in ((full, workload.batch), (min(left, 1), left)):
        if count:
            loop, taken = BareLoop(workload, batch), []
            for _ in range(max(2, case.epochs * count // MOST_STEPS // 4)):
                loop.reset(workload.start())
                taken.append(timed(loop.step, MOST_STEPS if workload.batch < 100 else 20))
            clock += count * np.mean([each[0] for each in taken])
            cpu += count * np.mean([each[1] for each in taken])
    return clock, cpu


def whole_epoch(config: Path, runs: Path, display: Callable[[], Display]) -> Timed:
    """The seconds of an epoch of a whole run, from its first one to the end of its last one."""
    began = ended = (0.0, 0.0)
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere), display() as shown:
        for event in training(config, runs_dir=runs):
            shown.show(event)
            if type(event) is Epoch:
                if event.stop is not None:
                    ended = time.perf_counter(), time.process_time()
                    epochs = event.epoch
            elif isinstance(event, Started):
                began = time.perf_counter(), time.process_time()
    return (ended[0] - began[0]) / epochs, (ended[1] - began[1]) / epochs


def arithmetic(prepared: Prepared, epochs: int, *, validation: bool) -> Timed:
    """The seconds of what an epoch computes: batches gathered, forward, backward, optimizer, validation forward."""
    trainer = Trainer(prepared.job)
    stepping, batches, evaluator = trainer.stepping, trainer.batches, trainer.evaluator
    passes = [stepping.space.at(batches.rows(number)) for number in range(len(batches))]
    val = prepared.job.val if validation else None
    slices = [] if val is None else [slice(at, at + evaluator.rows) for at in range(0, len(val), evaluator.rows)]

    def epoch() -> None:
        batches.shuffle()
        for place, run in enumerate(passes):
            batches.load(place, run)
            run.forward()
            run.backward()
            stepping.descent.step(1.0)
        for rows in slices:
            x = val.x[rows]
            run = evaluator.space.at(len(x))
            run.x[...] = x
            run.forward()

    with np.errstate(all="ignore"):
        return timed(epoch, epochs)


def bar() -> Display:
    """The display of a terminal, on stderr, which leads nowhere."""
    return Live(Console(file=sys.stderr, force_terminal=True, width=100, highlight=False))


def _write_pixels(path: Path) -> None:
    """Images of random pixels, a fifth of them not zero, and the digits that they are."""
    rows, columns, classes = PIXELS
    rng = stream(0, "benchmark")
    pixels = rng.integers(0, 256, (rows, columns)) * (rng.random((rows, columns)) < 0.2)
    digits = rng.integers(0, classes, rows)
    with path.open("w") as file:
        file.write(",".join([*(f"p{place}" for place in range(columns)), "digit"]) + "\n")
        for row, digit in zip(pixels.tolist(), digits.tolist(), strict=True):
            file.write(",".join(map(str, row)) + f",{digit}\n")


if __name__ == "__main__":
    run_alone("benchmarks.epoch", __doc__, epoch_tables)
