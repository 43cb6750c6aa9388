"""(d) The way of the data: reading against pandas, a first start against a second one, a table of millions of rows.

    make tables                        all of it, in every dress of a table
    make tables ONLY=parse             reading a table of 1,000,000 x 31 against pandas
    make tables ONLY=start             `nnctl train` for one epoch, with an empty cache and with a full one
    make tables ONLY=big ROWS=11000000 the stages of training on a table of so many rows, and its memory

`make bench` runs the first two of them, plain tables alone, and with BIG=1 the last one. Tables are generated, the same
ones each time, in a folder that is gone afterwards. Whatever is compared takes turns, round by round, so that both meet
the same neighbours on a busy machine; a ratio is the median over the rounds. Seconds are those of the clock; `cpu` are
those that the processors worked.
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

from benchmarks.children import environment, settle
from benchmarks.command import Options
from benchmarks.generated import DRESSES, NUMBERS, TEXTS, Dress, write_table
from benchmarks.report import Table, times
from benchmarks.rounds import ROOT, command, in_turns, load, medians, ratios, watched

ROWS, BIG_ROWS = 1_000_000, 11_000_000
MISSING = ["", "NA", "N/A", "nan", "NaN", "null", "?"]
IRIS = ROOT / "configs" / "iris.yaml"
SMALL = "model: {hidden: [64, 64]}\ntrain: {epochs: 1, batch_size: 4096}\n"
FEW_ROUNDS = 2


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
    settle("benchmarks.tables")
    if not given.only or "parse" in given.only:
        print(parse(given.rows, given.rounds, DRESSES).text(), flush=True)
    if not given.only or "start" in given.only:
        print(start(given.rows, given.rounds).text(), flush=True)
    if not given.only or "big" in given.only:
        print(big(given.rows, given.rounds).text(), flush=True)


def table_tables(options: Options) -> list[Table]:
    """What `make bench` shows of them."""
    rounds = min(options.rounds, FEW_ROUNDS)
    made = [parse(ROWS, rounds, {"plain": DRESSES["plain"]}), start(ROWS, rounds)]
    return [*made, big(BIG_ROWS, 1)] if options.big else made


def parse(rows: int, rounds: int, dresses: Mapping[str, Dress]) -> Table:
    """Reading a table against pandas."""
    import pandas

    from nnctl.data.table import read_table

    table = Table(
        f"Reading a CSV of {rows:,} x {NUMBERS + TEXTS + 1}, seconds, beside pandas.read_csv at once and in chunks",
        ["", "nnctl", "cpu", "at once", "ratio", "cpu", "in chunks", "ratio", "cpu", "load"],
        notes=["nnctl checks every cell and finds the types; pandas reads. Chunks of 100,000 rows."],
    )
    with tempfile.TemporaryDirectory() as folder:
        for name, dress in dresses.items():
            path = Path(folder) / ("table.csv.gz" if dress.packed else "table.csv")
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
            table.rows.append([name, *(f"{cell:.2f}" for cell in cells), load().strip()])
            path.unlink()
    return table


def start(rows: int, rounds: int) -> Table:
    """`nnctl train` for one epoch, whole processes: with an empty cache and with a full one."""
    made = Table(
        "`nnctl train` for one epoch, whole processes, milliseconds",
        ["", "clock", "cpu", "of the second start"],
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, config, runs = folder / "table.csv", folder / "table.yaml", folder / "runs"
        env = environment()
        write_table(table, rows, Dress())
        config.write_text(f"data: {{path: {table}, target: y}}\n{SMALL}")
        reading = f"from nnctl.data.table import *; read_table(Path({str(table)!r}), missing_values={MISSING!r})"
        for name, each, turns in ((f"{rows:,} rows", config, rounds), ("iris", IRIS, 3 * rounds)):
            words = sys.executable, "-m", "nnctl", "train", str(each), "train.epochs=1", "-q", "--runs-dir", str(runs)
            sides = {
                "first start": lambda words=words: command(
                    *words, env=env, first=lambda: shutil.rmtree(runs, ignore_errors=True)
                ),
                "second start": lambda words=words: command(*words, env=env),
                "import numpy": lambda: command(sys.executable, "-c", "import numpy", env=env),
            }
            if each == config:
                sides["reading alone"] = lambda: command(sys.executable, "-c", reading, env=env)
            found = in_turns(sides, turns, timed=lambda side: side())
            for side, taken in found.items():
                clock, cpu = medians(taken)
                against = clock / medians(found["second start"])[0]
                made.rows.append([f"{name}: {side}", f"{1e3 * clock:.0f}", f"{1e3 * cpu:.0f}", times(against)])
            importing = subprocess.run(
                [sys.executable, "-X", "importtime", *words[1:]], capture_output=True, text=True, check=True, env=env
            )
            imports = "IMPORTS" if "pandas" in importing.stderr else "imports no"
            made.notes.append(f"The second start of {name} {imports} pandas.")
    return made


def big(rows: int, rounds: int) -> Table:
    """The stages of training on a large table, the memory of the process, and reading against pandas in chunks."""
    import pandas

    own: list[dict[str, float]] = []
    peaks: list[float] = []
    peer: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table, config = folder / "table.csv", folder / "table.yaml"
        write_table(table, rows, Dress(), texts=0)
        config.write_text(f"data: {{path: {table}, target: y}}\n{SMALL}")
        for _ in range(rounds):
            shutil.rmtree(folder / "runs", ignore_errors=True)
            found, peak = watched([sys.executable, "-m", "benchmarks.tables", "--stages", str(config)], environment())
            own.append(found)
            peaks.append(peak)
            began = time.perf_counter()
            with pandas.read_csv(table, chunksize=100_000) as reader:
                for _chunk in reader:
                    pass
            peer.append(time.perf_counter() - began)
        size = table.stat().st_size / 1e9
    made = Table(
        f"nnctl train of {rows:,} x {NUMBERS + 1}, {size:.2f} GB, 1 epoch, seconds",
        ["", "seconds", "of pandas in chunks"],
        notes=[f"Peak of anonymous memory: {statistics.median(peaks):.0f} MB."],
    )
    for stage in own[0]:
        seconds = [each[stage] for each in own]
        against = statistics.median(a / b for a, b in zip(seconds, peer, strict=True))
        made.rows.append([stage, f"{statistics.median(seconds):.2f}", times(against)])
    made.rows.append(["pandas in chunks", f"{statistics.median(peer):.2f}", ""])
    return made


def stages(config: str) -> dict[str, float]:
    """Train, and give the seconds of every stage."""
    from nnctl import experiment
    from nnctl.data import table
    from nnctl.preparing import fresh, preparation
    from nnctl.running import beginning

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
    watch(fresh, "read_dataset", "read, types, split (all)")
    watch(fresh, "fit", "fit")
    watch(fresh, "make", "encode and keep")
    watch(beginning, "prepare", "until training begins (all)")
    with stage("whole run"):
        experiment.train(config, runs_dir=Path(config).parent / "runs")
    return spent


if __name__ == "__main__":
    main()
