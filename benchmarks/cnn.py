"""(a) A convolutional network of nnctl beside the same one in PyTorch, on one thread and on two.

    python -m benchmarks.cnn [--rounds 9] [--no-peers]

Convolutions of 32 and 64 filters (3 x 3, same, relu), each followed by max-pooling, a dense layer of 64 and one of 10,
on images of 28 x 28 pixels; cross entropy, Adam, batches of 64. Both sides do all that a step of training does: gather
a shuffled batch, forward, loss, backward, optimizer. The rounds alternate, so that both meet the same neighbours on a
busy machine. On one thread seconds are those of the processor, on two those of the clock, which say nothing where other
processes leave fewer than two cores.
"""

from __future__ import annotations

from collections.abc import Callable

from threadpoolctl import threadpool_limits

from benchmarks.children import Peers
from benchmarks.command import Options, run_alone
from benchmarks.machine import OtherWork
from benchmarks.own import own_images, stepper
from benchmarks.report import Mark, Table, number, times
from benchmarks.rounds import Timed, medians, ratios, timed
from benchmarks.workloads import IMAGES

AGAINST_TORCH = {1: 0.85, 2: 0.75}
OWN = "nnctl"
MOST_ROUNDS = 9


def cnn_tables(options: Options) -> list[Table]:
    """The table of the convolutional network."""
    table = Table(
        "A step of a convolutional network, milliseconds: conv 32 - pool - conv 64 - pool - dense 64, batch 64",
        ["threads", OWN, *IMAGES.sides, "nnctl / PyTorch", "nnctl / its fastest"],
        notes=["PyTorch as it is by default, and in the fastest of its manners."],
    )
    for threads in AGAINST_TORCH:
        others = OtherWork()
        with threadpool_limits(1), Peers(options.peers, ["torch"], threads=threads) as peers:
            stepping = own_images(threads)
            found = _measured(stepper(stepping), min(options.rounds, MOST_ROUNDS), peers)
            stepping.team.close()
        _add(table, threads, found, others.unclear if threads > 1 else "")
        options.tell(f"CNN, {threads}: {' '.join(table.rows[-1])}")
    return [table]


def _add(table: Table, threads: int, found: dict[str, list[Timed]], unclear: str) -> None:
    """Add the row and the marks of a number of threads."""
    place = 0 if threads > 1 else 1  # clock or processor
    shown = {side: medians(taken)[place] for side, taken in found.items()}
    row = [str(threads), *(number(1e3 * shown[side]) if side in shown else "" for side in (OWN, *IMAGES.sides))]
    if len(found) > 1:
        default = IMAGES.sides[0]
        fastest = min(IMAGES.sides, key=shown.__getitem__)
        for side, said in ((default, "PyTorch"), (fastest, f"{fastest}, its fastest")):
            against = ratios(found[OWN], found[side])[place]
            row.append(times(against))
            what = f"CNN on {threads} thread{'s' * (threads > 1)}: nnctl against {said}"
            table.marks.append(Mark(what, against, AGAINST_TORCH[threads], unclear=unclear))
    table.rows.append([*row, *[""] * (len(table.head) - len(row))])


def _measured(step: Callable[[], None], rounds: int, peers: Peers) -> dict[str, list[Timed]]:
    """The seconds of a step of every side in every round."""
    sides = [OWN, *(IMAGES.sides if peers.sides else ())]
    found: dict[str, list[Timed]] = {side: [] for side in sides}
    for place in range(rounds + 1):  # the first one warms up
        for side, taken in found.items():
            if side == OWN:
                timed(step, 2)
                seconds = timed(step, IMAGES.steps)
            else:
                seconds = peers.round(side, IMAGES.name, IMAGES.steps)
            if place:
                taken.append(seconds)
    return found


if __name__ == "__main__":
    run_alone("benchmarks.cnn", __doc__, cnn_tables)
