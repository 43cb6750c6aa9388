"""Published results beside ours: trains every config in configs/papers/ and configs/tables/ by its protocol.

    make papers DATA=FOLDER                 all of them, two at a time
    make papers DATA=FOLDER ONLY=uci        those whose name starts so
    make papers DATA=FOLDER ONLY=tables     ordinary tables by configs of a dozen lines

FOLDER holds the tables with the splits of the papers. A row passes where our
number is at least as good as its mark. The sources of the published numbers stand in the configs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

CONFIGS = Path(__file__).parent.parent / "configs"


@dataclass(frozen=True)
class Protocol:
    """One row of the table: a config, the overrides of each of its runs, and the figure that their mean is."""

    name: str
    config: str  # below configs/, without .yaml
    metric: str  # as in metrics.json; `last.` before it: of the last epoch, not the best one
    mark: float  # the mean has to be at least as good
    published: str
    sklearn: str
    runs: tuple[tuple[str, ...], ...]
    better: str = "higher"
    error: bool = False  # shown as an error in percent


def seeds(count: int, *more: str) -> tuple[tuple[str, ...], ...]:
    return tuple((f"seed={seed}", *more) for seed in range(count))


def folds(count: int, repeats: int) -> tuple[tuple[str, ...], ...]:
    """Cross-validations with several seeds, each of which cuts other folds."""
    return tuple((f"data.split.fold={fold}", *seed) for seed in seeds(repeats) for fold in range(1, count + 1))


def splits(dataset: str) -> tuple[tuple[str, ...], ...]:
    folder = f"{os.environ['PAPERS_DATA']}/uci/{dataset}"
    return tuple(
        (f"data.path={folder}/split_{k:02}_train.csv", f"data.test_path={folder}/split_{k:02}_test.csv", f"seed={k}")
        for k in range(20)
    )


# Keras' values where they differ from ours: epsilon 1e-7, Adagrad's accumulator 0.1; all at a rate of 0.001.
OPTIMIZERS = {
    "momentum": ("{type: momentum, lr: 1e-3, momentum: 0.9}", 0.8672),
    "nesterov": ("{type: nesterov, lr: 1e-3, momentum: 0.9}", 0.8708),
    "adagrad": ("{type: adagrad, lr: 1e-3, initial_accumulator: 0.1, eps: 1e-7}", 0.8424),
    "rmsprop": ("{type: rmsprop, lr: 1e-3, alpha: 0.9, eps: 1e-7}", 0.8636),
    "adam": ("{type: adam, lr: 1e-3, eps: 1e-7}", 0.8696),
    "adamax": ("{type: adamax, lr: 1e-3, eps: 1e-7}", 0.8780),
    "nadam": ("{type: nadam, lr: 1e-3, eps: 1e-7}", 0.8740),
    "adamw": ("{type: adamw, lr: 1e-3, eps: 1e-7, weight_decay: 1e-5}", 0.8702),
}


def protocols() -> Iterator[Protocol]:
    """The rows of the papers, then those of ordinary tables."""
    yield from papers()
    for table, metric, mark, sklearn in (
        ("titanic", "accuracy", 0.79, "0.8156"),
        ("telco_churn", "roc_auc", 0.84, "0.8517"),
        ("adult", "accuracy", 0.850, "0.8584"),
        ("california_raw", "rmse", 55000, ""),
        ("pollution", "r2", 0.45, ""),
        ("mushrooms", "accuracy", 0.995, "0.9975"),
        ("diamonds", "rmse", 600, "581.5"),
    ):
        better = "lower" if metric == "rmse" else "higher"
        yield Protocol(f"tables_{table}", f"tables/{table}", f"test_{metric}", mark, "", sklearn, seeds(5), better)


def papers() -> Iterator[Protocol]:
    for dataset, mark, published, sklearn in (
        ("boston", 3.20, "3.01", "2.99"),
        ("concrete", 5.50, "5.67", "5.25"),
        ("energy", 0.75, "1.80", "0.56"),
        ("wine_red", 0.65, "0.64", "0.635"),
    ):
        name = f"uci_{dataset}"
        yield Protocol(name, f"papers/{name}", "test_rmse", mark, published, sklearn, splits(dataset), "lower")
    for dataset, mark, published, sklearn in (
        ("cancer1", 2.5, "1.38", "16.3"),
        ("card1", 14.5, "14.05", "13.84"),
        ("diabetes1", 25.0, "24.10", "23.75"),
        ("glass1", 36.0, "32.70", "30.94"),
    ):
        name = f"proben1_{dataset}"
        yield Protocol(name, f"papers/{name}", "test_accuracy", mark, published, sklearn, seeds(5), "lower", error=True)
    yield Protocol("sonar", "papers/sonar", "last.val_accuracy", 0.82, "0.860", "0.862", folds(10, repeats=5))
    yield Protocol("california_sgd", "papers/california_sgd", "test_mse", 0.44, "0.4212", "", seeds(3), "lower")
    yield Protocol("california_adam", "papers/california_adam", "test_rmse", 0.545, "0.5297", "", seeds(3), "lower")
    yield Protocol("adult", "papers/adult", "test_accuracy", 0.850, "0.8522", "0.8584", seeds(3))
    yield Protocol("fashion_mlp300", "papers/fashion_mlp300", "test_accuracy", 0.878, "0.8837, 0.8864", "", seeds(1))
    yield Protocol("fashion_mlp100", "papers/fashion_mlp100", "test_accuracy", 0.865, "0.871", "0.871", seeds(1))
    yield Protocol("fashion_cnn", "papers/fashion_cnn", "test_accuracy", 0.90, "", "", seeds(1))
    for name, (optimizer, published) in OPTIMIZERS.items():
        runs = seeds(3, f"optimizer={optimizer}")
        mark, row = published - 0.015, f"fashion_optimizers_{name}"
        yield Protocol(row, "papers/fashion_optimizers", "last.val_accuracy", mark, f"{published:.4f}", "", runs)


def measure(job: tuple[str, str, tuple[str, ...], str]) -> float:
    """Train one run and give its figure."""
    import nnctl

    config, metric, overrides, runs_dir = job
    run = nnctl.train(CONFIGS / f"{config}.yaml", list(overrides), runs_dir=runs_dir)
    if not metric.startswith("last."):
        return run.metrics[metric]
    import json

    summary = json.loads(Path(run.path, "metrics.json").read_text())
    return float(summary["last"][metric.removeprefix("last.")])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="names of rows, or how they start")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--runs-dir", default="runs/papers")
    arguments = parser.parse_args()
    if "PAPERS_DATA" not in os.environ:
        print("PAPERS_DATA must name the folder with the tables: make papers DATA=FOLDER", file=sys.stderr)
        return 2
    chosen = [row for row in protocols() if row.name.startswith(tuple(arguments.only) or "")]
    print(f"{'protocol':<32}{'ours':>10}{'std':>9}{'runs':>6}{'mark':>11}{'published':>17}{'sklearn':>9}{'seconds':>9}")
    failed = 0
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for row in chosen:
            failed += not report(row, pool, arguments.runs_dir)
    print(f"{len(chosen) - failed} of {len(chosen)} pass")
    return 1 if failed else 0


def report(row: Protocol, pool: ProcessPoolExecutor, runs_dir: str) -> bool:
    """Run one protocol and print its line; whether it passes."""
    start = time.perf_counter()
    found = list(pool.map(measure, [(row.config, row.metric, run, runs_dir) for run in row.runs]))
    values = [100 * (1 - value) for value in found] if row.error else found
    mean, spread = statistics.mean(values), statistics.stdev(values) if len(values) > 1 else 0.0
    passed = mean <= row.mark if row.better == "lower" else mean >= row.mark
    seconds = time.perf_counter() - start
    print(
        f"{row.name:<32}{mean:>10.4f}{spread:>9.4f}{len(values):>6}{row.mark:>11.4f}{row.published:>17}{row.sklearn:>9}"
        f"{seconds:>9.0f}  {'pass' if passed else 'MISSED'}",
        flush=True,
    )
    return passed


if __name__ == "__main__":
    sys.exit(main())
