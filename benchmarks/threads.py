"""(a) Steps on one thread and on two, beside PyTorch's on two.

    python -m benchmarks.threads [--only mnistL,wide,middle]

nnctl splits the batch over Python threads, one BLAS thread each; its steps are those of the trainer, with the value of
the loss and the look at what is finite. The bare loop has two BLAS threads. Seconds are those of the clock, and say
nothing where other processes leave fewer than two cores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from threadpoolctl import threadpool_limits

from benchmarks.bare import BareLoop
from benchmarks.children import Peers
from benchmarks.command import Options, run_alone
from benchmarks.machine import OtherWork
from benchmarks.own import own_rows, stepper
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import Timed, affordable, medians, ratios, timed
from benchmarks.workloads import THREADED, Workload
from nnctl.training.splitting import best_split
from nnctl.training.stepping import Stepping

FASTER = {"mnistL": 1.35, "wide": 1.7, "middle": 1.4}
AGAINST_TORCH = {"mnistL": 1.0, "wide": 1.0, "middle": 1.0}
MOST_ROUNDS = 9
BARE_SECONDS = 3.0  # what BLAS threads that wait for each other may take of the time
ONE, TWO, BARE = "nnctl, 1 thread", "nnctl, 2 threads", "bare loop, 2 BLAS threads"
TORCH = "PyTorch eager", "PyTorch fused"


def thread_tables(options: Options) -> list[Table]:
    """The table of the steps on two threads."""
    table = Table(
        "One step on two threads, milliseconds of the clock",
        ["sizes, batch", ONE, TWO, BARE, *TORCH, "2 threads faster by", "nnctl / PyTorch", "auto chooses"],
        notes=["nnctl's steps include the value of the loss. The ratio is against the faster one of PyTorch's."],
    )
    others = OtherWork()
    with Peers(options.peers, ["torch"], threads=2) as peers:
        for workload in THREADED:
            if options.wants(workload.name):
                _add(table, workload, min(options.rounds, workload.rounds, MOST_ROUNDS), peers)
                options.tell(" ".join(table.rows[-1]))
    unclear = others.unclear  # once the peers have ended
    table.marks = [replace(mark, unclear=unclear) for mark in table.marks]
    return [table]


def _add(table: Table, workload: Workload, rounds: int, peers: Peers) -> None:
    """Add the row and the marks of a workload."""
    one, two = own_rows(workload, 1), own_rows(workload, 2)
    auto = best_split(one.job, 2)
    found = measured(workload, {ONE: one, TWO: two}, rounds, peers)
    two.team.close()
    shown = {side: medians(taken)[0] for side, taken in found.items()}
    faster = ratios(found[ONE], found[TWO])[0]
    cells = [number(1e3 * shown[side]) if side in shown else "" for side in (ONE, TWO, BARE, *TORCH)]
    table.marks.append(
        Mark(f"{workload.name}: 2 threads of nnctl against 1", faster, FASTER[workload.name], ">=", "x faster")
    )
    against = ""
    if peers.sides:
        peer = min(TORCH, key=shown.__getitem__)
        ratio = ratios(found[TWO], found[peer])[0]
        against = times(ratio)
        what = f"{workload.name}: nnctl against {peer}, 2 threads"
        table.marks.append(Mark(what, ratio, AGAINST_TORCH[workload.name]))
    table.rows.append([workload.title, *cells, times(faster), against, str(auto)])


def measured(workload: Workload, own: dict[str, Stepping], rounds: int, peers: Peers) -> dict[str, list[Timed]]:
    """The seconds of a step of every side in every round."""
    bare = BareLoop(workload)
    inside: dict[str, tuple[Callable[[], None], Callable[[], None], int]] = {
        name: (stepper(stepping), anew(stepping, workload), 1) for name, stepping in own.items()
    }
    inside[BARE] = bare.step, lambda: bare.reset(workload.start()), 2
    found: dict[str, list[Timed]] = {side: [] for side in (*inside, *peers.sides)}
    steps = dict.fromkeys(found, workload.steps)
    left = BARE_SECONDS
    for place in range(rounds + 1):  # the first one warms up
        for side, taken in found.items():
            if side == BARE and left < 0 and taken:
                continue
            began = time.perf_counter()
            if side in inside:
                step, reset, blas = inside[side]
                reset()
                with threadpool_limits(blas):
                    timed(step, max(1, steps[side] // 4))
                    seconds = timed(step, steps[side])
            else:
                seconds = peers.round(side, workload.name, steps[side])
            if side == BARE:
                left -= time.perf_counter() - began
            if place:
                taken.append(seconds)
            else:
                steps[side] = affordable(workload.steps, seconds[0])
    return found


def anew(stepping: Stepping, workload: Workload) -> Callable[[], None]:
    """What begins anew with the weights that all sides begin with."""

    def begin() -> None:
        stepping.arena.theta[...] = workload.start()
        stepping.descent.begin_anew()

    return begin


if __name__ == "__main__":
    run_alone("benchmarks.threads", __doc__, thread_tables)
