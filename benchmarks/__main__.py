"""All parts of the benchmark in one go: prints every table, and writes benchmarks/RESULTS.md after a whole run.

make bench                                                  all of it, in less than ten minutes
make bench ONLY=step                                        one part (or several: ONLY="step epoch")
make bench BENCH=/path/to/python                            the peers of an environment that exists already
python -m benchmarks [PART ...] [--peers PYTHON | --no-peers] [--big] [--rounds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.children import settle
from benchmarks.command import Options, add_options, options_of
from benchmarks.report import Table, summary

RESULTS = Path(__file__).parent / "RESULTS.md"


def parts() -> dict[str, Callable[[Options], list[Table]]]:
    """The parts by name, in the order of the issue."""
    from benchmarks.cnn import cnn_tables
    from benchmarks.epoch import epoch_tables
    from benchmarks.memory import memory_tables
    from benchmarks.predicting import predict_tables
    from benchmarks.process import process_tables
    from benchmarks.searches import search_tables
    from benchmarks.stacks import stack_tables
    from benchmarks.startup import startup_tables
    from benchmarks.step import step_tables
    from benchmarks.tables import table_tables
    from benchmarks.threads import thread_tables

    return {
        "step": step_tables,
        "epoch": epoch_tables,
        "threads": thread_tables,
        "cnn": cnn_tables,
        "process": process_tables,
        "startup": startup_tables,
        "tables": table_tables,
        "predicting": predict_tables,
        "memory": memory_tables,
        "stacks": stack_tables,
        "searches": search_tables,
    }


def main() -> None:
    settle("benchmarks")
    from benchmarks.machine import OtherWork, described

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = parts()
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(known)}; none: all")
    add_options(parser)
    given = parser.parse_args()
    if unknown := set(given.parts) - known.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    options = options_of(given)
    head, tables, began, whole = described(options), [], time.perf_counter(), OtherWork()
    for name in given.parts or known:
        others, started = OtherWork(), time.perf_counter()
        made = known[name](options)
        made[-1].notes.append(f"Took {time.perf_counter() - started:.0f} s. {others}")
        for table in made:
            print(f"\n{table.text()}", flush=True)
        tables += made
    minutes = (time.perf_counter() - began) / 60
    print("\n".join(summary(tables)))
    if not given.parts and not options.only:
        head.append(str(whole))
        RESULTS.write_text("\n".join(page(head, tables, minutes)))
        print(f"written to {RESULTS} after {minutes:.0f} minutes")


def page(head: list[str], tables: list[Table], minutes: float) -> Iterator[str]:
    """The lines of RESULTS.md."""
    yield "# Benchmark\n"
    yield f"Written by `make bench` in {minutes:.0f} minutes.\n"
    yield from (f"- {line}" for line in head)
    yield ""
    yield from summary(tables)
    yield ""
    yield from (table.markdown() for table in tables)


if __name__ == "__main__":
    main()
