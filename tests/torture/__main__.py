"""``python -m tests.torture [F1 F2 ...]``: inject the full counts, print the table, exit 1 if a mark is missed."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.torture import elsewhere, processes
from tests.torture.plans import PLANS
from tests.torture.tally import SEED, Plan, Tally, seed, table

MEMORY = "/dev/shm"  # where an fsync costs nothing


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="F", help="kinds of faults, such as F1 F2; all of them if none")
    parser.add_argument("--fast", action="store_true", help="the counts of `make test`")
    parser.add_argument("--jobs", type=int, default=2, help="kinds of faults at once")
    given = parser.parse_args()
    every = PLANS if given.fast else (*PLANS, *elsewhere.PLANS)
    known = {plan.fault for plan in every}
    if unknown := set(given.faults) - known:
        parser.error(f"{', '.join(sorted(unknown))}: not one of {', '.join(sorted(known))}")
    chosen = seed()
    print(f"{SEED}={chosen}", file=sys.stderr, flush=True)
    processes.warm()
    plans = [plan for plan in every if not given.faults or plan.fault in given.faults]
    with ProcessPoolExecutor(given.jobs, multiprocessing.get_context("fork")) as pool:
        tallies = list(pool.map(run, plans, [given.fast] * len(plans), [chosen] * len(plans)))
    for tally in tallies:
        if not tally.passed:
            print(tally.told(), file=sys.stderr, flush=True)
    print(table(tallies))
    return 0 if all(tally.passed for tally in tallies) else 1


def run(plan: Plan, fast: bool, chosen: int) -> Tally:
    """Inject one kind of fault, in memory where there is room."""
    folder = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="nnctl-torture-", dir=folder) as name:
        tally = plan.run(Path(name), fast=fast, seed=chosen)
    verdict = "met" if tally.passed else "MISSED"
    print(f"{tally.fault} {tally.title}: {verdict} in {tally.seconds:.0f} s", file=sys.stderr, flush=True)
    return tally


if __name__ == "__main__":
    sys.exit(main())
