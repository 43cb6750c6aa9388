"""The way of the data, timed: reading against pandas, a first start against a second one, a table of millions of rows.

    make tables                        all of it
    make tables ONLY=parse             reading a table of 1,000,000 x 31, plain and in every dress, against pandas
    make tables ONLY=start             `nnctl train` for one epoch, with an empty cache and with a full one
    make tables ONLY=big ROWS=11000000 the stages of training on a table of so many rows, and its memory

Tables are generated, the same ones each time, in a folder that is gone afterwards. Whatever is compared takes turns,
round by round, so that both meet the same neighbours on a busy machine; a ratio is the median over the rounds. Seconds
are those of the clock; `cpu` are those that the processors worked.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.generated import DRESSES, NUMBERS, TEXTS, Dress, write_table
from benchmarks.rounds import in_turns, load, medians, process, ratios, watched

ROWS = 1_000_000
MISSING = ["", "NA", "N/A", "nan", "NaN", "null", "?"]
IRIS = Path(__file__).parent.parent / "configs" / "iris.yaml"
SMALL = "model: {hidden: [64, 64]}\ntrain: {epochs: 1, batch_size: 4096}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help="parse, start or big")
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every side")
    parser.add_argument("--stages", help=argparse.SUPPRESS)  # what a process of `big` does
    given = parser.parse_args()
    if given.stages:
        print(json.dumps(stages(given.stages)))
        return
    for name, part in (("parse", parse), ("start", start), ("big", big)):
        if not given.only or name in given.only:
            with tempfile.TemporaryDirectory() as folder:
                part(Path(folder), given.rows, given.rounds)


def parse(folder: Path, rows: int, rounds: int) -> None:
    """Reading a table against pandas."""
    import pandas

    from nnctl.data.table import read_table

    print(f"read_table of {rows:,} x {NUMBERS + TEXTS + 1} against pandas.read_csv, at once and with chunksize=100_000")
    head = "nnctl", "cpu", "at once", "ratio", "cpu", "in chunks", "ratio", "cpu"
    print(f"{'':20}" + "".join(f"{each:>10}" for each in head) + "   load", flush=True)
    for name, dress in DRESSES.items():
        path = folder / ("table.csv.gz" if dress.packed else "table.csv")
        write_table(path, rows, dress)
        form = {"sep": dress.delimiter, "decimal": dress.decimal}

        def own(path: Path = path, dress: Dress = dress) -> object:
            return read_table(path, missing_values=MISSING, delimiter="auto", decimal=dress.decimal)

        def chunks(path: Path = path, form: Mapping[str, Any] = form) -> None:
            with pandas.read_csv(path, chunksize=100_000, **form) as reader:
                for _ in reader:
                    pass

        def whole(path: Path = path, form: Mapping[str, Any] = form) -> object:
            return pandas.read_csv(path, **form)

        found = in_turns({"own": own, "whole": whole, "chunks": chunks}, rounds)
        cells = [*medians(found["own"])]
        for peer in ("whole", "chunks"):
            cells += [medians(found[peer])[0], *ratios(found["own"], found[peer])]
        print(f"{name:20}" + "".join(f"{cell:>10.2f}" for cell in cells) + load(), flush=True)
        path.unlink()


def start(folder: Path, rows: int, rounds: int) -> None:
    """`nnctl train` for one epoch, whole processes: with an empty cache and with a full one."""
    table, config, runs = folder / "table.csv", folder / "table.yaml", folder / "runs"
    write_table(table, rows, Dress())
    config.write_text(f"data: {{path: {table}, target: y}}\n{SMALL}")
    reading = f"from nnctl.data.table import *; read_table(Path({str(table)!r}), missing_values={MISSING!r})"
    for name, each, turns in ((f"{rows:,} rows", config, rounds), ("configs/iris.yaml", IRIS, 4 * rounds)):
        command = "-m", "nnctl", "train", str(each), "train.epochs=1", "-q", "--runs-dir", str(runs)
        sides = {
            "first": lambda command=command: process(*command, first=lambda: shutil.rmtree(runs, ignore_errors=True)),
            "second": lambda command=command: process(*command),
            "import numpy": lambda: process("-c", "import numpy"),
        }
        if each == config:
            sides["reading alone"] = lambda: process("-c", reading)
        found = in_turns(sides, turns, timed=lambda side: side())
        imported = (
            "pandas"
            in subprocess.run(
                [sys.executable, "-X", "importtime", *command], capture_output=True, text=True, check=True
            ).stderr
        )
        print(
            f"nnctl train {name}, 1 epoch, {turns} rounds; the second start {'IMPORTS' if imported else 'imports no'} "
            f"pandas;{load()} load"
        )
        for side, times in found.items():
            clock, cpu = medians(times)
            against = clock / medians(found["second"])[0]
            print(f"  {side:16}{1000 * clock:>10.0f} ms{1000 * cpu:>10.0f} ms cpu{against:>8.2f} x")
        if each == config:
            saved = statistics.median(a[0] - b[0] for a, b in zip(found["first"], found["second"], strict=True))
            alone = statistics.median(
                a[0] - b[0] for a, b in zip(found["reading alone"], found["import numpy"], strict=True)
            )
            print(
                f"  the second start is faster by {saved:.2f} s, {saved / alone:.2f} times of reading alone", flush=True
            )


def big(folder: Path, rows: int, rounds: int) -> None:
    """The stages of training on a large table, the memory of the process, and reading against pandas in chunks."""
    import pandas

    table, config = folder / "table.csv", folder / "table.yaml"
    write_table(table, rows, Dress(), texts=0)
    config.write_text(f"data: {{path: {table}, target: y}}\n{SMALL}")
    own: list[dict[str, float]] = []
    peaks: list[float] = []
    peer: list[float] = []
    for _ in range(rounds):
        shutil.rmtree(folder / "runs", ignore_errors=True)
        found, peak = watched([sys.executable, "-m", "benchmarks.tables", "--stages", str(config)])
        own.append(found)
        peaks.append(peak)
        began = time.perf_counter()
        with pandas.read_csv(table, chunksize=100_000) as reader:
            for _chunk in reader:
                pass
        peer.append(time.perf_counter() - began)
    size = table.stat().st_size / 1e9
    print(f"nnctl train of {rows:,} x {NUMBERS + 1}, {size:.2f} GB, 1 epoch, {rounds} rounds;{load()} load")
    for stage in own[0]:
        seconds = [each[stage] for each in own]
        against = statistics.median(a / b for a, b in zip(seconds, peer, strict=True))
        print(f"  {stage:28}{statistics.median(seconds):>10.2f} s{against:>8.2f} x pandas in chunks")
    print(f"  {'pandas in chunks':28}{statistics.median(peer):>10.2f} s")
    print(f"  peak of anonymous memory: {statistics.median(peaks):.0f} MB", flush=True)


def stages(config: str) -> dict[str, float]:
    """Train, and give the seconds of every stage."""
    from nnctl import experiment
    from nnctl.data import table
    from nnctl.preparing import preparation

    spent: dict[str, float] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - began

    def watch(module: Any, function: str, name: str) -> None:
        inner = getattr(module, function)

        def timed(*given: Any, **options: Any) -> Any:
            with stage(name):
                return inner(*given, **options)

        setattr(module, function, timed)

    import pandas  # noqa: F401  # its import is no stage

    watch(preparation, "key_of", "hash")
    watch(table, "open_csv", "first pass: check")
    watch(table, "parse", "second pass: parse")
    watch(preparation, "read_dataset", "read, types, split (all)")
    watch(preparation, "fit", "fit")
    watch(preparation, "_made", "encode and keep")
    watch(experiment, "prepare", "until training begins (all)")
    with stage("whole run"):
        experiment.train(config, runs_dir=Path(config).parent / "runs")
    return spent


if __name__ == "__main__":
    main()
