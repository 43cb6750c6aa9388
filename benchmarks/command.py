"""What the parts of the benchmark are told on the command line."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.children import settle
from benchmarks.report import Table


@dataclass(frozen=True)
class Options:
    """How a part is to be measured."""

    rounds: int = 15
    only: tuple[str, ...] = ()  # of the workloads; none: all
    peers: str | None = None  # the Python that has them; None: without
    big: bool = False  # also what takes many minutes

    def wants(self, workload: str) -> bool:
        return not self.only or workload in self.only

    def tell(self, text: str) -> None:
        """Say how far it is."""
        print(text, file=sys.stderr, flush=True)


def run_alone(module: str, text: str | None, part: Callable[[Options], list[Table]]) -> None:
    """The command of one part."""
    settle(module)
    parser = argparse.ArgumentParser(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    for table in part(options_of(parser.parse_args())):
        print(table.text())


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", default="", help="workloads, separated by commas")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="rounds of every side")
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="a Python that has the peers")
    parser.add_argument("--no-peers", action="store_true", help="nnctl and the bare loop alone")
    parser.add_argument("--big", action="store_true", help="also the table of 11,000,000 rows")


def options_of(given: argparse.Namespace) -> Options:
    only = tuple(filter(None, given.only.split(",")))
    found = shutil.which(given.peers)
    if found is None and not given.no_peers:
        sys.exit(f"there is no {given.peers} for the peers: name another with --peers, or leave them out: --no-peers")
    # Absolute, but no link followed: that of a virtual environment leads out of it.
    return Options(given.rounds, only, None if given.no_peers else os.path.abspath(found), given.big)
