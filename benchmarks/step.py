"""(a) One step, forward, backward and Adam on a batch in its buffers, beside the bare loop and others; one thread.

    python -m benchmarks.step                                   all workloads, with the peers that are there
    python -m benchmarks.step --only xor,small --rounds 15      quick, for who changes the step
    python -m benchmarks.step --no-peers

Microseconds of the processor, the median over rounds in which every side has its turn. Bare loop and nnctl run in one
process; it is checked that they come to the same weights.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.bare import BareLoop, products
from benchmarks.children import Peers
from benchmarks.command import Options, run_alone
from benchmarks.own import OwnLoop
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import Timed, affordable, medians, ratios, timed, warm
from benchmarks.workloads import WORKLOADS, Array, Workload

SAME_STEPS, SAME = 5, 1e-9  # in float64, relative to the largest weight

BARE, OWN, WATCHED, PRODUCTS = "bare loop", "nnctl", "nnctl with loss and check", "products alone"

# The 'Done when' of the issue: at most so many times the other side's time; the last ones, so many times faster.
AGAINST_BARE = {"xor": 0.7, "small": 0.85, "mnist": 0.95, "mnistL": 1.0, "wide": 1.0}
WATCHED_AGAINST_BARE = {"xor": 0.85, "small": 0.85}
AGAINST_FUSED = {"xor": 1.0, "small": 1.0, "mnist": 1.0, "mnistL": 1.0, "wide": 1.03}
EAGER_AGAINST_OWN = {"xor": 20.0, "small": 8.0}
AGAINST_PRODUCTS = {"mnistL": 1.4}


def step_tables(options: Options) -> list[Table]:
    """The table of the steps."""
    workloads = [each for each in WORKLOADS.values() if options.wants(each.name)]
    with threadpool_limits(1), Peers(options.peers) as peers:
        sides = [BARE, OWN, WATCHED, PRODUCTS, *peers.sides]
        table = Table(
            "One step, microseconds on one thread: forward, backward, Adam",
            ["sizes, batch", *sides, "nnctl / bare", "with loss / bare"],
            notes=["Median processor time of a step over rounds in turn; ratios are medians of the rounds' ratios."],
        )
        if peers.missing:
            table.notes.append(f"Not installed, so not here: {', '.join(peers.missing)}.")
        for workload in workloads:
            found = measured(workload, min(options.rounds, workload.rounds), peers)
            row = [number(1e6 * medians(found[side])[1]) for side in sides]
            ratio = [times(ratios(found[side], found[BARE])[1]) for side in (OWN, WATCHED)]
            table.rows.append([workload.title, *row, *ratio])
            table.marks += marks(workload.name, found)
            options.tell(f"{workload.title}: {' '.join(ratio)} the bare loop")
    return [table]


def measured(workload: Workload, rounds: int, peers: Peers) -> dict[str, list[Timed]]:
    """The seconds of a step of every side in every round."""
    check_same(workload)
    bare, own, start = BareLoop(workload), OwnLoop(workload), workload.start()
    matrices = products(workload)
    inside: dict[str, tuple[Callable[[], None], Callable[[Array], None]]] = {
        BARE: (bare.step, bare.reset),
        OWN: (own.step, own.reset),
        WATCHED: (own.watched_step, own.reset),
        PRODUCTS: (matrices, lambda _: None),
    }
    found: dict[str, list[Timed]] = {side: [] for side in (*inside, *peers.sides)}
    steps = dict.fromkeys(found, workload.steps)
    for place in range(rounds + 1):  # the first one warms up
        for side, taken in found.items():
            if side in inside:
                step, reset = inside[side]
                reset(start)
                warm(step)
                seconds = timed(step, steps[side])
            else:
                seconds = peers.round(side, workload.name, steps[side])
            if place:
                taken.append(seconds)
            else:
                steps[side] = affordable(workload.steps, seconds[0])
    return found


def check_same(workload: Workload) -> None:
    """Raise AssertionError unless bare loop and nnctl come to the same weights: the footing is the same."""
    bare, start = BareLoop(workload, dtype=np.float64), workload.start()
    own = OwnLoop(workload, np.float64)
    for take in (own.step, own.watched_step):
        bare.reset(start)
        own.reset(start)
        for _ in range(SAME_STEPS):
            bare.step()
            take()
        furthest = np.abs(bare.theta - own.theta).max()
        assert furthest <= SAME * np.abs(bare.theta).max(), f"{workload.name}: weights differ by {furthest:g}"
        assert np.abs(bare.theta - start).max() > 0, f"{workload.name}: no weight has moved"


def marks(name: str, found: dict[str, list[Timed]]) -> list[Mark]:
    """The marks of a workload."""
    made = []
    for kept, own, peer, said in (
        (AGAINST_BARE, OWN, BARE, "nnctl against the bare loop"),
        (WATCHED_AGAINST_BARE, WATCHED, BARE, "nnctl with the loss value against the bare loop"),
        (AGAINST_FUSED, OWN, "PyTorch fused", "nnctl against PyTorch fused"),
        (AGAINST_PRODUCTS, OWN, PRODUCTS, "nnctl against its products alone"),
    ):
        if name in kept and peer in found:
            made.append(Mark(f"{name}: {said}", ratios(found[own], found[peer])[1], kept[name]))
    if name in EAGER_AGAINST_OWN and "PyTorch eager" in found:
        factor = ratios(found["PyTorch eager"], found[OWN])[1]
        made.append(Mark(f"{name}: PyTorch eager against nnctl", factor, EAGER_AGAINST_OWN[name], ">="))
    return made


if __name__ == "__main__":
    run_alone("benchmarks.step", __doc__, step_tables)
