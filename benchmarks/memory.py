"""(f) Peak memory of `nnctl train` beside what its vectors, its activations and its data take.

    python -m benchmarks.memory

The peak is that of the whole process as the kernel keeps it, with a warm cache. The constant is the peak of a network
of one unit on the same machine. To it are added the map of the data and

    (parameters x (2 + optimizer vectors) + activations) x 4 bytes:

weights, gradient, the two moments of Adam, and the buffers of training and of evaluation.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.children import environment
from benchmarks.command import Options, run_alone
from benchmarks.generated import NUMBERS, Dress, write_table
from benchmarks.report import Mark, Table, times
from benchmarks.rounds import peak_of
from nnctl.experiment import open_experiment
from nnctl.network.workspace import memory_for
from nnctl.preparing.preparation import Prepared
from nnctl.training.evaluation import rows_at_once

FEW, MANY = 20_000, 400_000  # rows
VECTORS = 2 + 2  # weights, gradient, moments
SLACK = 1.1  # how much more than the formula counts as the formula
CASES = (  # rows, hidden, batch size
    (FEW, (1024, 1024), 256),
    (FEW, (2048, 2048), 256),
    (FEW, (4096, 4096), 1024),
    (FEW, (512, 512), 4096),
    (FEW, (512, 512), 16_000),
    (MANY, (64, 64), 4096),
    (MANY, (512, 512), 16_384),
)


def memory_tables(options: Options) -> list[Table]:
    """The table of the peaks."""
    table = Table(
        "Peak memory of `nnctl train`, MB",
        [
            "hidden, batch, rows",
            "parameters",
            "vectors",
            "activations",
            "data",
            "formula",
            "measured",
            "of the formula",
        ],
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        configs = {rows: _config(folder, rows) for rows in (FEW, MANY)}
        for config in configs.values():
            _peak(config, folder, (1,), 1024)  # fills the cache
        constant = min(_peak(configs[FEW], folder, (1,), 1024) for _ in range(3)) - _mapped(FEW)
        for rows, hidden, batch in CASES:
            prepared = open_experiment(configs[rows], _overrides(hidden, batch)).prepared
            parameters = prepared.network.parameters
            parts = parameters * VECTORS * 4, _activations(prepared), _mapped(rows)
            expected, measured = constant + sum(parts), _peak(configs[rows], folder, hidden, batch)
            numbers = [f"{each / 1e6:.1f}" for each in (*parts, expected, measured)]
            title = f"{'-'.join(map(str, hidden))}, {batch:,}, {rows:,}"
            # Of what is to be explained: with the constant in it, any formula would fit.
            ratio = (measured - constant) / sum(parts)
            table.rows.append([title, f"{parameters:,}", *numbers, times(ratio)])
            table.marks.append(Mark(f"{title}: peak less the constant, of the formula", ratio, SLACK))
    table.notes = [
        f"The constant is {constant / 1e6:.0f} MB; the last column leaves it out. The formula counts neither the best "
        f"weights, which are one more vector, nor the file that a save builds. {SLACK:g} x counts as equal.",
        "All with `train.threads: 1`: what shards on several threads take besides is not measured here.",
    ]
    return [table]


def _config(folder: Path, rows: int) -> Path:
    table, config = folder / f"{rows}.csv", folder / f"{rows}.yaml"
    write_table(table, rows, Dress(), texts=0)
    config.write_text(f"data: {{path: {table}, target: y}}\ntrain: {{epochs: 1, threads: 1}}\n")
    return config


def _overrides(hidden: tuple[int, ...], batch: int) -> list[str]:
    return [f"model.hidden={list(hidden)}", f"train.batch_size={batch}"]


def _peak(config: Path, folder: Path, hidden: tuple[int, ...], batch: int) -> int:
    """The peak of a training, in bytes."""
    words = "train", str(config), *_overrides(hidden, batch), "-q", "--runs-dir", str(folder / "runs")
    return peak_of(words, environment())


def _activations(prepared: Prepared) -> int:
    """The bytes of the buffers of training and of evaluation."""
    network, job = prepared.network, prepared.job
    training = memory_for(network, job.loss, job.batch_size, dtype=job.dtype, training=True).bytes
    return training + memory_for(network, job.loss, rows_at_once(network), dtype=job.dtype, training=False).bytes


def _mapped(rows: int) -> int:
    """The bytes of features and targets."""
    return rows * (NUMBERS + 1) * 4


if __name__ == "__main__":
    run_alone("benchmarks.memory", __doc__, memory_tables)
